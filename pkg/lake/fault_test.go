//go:build faults

package lake

import (
	"errors"
	"testing"
)

// TestFaults: a commit that fails at any point is told, has either happened whole or not at all, and leaves no file
// behind that no entry names.
func TestFaults(t *testing.T) {
	for _, c := range []struct {
		point     string
		committed bool
	}{{"after-fsync", false}, {"after-publish", false}, {"before-link", false}, {"after-link", true}} {
		l := newLake(t)
		w := newWriter(t, l)
		file := staged(t, w, "x.parquet", "PAR1")
		t.Setenv("LEAT_FAILPOINT", c.point)
		_, err := w.CommitFiles(t.Context(), []Staged{file}, "")
		t.Setenv("LEAT_FAILPOINT", "")
		if err == nil || errors.Is(err, ErrUncertain) != c.committed {
			t.Errorf("%s: %v", c.point, err)
		}
		s, err := l.State()
		if err != nil || (len(s.Files) == 1) != c.committed {
			t.Errorf("%s: %d files, %v", c.point, len(s.Files), err)
		}
		if _, err := w.CommitFiles(t.Context(), []Staged{staged(t, w, "y.parquet", "PAR1")}, ""); err != nil {
			t.Errorf("%s: the next commit: %v", c.point, err)
		}
	}
}

// TestWeakened: without its fence a superseded process commits, so that the harness can show what the fence is for.
func TestWeakened(t *testing.T) {
	l := newLake(t)
	w := newWriter(t, l)
	old, err := l.OpenPipeline(t.Context(), "p")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.OpenPipeline(t.Context(), "p"); err != nil {
		t.Fatal(err)
	}
	m := MarkCommit{Pipeline: "p", Run: old.Run, Epoch: old.Epoch, Prev: 0, Mark: 1}
	if _, err := w.CommitMark(t.Context(), m); !errors.Is(err, ErrSuperseded) {
		t.Errorf("with the fence: %v", err)
	}
	t.Setenv("LEAT_UNSAFE", "no-mark-check,no-fence")
	for range 2 { // the same mark twice: neither check holds it back
		if _, err := w.CommitMark(t.Context(), m); err != nil {
			t.Errorf("weakened: %v", err)
		}
	}
}
