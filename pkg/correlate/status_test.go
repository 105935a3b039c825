package correlate

import (
	"testing"
	"time"

	"leat/pkg/sigma"
)

func TestStatus(t *testing.T) {
	avg := &sigma.Correlation{Type: sigma.ValueAvg, Timespan: time.Minute, Bounds: []sigma.Bound{{Op: "gt", Value: 100}}}
	e := mustNew(t, Limits{Lateness: 10 * time.Second}, count(3, time.Minute), avg)
	at := func(sec int) int64 { return t0 + int64(sec)*second }
	see := func(sec int) {
		e.Advance(at(sec), func(*Match) {})
		for rule := range 2 {
			e.Observe(rule, &Observation{Key: []byte("k"), At: at(sec), ID: []byte("i"), Number: float64(sec)})
		}
	}
	check := func(rule, sec int, want Status) {
		t.Helper()
		if got, ok := e.Status(rule, []byte("k"), at(sec)); !ok || got != want {
			t.Errorf("rule %d at %d: %+v %v, want %+v", rule, sec, got, ok, want)
		}
	}
	if _, ok := e.Status(0, []byte("k"), at(0)); ok {
		t.Error("a group that is not there has a window")
	}
	see(0)
	see(40)
	check(0, 40, Status{Start: at(0), End: at(40), Until: at(60), Count: 2, Value: 2})
	check(1, 40, Status{Start: at(0), End: at(40), Until: at(60), Count: 2, Value: 20, Due: at(70)})
	see(61)
	check(1, 61, Status{Start: at(61), End: at(61), Until: at(121), Count: 1, Value: 61, Due: at(131)})
	check(1, 50, Status{Start: at(0), End: at(40), Until: at(60), Count: 2, Value: 20, Due: at(70)})
	check(0, 61, Status{Start: at(40), End: at(61), Until: at(100), Count: 2, Value: 2})
	see(62)
	check(0, 62, Status{Start: at(40), End: at(62), Until: at(100), Count: 3, Value: 3, Revision: 1, Told: 3})
	check(0, 90, Status{Start: at(40), End: at(62), Until: at(100), Count: 3, Value: 3, Revision: 1, Told: 3})
	if _, ok := e.Status(0, []byte("k"), at(500)); ok {
		t.Error("a time without events has a window")
	}
}
