package lake

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// merge commits one file in the place of all that the lake has.
func merge(t *testing.T, l *Lake, w *Writer, name string) (*State, error) {
	t.Helper()
	s, err := l.State()
	if err != nil {
		t.Fatal(err)
	}
	m := MarkCommit{Files: []Staged{staged(t, w, name, "PAR1 "+name)}}
	for path := range s.Files {
		m.Replaced = append(m.Replaced, path)
	}
	return w.CommitThrough(t.Context(), m, "merged")
}

// onDisk counts the files in data/ and trash/.
func onDisk(t *testing.T, l *Lake) (n int) {
	t.Helper()
	for _, top := range []string{"data", "trash"} {
		err := filepath.WalkDir(l.path(top), func(_ string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				n++
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return n
}

func TestReplaceAndPurge(t *testing.T) {
	l := newLake(t)
	w := newWriter(t, l)
	purge := func(left, files int) {
		t.Helper()
		if n, err := w.Purge(t.Context()); err != nil || n != left || onDisk(t, l) != files {
			t.Errorf("purge leaves %d entries and %d files (%v), want %d and %d", n, onDisk(t, l), err, left, files)
		}
	}
	for _, name := range []string{"a", "b"} {
		if _, err := w.CommitFiles(t.Context(), []Staged{staged(t, w, name, "PAR1 "+name)}, "small"); err != nil {
			t.Fatal(err)
		}
	}
	r, err := l.NewReader()
	if err != nil {
		t.Fatal(err)
	}
	s, err := merge(t, l, w, "ab")
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Files) != 1 || len(s.Removals[s.N].Files) != 2 || !s.Removals[s.N].Purge {
		t.Errorf("%d files, removals %+v", len(s.Files), s.Removals)
	}
	purge(1, 3)
	notes(t, l, 1)
	purge(1, 3) // a reader has them
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	// retain may have moved one of them already.
	moved := s.Removals[s.N].Files[0].Path
	if err := errors.Join(os.MkdirAll(filepath.Dir(l.path("trash", moved)), 0o700), os.Rename(l.path(moved), l.path("trash", moved))); err != nil {
		t.Fatal(err)
	}
	purge(0, 1)
	if s, err = l.State(); err != nil || len(s.Removals) != 0 || len(s.Files) != 1 {
		t.Errorf("removals %v, files %v, %v", s.Removals, s.Files, err)
	}
	n := s.N
	purge(0, 1)
	if s, _ = l.State(); s.N != n {
		t.Error("a purge of nothing is in the log")
	}
	// The newest entry's files stay: it may yet prove torn.
	if _, err := merge(t, l, w, "again"); err != nil {
		t.Fatal(err)
	}
	purge(1, 2)
	if got, err := l.VerifyLog(t.Context()); err != nil || got.N != n+1 {
		t.Errorf("the log: %v", err)
	}
}

func TestReplaceRefuses(t *testing.T) {
	l := newLake(t)
	w := newWriter(t, l)
	if _, err := w.CommitFiles(t.Context(), []Staged{staged(t, w, "a", "PAR1 a")}, "small"); err != nil {
		t.Fatal(err)
	}
	gone := MarkCommit{Files: []Staged{staged(t, w, "b", "PAR1 b")}, Replaced: []string{"data/dataset=x/date=2026-11-24/gone.parquet"}}
	if _, err := w.CommitThrough(t.Context(), gone, "merged"); !errors.Is(err, ErrReplaced) {
		t.Errorf("a file that is not there: %v", err)
	}
	if _, err := l.Commit(t.Context(), func(*State) (*Entry, error) { return &Entry{Kind: KindHold, Hold: &Hold{Case: "c"}}, nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := merge(t, l, w, "c"); !errors.Is(err, ErrReplaced) {
		t.Errorf("under a hold: %v", err)
	}
	s, err := l.State()
	if err != nil || len(s.Files) != 1 || onDisk(t, l) != 1 {
		t.Errorf("%d files in the lake, %d on the disk, %v", len(s.Files), onDisk(t, l), err)
	}
}
