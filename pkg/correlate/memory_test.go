package correlate

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"leat/pkg/sigma"
)

func count(n float64, span time.Duration) *sigma.Correlation {
	c := &sigma.Correlation{Type: sigma.EventCount, Timespan: span, Bounds: []sigma.Bound{{Op: "gte", Value: n}}}
	c.Title = "count"
	return c
}

const t0 = int64(1_700_000_000_000_000_000)

func see(e *Engine, rule int, key string, sec int, id string) (*Match, bool) {
	at := t0 + int64(sec)*second
	e.Advance(at, func(*Match) {})
	return e.Observe(rule, &Observation{Key: []byte(key), At: at, ID: []byte(id), Value: []byte(id), Mask: 1})
}

// The group that was not seen for longest goes, and is counted.
func TestKeysAreBounded(t *testing.T) {
	e := mustNew(t, Limits{Keys: 3}, count(2, time.Hour))
	for i, key := range []string{"a", "b", "c", "a", "d"} {
		if _, ok := see(e, 0, key, i, fmt.Sprint(i)); ok != (i == 3) {
			t.Errorf("event %d: %v", i, ok)
		}
	}
	if s := e.Stats(0); s.Keys != 3 || s.EvictedKeys != 1 {
		t.Errorf("%+v", s)
	}
	if _, ok := see(e, 0, "c", 6, "x"); !ok {
		t.Error("c was forgotten in the place of b")
	}
	if _, ok := see(e, 0, "b", 7, "y"); ok {
		t.Error("b is still there")
	}
}

func TestEventsAreBounded(t *testing.T) {
	distinct := &sigma.Correlation{Type: sigma.ValueCount, Timespan: time.Hour, Bounds: []sigma.Bound{{Op: "gte", Value: 8}}}
	e := mustNew(t, Limits{Events: 10, Total: 40}, distinct)
	for i := range 200 {
		see(e, 0, fmt.Sprintf("k%d", i%9), i, fmt.Sprint(i/9%7)) // seven values: never enough
	}
	s := e.Stats(0)
	if s.Events > 40 || s.Evicted == 0 || s.EvictedKeys == 0 {
		t.Errorf("%+v", s)
	}
	held := int64(0)
	for _, i := range e.rules[0].byKey {
		held += int64(len(e.rules[0].groups.at(i).entries))
	}
	if held != s.Events {
		t.Errorf("%d events are held, %d counted", held, s.Events)
	}
	if _, err := New([]Rule{{ID: "x", Correlation: count(41, time.Hour)}}, Limits{Total: 40}); err == nil {
		t.Error("a rule that counts more than may be held is taken")
	}
}

// A flood of one value stays small, and changes nothing of what the others make.
func TestFloodIsThinned(t *testing.T) {
	for _, c := range []*sigma.Correlation{
		{Type: sigma.ValueCount, Timespan: time.Minute, Bounds: []sigma.Bound{{Op: "gte", Value: 2}}},
		{Type: sigma.Temporal, Timespan: time.Minute, Bounds: []sigma.Bound{{Op: "gte", Value: 2}}, Rules: make([]sigma.Reference, 2)},
		{Type: sigma.TemporalOrdered, Timespan: time.Minute, Bounds: []sigma.Bound{{Op: "gte", Value: 2}}, Rules: make([]sigma.Reference, 2)},
	} {
		e := mustNew(t, Limits{}, c)
		for i := range 20_000 {
			if _, ok := see(e, 0, "k", i/100, "same"); ok {
				t.Fatal("one value is no two")
			}
		}
		if s := e.Stats(0); s.Events > 500 || s.Evicted > 0 {
			t.Errorf("%s: %+v", c.Type, s)
		}
		at := t0 + 200*second
		m, ok := e.Observe(0, &Observation{Key: []byte("k"), At: at, ID: []byte("other"), Value: []byte("other"), Mask: 2})
		if !ok || m.Count < 2000 || m.Start < at-int64(time.Minute) {
			t.Errorf("%s: %v %+v", c.Type, ok, m)
		}
	}
}

