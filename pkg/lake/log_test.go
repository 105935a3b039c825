package lake

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// notes appends n entries without files.
func notes(t *testing.T, l *Lake, n int) {
	t.Helper()
	for i := range n {
		_, err := l.Commit(t.Context(), func(*State) (*Entry, error) {
			return &Entry{Kind: KindNote, Why: fmt.Sprint(i)}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestGap: an entry that is missing is told.
func TestGap(t *testing.T) {
	l := newLake(t)
	notes(t, l, 3)
	if err := os.Remove(l.path("log", entryName(2))); err != nil {
		t.Fatal(err)
	}
	again, err := Open(l.Dir())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.State(); !errors.Is(err, ErrChain) {
		t.Errorf("a gap: %v", err)
	}
}

// TestForeignEntry: an entry of another lake does not fit, whole as it is.
func TestForeignEntry(t *testing.T) {
	a, b := newLake(t), newLake(t)
	notes(t, a, 1)
	body, err := os.ReadFile(a.path("log", entryName(1)))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(b.path("log", entryName(1)), body, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := b.State(); !errors.Is(err, ErrChain) {
		t.Errorf("%v", err)
	}
}

// randomEntry changes one thing that fits the state.
func randomEntry(r *rand.Rand, s *State) *Entry {
	pipe := fmt.Sprintf("p%d", r.IntN(3))
	switch r.IntN(7) {
	case 0:
		return &Entry{Kind: KindOpen, Pipeline: pipe, Epoch: s.Pipelines[pipe].Epoch + 1, Run: "run"}
	case 1, 2:
		pos := map[string]string{fmt.Sprintf("s%d", r.IntN(4)): []string{"", "1", "2"}[r.IntN(3)]}
		f := File{Path: fmt.Sprintf("data/dataset=d/date=2026-11-24/%d.parquet", s.N), Dataset: "d", Date: "2026-11-24", Rows: r.Int64N(9), Bytes: 1}
		return &Entry{Kind: KindCommit, Pipeline: pipe, Mark: s.Pipelines[pipe].Mark + 1, End: r.IntN(3) == 0, Positions: pos, Added: []File{f}}
	case 3:
		e := &Entry{Kind: KindRemove, Purge: r.IntN(2) == 0}
		for path := range s.Files {
			e.Removed = append(e.Removed, path)
			break
		}
		return e
	case 4:
		e := &Entry{Kind: KindPurge}
		for n := range s.Removals {
			e.Purged = append(e.Purged, n)
			break
		}
		return e
	case 5:
		return &Entry{Kind: KindHold, Hold: &Hold{Case: pipe, Datasets: []string{"*"}, Released: r.IntN(2) == 0}}
	}
	return &Entry{Kind: KindFence, Writer: fmt.Sprint(r.IntN(50))}
}

// write appends a random entry as Commit does, but without its fsyncs: hundreds of them take a minute on a slow disk.
func write(t *testing.T, l *Lake, r *rand.Rand) {
	t.Helper()
	s, err := l.State()
	if err != nil {
		t.Fatal(err)
	}
	e := randomEntry(r, s)
	e.N, e.Prev = s.N+1, s.Hash
	data, err := sealed(e)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(l.path("log", entryName(e.N)), data, 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err = l.State(); err != nil {
		t.Fatal(err)
	}
	if e.N%checkpointEvery == 0 {
		if err := l.writeCheckpoint(s); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCheckpoints: a checkpoint and the entries behind it say what the whole log says, whatever happened to checkpoints.
func TestCheckpoints(t *testing.T) {
	l := newLake(t)
	r := rand.New(rand.NewPCG(1, 2))
	for range 4*checkpointEvery + 37 {
		write(t, l, r)
	}
	_, checkpoints, err := l.list()
	if err != nil || len(checkpoints) != checkpointsKept {
		t.Fatalf("%v, %v", checkpoints, err)
	}
	whole, err := l.follow(l.empty())
	if err != nil {
		t.Fatal(err)
	}
	compare := func(what string) {
		t.Helper()
		again, err := Open(l.Dir())
		if err != nil {
			t.Fatal(err)
		}
		s, err := again.State()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if d := cmp.Diff(whole, s, cmp.FilterValues(empty, cmp.Ignore())); d != "" {
			t.Errorf("%s: (-log +checkpoint)\n%s", what, d)
		}
	}
	compare("all checkpoints")
	for _, n := range slices.Backward(checkpoints) {
		if s := l.checkpoint(n); s == nil || s.N != n {
			t.Errorf("checkpoint %d does not count", n)
		}
		// The newest first: the next older one has to do.
		newest := l.path("log", checkpointName(n))
		body, err := os.ReadFile(newest)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(newest, body[:len(body)-2], 0o600); err != nil {
			t.Fatal(err)
		}
		compare(filepath.Base(newest) + " torn")
	}
}

// empty takes a missing map and an empty one for the same.
func empty(a, b map[string]string) bool { return len(a) == 0 && len(b) == 0 }

// TestRace: committers in one process, each with a lake of its own, lose no entry and make none twice.
func TestRace(t *testing.T) {
	l := newLake(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			own, err := Open(l.Dir())
			if err != nil {
				t.Error(err)
				return
			}
			for range 8 {
				_, err := own.Commit(context.Background(), func(*State) (*Entry, error) { return &Entry{Kind: KindNote}, nil })
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if s, err := l.State(); err != nil || s.N != 32 {
		t.Errorf("%d entries, %v", s.N, err)
	}
}
