package lake

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
)

// TestReaderPins: the oldest living reader bounds what may be touched; a dead one's pin is cleared away.
func TestReaderPins(t *testing.T) {
	l := newLake(t)
	oldest := func(want int64) {
		t.Helper()
		if n, err := l.OldestReader(); err != nil || n != want {
			t.Errorf("oldest reader is at %d, want %d (%v)", n, want, err)
		}
	}
	notes(t, l, 2)
	oldest(2)
	a, err := l.NewReader()
	if err != nil {
		t.Fatal(err)
	}
	notes(t, l, 3)
	b, err := l.NewReader()
	if err != nil || b.State().N != 5 || a.State().N != 2 {
		t.Fatal(a.State().N, b.State().N, err)
	}
	oldest(2)
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	oldest(5)
	notes(t, l, 1)
	oldest(5)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	oldest(6)
	dead := l.path("locks", "readers", newID()+".1")
	if err := os.WriteFile(dead, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	oldest(6)
	if _, err := os.Stat(dead); err == nil {
		t.Error("a dead reader's pin stays")
	}
}

// TestSupersededWriter: who was declared dead commits nothing and publishes nothing, though it lives.
func TestSupersededWriter(t *testing.T) {
	ctx := context.Background()
	l := newLake(t)
	w := newWriter(t, l)
	file := staged(t, w, "x.parquet", "PAR1")
	// Its lock is lost, as on a file system that forgets locks.
	if err := w.lock.Close(); err != nil {
		t.Fatal(err)
	}
	if err := l.SweepWriters(ctx); err != nil {
		t.Fatal(err)
	}
	s, err := l.State()
	if err != nil || s.Fenced[w.ID()] == 0 {
		t.Fatalf("%v, %v", s.Fenced, err)
	}
	if err := os.MkdirAll(w.Staging(), 0o700); err != nil {
		t.Fatal(err)
	}
	file = staged(t, w, file.Name, "PAR1")
	if _, err := w.CommitFiles(ctx, []Staged{file}, ""); !errors.Is(err, ErrSuperseded) {
		t.Errorf("%v", err)
	}
	if s, err = l.State(); err != nil || len(s.Files) != 0 {
		t.Errorf("%v, %v", s.Files, err)
	}
	if left, _ := os.ReadDir(l.path("data", "dataset=linux.auth", "date=2026-11-24")); len(left) > 0 {
		t.Errorf("published: %v", left)
	}
}

// TestRefusedMarks: a mark commits only behind the one that it follows, from the process that holds the pipeline.
func TestRefusedMarks(t *testing.T) {
	ctx := context.Background()
	l := newLake(t)
	sess, err := l.OpenPipeline(ctx, "p")
	if err != nil {
		t.Fatal(err)
	}
	w := newWriter(t, l)
	good := MarkCommit{Pipeline: "p", Run: sess.Run, Epoch: sess.Epoch, Prev: 0, Mark: 5}
	if _, err := w.CommitMark(ctx, good); err != nil {
		t.Fatal(err)
	}
	for name, m := range map[string]MarkCommit{
		"again":            good,
		"a forged run":     {Pipeline: "p", Run: "guess", Epoch: sess.Epoch, Prev: 5, Mark: 6},
		"an older epoch":   {Pipeline: "p", Run: sess.Run, Epoch: sess.Epoch - 1, Prev: 5, Mark: 6},
		"a gap":            {Pipeline: "p", Run: sess.Run, Epoch: sess.Epoch, Prev: 6, Mark: 7},
		"unknown pipeline": {Pipeline: "q", Run: sess.Run, Epoch: sess.Epoch, Prev: 0, Mark: 1},
	} {
		if _, err := w.CommitMark(ctx, m); !errors.Is(err, ErrSuperseded) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, m := range map[string]MarkCommit{
		"backwards":          {Pipeline: "p", Run: sess.Run, Epoch: sess.Epoch, Prev: 5, Mark: 5},
		"from a future mark": {Pipeline: "p", Run: sess.Run, Epoch: sess.Epoch, Prev: 5, Mark: 6, Since: 6},
	} {
		if _, err := w.CommitMark(ctx, m); err == nil {
			t.Errorf("%s is committed", name)
		}
	}
	if s, err := l.State(); err != nil || s.Pipelines["p"].Mark != 5 {
		t.Errorf("%+v, %v", s.Pipelines["p"], err)
	}
}

// TestStagedFaults: what a writer stages is checked before it is published.
func TestStagedFaults(t *testing.T) {
	l := newLake(t)
	w := newWriter(t, l)
	for name, change := range map[string]func(*Staged){
		"not a plain file name": func(s *Staged) { s.Name = "../x.parquet" },
		"no such file":          func(s *Staged) { s.Name = "y.parquet" },
		"bytes, not":            func(s *Staged) { s.Bytes = 5 },
		"is not of the form":    func(s *Staged) { s.Date = "../../etc" },
	} {
		s := staged(t, w, "x.parquet", "PAR1")
		change(&s)
		if _, err := w.CommitFiles(t.Context(), []Staged{s}, ""); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("want %q: %v", name, err)
		}
	}
	for dataset, want := range map[string]string{
		"linux.auth": "linux.auth", "": OtherDataset, "..": OtherDataset, "a/b": OtherDataset, "A": OtherDataset,
		strings.Repeat("a", 65): OtherDataset, "x\x00": OtherDataset,
	} {
		if got := PartitionName(dataset); got != want {
			t.Errorf("%q: %q", dataset, got)
		}
	}
}