// Groups that the stream has left behind are forgotten; one that lags behind as a whole is not.
func TestIdleGroups(t *testing.T) {
	e := mustNew(t, Limits{Lateness: 10 * time.Second}, count(3, time.Minute))
	see(e, 0, "old", 0, "1")
	see(e, 0, "new", 69, "2")
	if s := e.Stats(0); s.Keys != 2 {
		t.Errorf("%+v", s)
	}
	see(e, 0, "new", 71, "3")
	if s := e.Stats(0); s.Keys != 1 || s.EvictedKeys != 0 {
		t.Errorf("%+v", s)
	}
	for i := range 3 { // a host's events of yesterday
		at := t0 - 86_400*second + int64(i)*10*second
		_, ok := e.Observe(0, &Observation{Key: []byte("lagging"), At: at, ID: []byte("x")})
		if ok != (i == 2) {
			t.Errorf("event %d of a group that lags: %v", i, ok)
		}
		see(e, 0, "new", 80+i, "y")
	}
}

// Files are read newest first, as a shell's pattern has them, or side by side: what lies further back is correlated too.
func TestOlderFiles(t *testing.T) {
	few := &sigma.Correlation{Type: sigma.EventCount, Timespan: time.Minute, Bounds: []sigma.Bound{{Op: "lte", Value: 2}}}
	e := mustNew(t, Limits{Lateness: 10 * time.Second}, count(3, time.Minute), few)
	var got []string
	raise := func(m *Match) { got = append(got, fmt.Sprintf("%d:%d@%d", m.Rule, m.Count, (m.Start-t0)/second)) }
	tell := func(secs ...int) {
		for _, sec := range secs {
			at := t0 + int64(sec)*second
			e.Advance(at, raise)
			for rule := range 2 {
				if m, ok := e.Observe(rule, &Observation{Key: []byte("k"), At: at, ID: []byte("i")}); ok {
					raise(m)
				}
			}
		}
	}
	tell(90_000, 90_010, 90_020, 90_200) // today's
	tell(3_000, 3_010, 3_020)            // yesterday's
	tell(90_210, 3_500, 90_220, 3_510, 3_520)
	e.Finish(raise)
	slices.Sort(got)
	if want := "0:3@3000 0:3@3500 0:3@90000 0:3@90200"; strings.Join(got, " ") != want {
		t.Errorf("%q, want %s", got, want)
	}
	if s := e.Stats(1); s.Late > 0 {
		t.Errorf("%+v", s)
	}
}

// A window that is over is decided once the stream has gone on by lateness, and by how far its group lags.
func TestClosingTime(t *testing.T) {
	few := &sigma.Correlation{Type: sigma.EventCount, Timespan: time.Minute, Bounds: []sigma.Bound{{Op: "lte", Value: 2}}}
	e := mustNew(t, Limits{Lateness: 10 * time.Second}, few)
	var got []string
	raise := func(m *Match) { got = append(got, fmt.Sprintf("%s %d %s", m.Key, m.Count, m.Sample)) }
	tell := func(key string, sec, lag int) {
		e.Advance(t0+int64(sec)*second, raise)
		e.Observe(0, &Observation{Key: []byte(key), At: t0 + int64(sec-lag)*second, ID: []byte("i"), Sample: func(b []byte) []byte { return fmt.Appendf(b, "at%d", sec) }})
	}
	tell("a", 0, 0)
	tell("lags", 1, 100)
	tell("a", 50, 0)
	e.Advance(t0+70*second, raise)
	if len(got) != 0 {
		t.Errorf("too early: %q", got)
	}
	e.Advance(t0+71*second, raise)
	if strings.Join(got, ";") != "a 2 at50" {
		t.Errorf("%q", got)
	}
	tell("a", 55, 0) // of the window that is over
	if e.Stats(0).Late != 1 {
		t.Errorf("%+v", e.Stats(0))
	}
	e.Advance(t0+172*second, raise)
	if strings.Join(got, ";") != "a 2 at50;lags 1 at1" {
		t.Errorf("%q", got)
	}
}

// Windows of groups that were forgotten don't pile up.
func TestHeapIsBounded(t *testing.T) {
	few := &sigma.Correlation{Type: sigma.EventCount, Timespan: 24 * time.Hour, Bounds: []sigma.Bound{{Op: "lt", Value: 2}}}
	e := mustNew(t, Limits{Keys: 10}, few)
	for i := range 5000 {
		see(e, 0, fmt.Sprint(i), i, "x")
	}
	if len(e.heap) > 2*10+64+1 {
		t.Errorf("%d windows for 10 groups", len(e.heap))
	}
}

