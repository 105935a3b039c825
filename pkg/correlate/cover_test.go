package correlate

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
	"time"

	"leat/pkg/sigma"
)

// A window that was told is told again each time it has twice as many events, late ones included, under the same start.
func TestRevisions(t *testing.T) {
	e := mustNew(t, Limits{}, count(5, time.Minute))
	var got []string
	tell := func(sec int) {
		if m, ok := see(e, 0, "k", sec, fmt.Sprint(sec)); ok {
			got = append(got, fmt.Sprintf("%d: %d events from %d to %d, %g, %d ids", m.Revision, m.Count, (m.Start-t0)/second, (m.End-t0)/second, m.Value, len(m.IDs)))
		}
	}
	for sec := range 8 {
		tell(10 + sec)
	}
	tell(100) // of the next window
	tell(12)  // late
	tell(70)
	for range 12 {
		tell(40)
	}
	for sec := range 3 {
		tell(101 + sec)
	}
	want := []string{
		"1: 5 events from 10 to 14, 5, 5 ids", "2: 10 events from 10 to 70, 10, 1 ids", "3: 20 events from 10 to 70, 20, 1 ids",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	tell(104)
	if last := got[len(got)-1]; last != "1: 5 events from 100 to 104, 5, 5 ids" {
		t.Errorf("the next window is told as %q", last)
	}
}

func TestOnce(t *testing.T) {
	e, err := New([]Rule{{ID: "r", Correlation: count(1, time.Hour), Once: true}}, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for sec := range 100 {
		if _, ok := see(e, 0, "k", sec, "i"); ok != (sec == 0) {
			t.Fatalf("event %d: %v", sec, ok)
		}
	}
}

// A sum goes on with what comes in the window; of other values it is not known how they would.
func TestRevisionValues(t *testing.T) {
	for typ, want := range map[sigma.CorrelationType]float64{sigma.ValueSum: 40, sigma.ValueCount: 2} {
		e := mustNew(t, Limits{}, &sigma.Correlation{Type: typ, Timespan: time.Minute, Bounds: []sigma.Bound{{Op: "gte", Value: 2}}})
		var last *Match
		for i := range 4 {
			at := t0 + int64(i)*second
			e.Advance(at, nil)
			if m, ok := e.Observe(0, &Observation{Key: []byte("k"), At: at, ID: []byte("i"), Value: fmt.Append(nil, i), Number: 10}); ok {
				c := *m
				last = &c
			}
		}
		if last == nil || last.Revision < 2 || last.Count != 4 || last.Value != want {
			t.Errorf("%s: %+v", typ, last)
		}
	}
}

// A state of the first format has no counts: its windows are still known, and not told again.
func TestFirstFormat(t *testing.T) {
	e := mustNew(t, Limits{}, count(2, time.Minute))
	data := []byte{firstFormat, kindBase}
	data = binary.AppendVarint(data, t0)
	data = binary.AppendUvarint(data, 1)
	data = appendBytes(data, e.rules[0].ID)
	data = append(data, 0, 1)
	data = appendBytes(data, "k")
	for _, at := range []int64{t0, minTime, t0} {
		data = binary.AppendVarint(data, at)
	}
	data = append(data, 1, 1) // touched; one cover
	data = binary.AppendVarint(data, t0)
	data = append(data, 0, 0)
	if err := e.Restore(data); err != nil {
		t.Fatal(err)
	}
	for sec := range 61 {
		if m, ok := see(e, 0, "k", sec, "i"); ok {
			t.Fatalf("second %d: %+v", sec, m)
		}
	}
	see(e, 0, "k", 61, "i")
	if _, ok := see(e, 0, "k", 62, "i"); !ok {
		t.Error("the next window is not told")
	}
}
