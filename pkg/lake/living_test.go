package lake

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"testing"
	"time"
)

// TestGenerations: the log says which spills of a living writer are committed, and forgets writers that are no more.
func TestGenerations(t *testing.T) {
	l := newLake(t)
	a, b := newWriter(t, l), newWriter(t, l)
	commit := func(w *Writer, generation int64) *State {
		t.Helper()
		s, err := w.CommitThrough(t.Context(), MarkCommit{Files: []Staged{staged(t, w, "x.parquet", "PAR1")}, Generation: generation}, "")
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	commit(a, 1)
	if s := commit(b, 4); s.Generations[a.ID()] != 1 || s.Generations[b.ID()] != 4 {
		t.Errorf("%v", s.Generations)
	}
	if s := commit(a, 2); s.Generations[a.ID()] != 2 {
		t.Errorf("%v", s.Generations)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if s := commit(a, 0); len(s.Generations) != 1 || s.Generations[a.ID()] != 2 {
		t.Errorf("of a writer that has closed: %v", s.Generations)
	}
	// One that is killed leaves its lock and staging, and is fenced.
	_ = a.lock.Close()
	if err := l.SweepWriters(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s, err := l.State(); err != nil || len(s.Generations) != 0 || s.Fenced[a.ID()] == 0 {
		t.Errorf("%v, %v", s, err)
	}
}

func TestLiving(t *testing.T) {
	l := newLake(t)
	a, b := newWriter(t, l), newWriter(t, l)
	want := []string{a.ID(), b.ID()}
	slices.Sort(want)
	if got, err := l.Living(); err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	_ = b.lock.Close()
	if err := os.MkdirAll(l.Staging("01ARZ3NDEKTSV4RRFFQ69G5FAV"), 0o700); err != nil {
		t.Fatal(err)
	}
	if got, err := l.Living(); err != nil || !slices.Equal(got, []string{a.ID()}) {
		t.Errorf("%v, %v", got, err)
	}
}

// TestStateAt: every earlier state can be had again, by whatever checkpoints there are.
func TestStateAt(t *testing.T) {
	l := newLake(t)
	w := newWriter(t, l)
	for n := 1; n <= checkpointEvery+5; n++ {
		if _, err := w.CommitFiles(t.Context(), []Staged{staged(t, w, "x.parquet", "PAR1")}, ""); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range []int64{0, 1, checkpointEvery - 1, checkpointEvery, checkpointEvery + 1, checkpointEvery + 5} {
		s, err := l.StateAt(n)
		if err != nil || s.N != n || len(s.Files) != int(n) {
			t.Errorf("%d: %v, %v", n, s, err)
		}
	}
	for _, n := range []int64{-1, checkpointEvery + 6} {
		if _, err := l.StateAt(n); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%d: %v", n, err)
		}
	}
}

func TestMayHold(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	f := File{MinTime: at(100).UnixNano(), MaxTime: at(200).UnixNano() + 999}
	for _, tt := range []struct {
		since, until time.Time
		want         bool
	}{
		{time.Time{}, time.Time{}, true}, {at(200), time.Time{}, true}, {at(201), time.Time{}, false}, {time.Time{}, at(100), false},
		{time.Time{}, at(101), true}, {at(120), at(130), true}, {at(10), at(20), false}, {at(200).Add(500), time.Time{}, true},
	} {
		if f.MayHold(tt.since, tt.until) != tt.want {
			t.Errorf("%v to %v: %v", tt.since, tt.until, !tt.want)
		}
	}
}