func TestIDs(t *testing.T) {
	texts := []string{"0123456789abcdef0123456789abcdef", "0123456789ABCDEF0123456789ABCDEF", "x", "", "zz23456789abcdef0123456789abcdef", strings.Repeat("é", 100)}
	var all [][]byte
	var want []string
	for _, id := range texts {
		all = append(all, []byte(id))
		want = append(want, id[:min(len(id), maxID)])
		if id == "" {
			want[len(want)-1] = "?"
		}
		stored := storeIDs(nil, &Observation{ID: []byte(id)})
		if got := idsOf(stored); len(got) != 1 || got[0] != want[len(want)-1] || sizeID(stored) != len(stored) || len(takeID(stored)) != len(stored) {
			t.Errorf("%q became %q", id, got)
		}
	}
	list := storeIDs(nil, &Observation{IDs: all})
	if got := idsOf(append(list, "behind"...)); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	for n := range list {
		if takeID(list[:n]) != nil {
			t.Fatalf("a list cut at %d is one", n)
		}
	}
	if takeID([]byte{listOfID, 3, 0, listOfID, 0, 0}) != nil || takeID([]byte{200}) != nil {
		t.Error("what is no id is one")
	}
	many := storeIDs(nil, &Observation{IDs: slices.Repeat(all, 20)})
	if got := idsOf(many); len(got) != maxList {
		t.Errorf("%d ids", len(got))
	}
}

func idsOf(stored []byte) (out []string) {
	var buf [32]byte
	eachID(stored, buf[:], func(id []byte) { out = append(out, string(id)) })
	return out
}

// A match of several events names them all, and of many the newest.
func TestMatchIDs(t *testing.T) {
	e := mustNew(t, Limits{}, count(5, time.Hour))
	var m *Match
	var ok bool
	for i := range 5 {
		o := &Observation{Key: []byte("k"), At: t0 + int64(i), ID: []byte(fmt.Sprint(i))}
		if i == 2 {
			for j := range 98 {
				o.IDs = append(o.IDs, []byte(fmt.Sprintf("2.%d", j)))
			}
		}
		m, ok = e.Observe(0, o)
	}
	if !ok || len(m.IDs) != 36 || string(m.IDs[0]) != "0" || string(m.IDs[2]) != "2.66" || string(m.IDs[33]) != "2.97" || string(m.IDs[35]) != "4" {
		t.Errorf("%q", m.IDs)
	}
}

// Times at the ends of what an int64 holds make no window of nothing.
func TestTimesAtTheEnds(t *testing.T) {
	for _, c := range []*sigma.Correlation{count(2, 10*365*24*time.Hour), {Type: sigma.ValueMedian, Timespan: time.Second, Bounds: []sigma.Bound{{Op: "gt", Value: 5}}}} {
		e := mustNew(t, Limits{}, c)
		for _, at := range []int64{math.MinInt64, math.MaxInt64, 0, math.MinInt64 + 1, t0} {
			e.Advance(at, func(*Match) { t.Error("raised") })
			if _, ok := e.Observe(0, &Observation{Key: []byte("k"), At: at, ID: []byte("i")}); ok && at != math.MinInt64+1 {
				t.Errorf("%s at %d", c.Type, at)
			}
		}
	}
}

// Rules whose state is not for them any more begin anew; others go on.
func TestAdopt(t *testing.T) {
	a, b := count(3, time.Hour), count(3, time.Hour)
	old := mustNew(t, Limits{}, a, b)
	see(old, 0, "k", 0, "1")
	see(old, 0, "k", 1, "2")
	see(old, 1, "k", 1, "2")
	e, err := New([]Rule{{ID: "new", Correlation: a}, {ID: "r0", Correlation: a}}, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Adopt(old); err != nil {
		t.Fatal(err)
	}
	if _, ok := see(e, 0, "k", 2, "3"); ok {
		t.Error("a new rule has another's state")
	}
	if _, ok := see(e, 1, "k", 2, "3"); !ok {
		t.Error("a rule that stayed has lost its state")
	}
	if e.Passed() != 1 {
		t.Errorf("%d groups were passed over", e.Passed())
	}
	if e.Time() != t0+2*second {
		t.Errorf("time %d", e.Time())
	}
}
