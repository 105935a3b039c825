package lake

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// reopen is the lake as another process sees it.
func reopen(t *testing.T, l *Lake) *Lake {
	t.Helper()
	again, err := Open(l.Dir())
	if err != nil {
		t.Fatal(err)
	}
	return again
}

// marked commits a mark with one file in pipeline p and returns the session's next commit to make.
func marked(t *testing.T, l *Lake, w *Writer, sess Session, mark int64, body string) {
	t.Helper()
	_, err := w.CommitMark(t.Context(), MarkCommit{
		Pipeline: "p", Run: sess.Run, Epoch: sess.Epoch, Prev: mark - 1, Mark: mark,
		Positions: map[string]string{"src": body}, Files: []Staged{staged(t, w, body+".parquet", body)},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// twoMarks makes a lake with two marks of a pipeline whose writer has ended.
func twoMarks(t *testing.T) *Lake {
	t.Helper()
	l := newLake(t)
	sess, err := l.OpenPipeline(t.Context(), "p")
	if err != nil {
		t.Fatal(err)
	}
	w, err := l.NewWriter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	marked(t, l, w, sess, 1, "one")
	marked(t, l, w, sess, 2, "two")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return l
}

func put(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestTornEntry: the newest entry, cut at every byte, and with zeros or other bytes where its end was, counts as never written.
// The pipeline goes on at the mark before, and what was there is kept for inspection.
func TestTornEntry(t *testing.T) {
	l := twoMarks(t)
	newest := l.path("log", entryName(3))
	whole := get(t, newest)
	garbage := bytes.Repeat([]byte("\x00}\n{\xff"), len(whole))
	for cut := range len(whole) {
		torn := [][]byte{
			whole[:cut],
			append(bytes.Clone(whole[:cut]), make([]byte, len(whole)-cut)...),
			append(bytes.Clone(whole[:cut]), garbage[:len(whole)-cut]...),
			append(bytes.Clone(whole[:cut]), make([]byte, 4096-cut)...),
		}
		for i, body := range torn {
			if bytes.Equal(body, whole) {
				continue
			}
			put(t, newest, body)
			again := reopen(t, l)
			s, err := again.State()
			if err != nil || s.N != 2 || s.Pipelines["p"].Mark != 1 || len(s.Files) != 1 {
				t.Fatalf("cut at %d (%d): %+v, %v", cut, i, s, err)
			}
			if cut%16 != 0 || i != cut/16%len(torn) {
				continue // mending has fsyncs
			}
			sess, err := again.OpenPipeline(t.Context(), "p")
			if err != nil || sess.Mark != 1 || sess.Positions["src"] != "one" {
				t.Fatalf("cut at %d (%d): %+v, %v", cut, i, sess, err)
			}
			kept, err := filepath.Glob(l.path("trash", "torn-entry-*"))
			if err != nil || len(kept) != 1 || !bytes.Equal(get(t, kept[0]), body) {
				t.Fatalf("kept: %v, %v", kept, err)
			}
			if _, err := again.VerifyLog(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, path := range []string{kept[0], newest, l.path("log", entryName(4))} {
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// TestDamagedEntry: a changed bit in a whole entry is told and not mended: what the entry said was acted upon.
func TestDamagedEntry(t *testing.T) {
	l := twoMarks(t)
	newest := l.path("log", entryName(3))
	whole := get(t, newest)
	for i := range bytes.IndexByte(whole, '\n') {
		broken := bytes.Clone(whole)
		broken[i] ^= 4
		put(t, newest, broken)
		if _, err := reopen(t, l).State(); !errors.Is(err, ErrChain) {
			t.Fatalf("bit in byte %d: %v", i, err)
		}
	}
	if _, err := reopen(t, l).OpenPipeline(t.Context(), "p"); !errors.Is(err, ErrChain) {
		t.Errorf("%v", err)
	}
	put(t, newest, whole)
	// One in the middle, torn.
	middle := l.path("log", entryName(2))
	put(t, middle, get(t, middle)[:20])
	if _, err := reopen(t, l).State(); !errors.Is(err, ErrChain) {
		t.Errorf("in the middle: %v", err)
	}
	if _, err := reopen(t, l).OpenPipeline(t.Context(), "p"); !errors.Is(err, ErrChain) {
		t.Errorf("in the middle: %v", err)
	}
}

// TestTornRemoval: a torn entry behind which a file is already gone was acted upon, so it is not taken as never written.
func TestTornRemoval(t *testing.T) {
	l := twoMarks(t)
	s, err := l.Commit(t.Context(), func(s *State) (*Entry, error) {
		return &Entry{Kind: KindRemove, Removed: []string{s.Sorted()[0].Path}}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	path := l.path("log", entryName(s.N))
	put(t, path, get(t, path)[:30])
	gone := l.path(filepath.FromSlash(s.Removals[s.N].Files[0].Path))
	body := get(t, gone)
	if err := os.Remove(gone); err != nil {
		t.Fatal(err)
	}
	note := func(*State) (*Entry, error) { return &Entry{Kind: KindNote}, nil }
	if _, err := reopen(t, l).Commit(t.Context(), note); !errors.Is(err, ErrChain) {
		t.Errorf("%v", err)
	}
	put(t, gone, body)
	if s, err := reopen(t, l).Commit(t.Context(), note); err != nil || len(s.Files) != 2 {
		t.Errorf("with the file in its place: %+v, %v", s, err)
	}
}

// TestVouched: a whole checkpoint shows that the entry was whole too.
func TestVouched(t *testing.T) {
	l := newLake(t)
	notes(t, l, 1)
	s, err := l.State()
	if err != nil {
		t.Fatal(err)
	}
	if err := l.writeCheckpoint(s); err != nil {
		t.Fatal(err)
	}
	put(t, l.path("log", entryName(1)), nil)
	if _, err := reopen(t, l).State(); !errors.Is(err, ErrChain) {
		t.Errorf("%v", err)
	}
	put(t, l.path("log", checkpointName(1)), nil)
	if s, err := reopen(t, l).State(); err != nil || s.N != 0 {
		t.Errorf("both torn: %+v, %v", s, err)
	}
}

// TestTornFile: a mark's commit whose file is cut or ends in zeros counts as never written, as soon as nobody writes who saw it;
// one without marks stays, because nothing would send it again.
func TestTornFile(t *testing.T) {
	for cut := range len("two") {
		for _, tail := range []string{"", "\x00\x00\x00", "xyz"} {
			l := twoMarks(t)
			s, err := l.State()
			if err != nil {
				t.Fatal(err)
			}
			var path string
			for _, f := range s.Files {
				if f.Mark == 2 {
					path = l.path(filepath.FromSlash(f.Path))
				}
			}
			torn := ("two"[:cut] + tail)[:min(3, cut+len(tail))]
			put(t, path, []byte(torn))
			if cut == 1 { // what only swept may stand behind it
				for _, e := range []*Entry{{Kind: KindPurge}, {Kind: KindFence, Writer: "w"}} {
					if _, err := l.Commit(t.Context(), func(*State) (*Entry, error) { return e, nil }); err != nil {
						t.Fatal(err)
					}
				}
			}
			live, err := l.NewWriter(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = live.Close() })
			// This writer has set the commit aside before it began.
			sess, err := l.OpenPipeline(t.Context(), "p")
			if err != nil || sess.Mark != 1 || sess.Positions["src"] != "one" {
				t.Fatalf("%q: %+v, %v", torn, sess, err)
			}
			marked(t, l, live, sess, 2, "two")
			s, err = l.State()
			if err != nil || len(s.Files) != 2 {
				t.Errorf("%q: %+v, %v", torn, s, err)
			}
			if _, err := l.VerifyLog(t.Context()); err != nil {
				t.Error(err)
			}
			// It lives: nothing is turned back behind its back.
			for _, f := range s.Files {
				if f.Mark == 2 {
					put(t, l.path(filepath.FromSlash(f.Path)), []byte("t"))
				}
			}
			if sess, err := reopen(t, l).OpenPipeline(t.Context(), "p"); err != nil || sess.Mark != 2 {
				t.Errorf("beside a live writer: %+v, %v", sess, err)
			}
		}
	}
	l := newLake(t)
	w := newWriter(t, l)
	s, err := w.CommitFiles(t.Context(), []Staged{staged(t, w, "x.parquet", "PAR1")}, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	put(t, l.path(filepath.FromSlash(s.Sorted()[0].Path)), []byte("P"))
	if sess, err := reopen(t, l).OpenPipeline(t.Context(), "p"); err != nil || sess.Mark != 0 {
		t.Errorf("%+v, %v", sess, err)
	}
	if s, err := reopen(t, l).State(); err != nil || len(s.Files) != 1 {
		t.Errorf("without marks: %+v, %v", s, err)
	}
}

// TestTornCheckpoint: one that is torn goes when somebody begins to write; the log says the same.
func TestTornCheckpoint(t *testing.T) {
	l := twoMarks(t)
	s, err := l.State()
	if err != nil {
		t.Fatal(err)
	}
	if err := l.writeCheckpoint(s); err != nil {
		t.Fatal(err)
	}
	path := l.path("log", checkpointName(s.N))
	put(t, path, get(t, path)[:50])
	if _, err := reopen(t, l).VerifyLog(t.Context()); !errors.Is(err, ErrChain) {
		t.Errorf("not told: %v", err)
	}
	again := reopen(t, l)
	if sess, err := again.OpenPipeline(t.Context(), "p"); err != nil || sess.Mark != 2 {
		t.Fatalf("%+v, %v", sess, err)
	}
	if _, err := again.VerifyLog(t.Context()); err != nil {
		t.Error(err)
	}
}
