package correlate

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"leat/pkg/sigma"
)

func snapshots(t testing.TB) (base, changes []byte) {
	few := &sigma.Correlation{Type: sigma.EventCount, Timespan: time.Minute, Bounds: []sigma.Bound{{Op: "lte", Value: 2}}}
	e := mustNew(t, Limits{}, count(3, time.Minute), few)
	for i := range 20 {
		see(e, i%2, fmt.Sprint("k", i%3), i, fmt.Sprintf("%032x", i))
	}
	base = e.AppendBase(nil)
	see(e, 0, "k1", 30, "other id")
	see(e, 1, "k1", 500, "x")
	return base, e.AppendChanges(nil)
}

// What a flood of groups has changed is not longer than what there is.
func TestFloodOfGroups(t *testing.T) {
	e := mustNew(t, Limits{Keys: 10}, count(3, time.Hour))
	if err := e.Restore(nil); err != nil {
		t.Fatal(err)
	}
	for i := range 10_000 {
		see(e, 0, fmt.Sprint("k", i), i/100, "x")
	}
	changes := e.AppendChanges(nil)
	if len(e.removed)+len(e.dirty) > 0 || len(changes) > 1000 {
		t.Errorf("%d bytes of changes", len(changes))
	}
	see(e, 0, "k9999", 100, "y")
	more := e.AppendChanges(nil)
	again := mustNew(t, Limits{Keys: 10}, count(3, time.Hour))
	if err := again.Restore(nil, changes, more); err != nil || string(again.AppendBase(nil)) != string(e.AppendBase(nil)) {
		t.Errorf("restored as something else: %v", err)
	}
	if len(more) > 200 {
		t.Errorf("%d bytes for one group", len(more))
	}
}

func TestDamagedSnapshots(t *testing.T) {
	base, changes := snapshots(t)
	few := &sigma.Correlation{Type: sigma.EventCount, Timespan: time.Minute, Bounds: []sigma.Bound{{Op: "lte", Value: 2}}}
	for n := 1; n < len(base); n++ {
		e := mustNew(t, Limits{}, count(3, time.Minute), few)
		// Cut behind a whole group a snapshot is shorter, and not torn: the store's checksum is there for that.
		if err := e.Restore(base[:n]); err != nil && !errors.Is(err, ErrSnapshot) {
			t.Fatalf("cut at %d: %v", n, err)
		}
	}
	e := mustNew(t, Limits{}, count(3, time.Minute), few)
	if err := e.Restore(base, changes, []byte{9}); !errors.Is(err, ErrSnapshot) || e.Stats(0).Keys != 0 {
		t.Errorf("%v, %+v", err, e.Stats(0))
	}
	if err := e.Restore(base, changes); err != nil || e.Stats(0).Keys+e.Stats(1).Keys == 0 {
		t.Errorf("%v", err)
	}
	if err := mustNew(t, Limits{}, few, count(3, time.Minute)).Restore(base); !errors.Is(err, ErrSnapshot) {
		t.Errorf("state of another kind of rule: %v", err)
	}
}

// FuzzRestore: no bytes make Restore panic, take memory beyond their length, or leave an engine that does not work.
func FuzzRestore(f *testing.F) {
	base, changes := snapshots(f)
	f.Add(base, changes)
	f.Add(base, []byte{})
	f.Add([]byte{snapshotFormat, kindBase}, changes)
	few := &sigma.Correlation{Type: sigma.EventCount, Timespan: time.Minute, Bounds: []sigma.Bound{{Op: "lte", Value: 2}}}
	f.Fuzz(func(t *testing.T, base, changes []byte) {
		e := mustNew(t, Limits{Keys: 5, Total: 20}, count(3, time.Minute), few)
		if err := e.Restore(base, changes); err != nil {
			if s := e.Stats(0); s.Keys != 0 || !errors.Is(err, ErrSnapshot) {
				t.Fatalf("%v, %+v", err, s)
			}
		}
		for i := range 10 {
			see(e, i%2, fmt.Sprint("k", i%3), i*40, "x")
		}
		again := mustNew(t, Limits{Keys: 5, Total: 20}, count(3, time.Minute), few)
		whole := e.AppendBase(nil)
		if err := again.Restore(whole); err != nil {
			t.Fatal(err)
		}
		if string(again.AppendBase(nil)) != string(whole) {
			t.Fatal("what was written is read as something else")
		}
		e.Finish(func(*Match) {})
	})
}
