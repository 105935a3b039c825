package lake

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// ErrReplaced says that a commit wanted to take out files whose rows it brings in another form, and that may not be done any more:
// one of them is not in the lake (what it held may have been erased or removed), or a legal hold is in force. Nothing was committed.
var ErrReplaced = errors.New("files to be replaced have changed or are held")

// replaces tells whether a commit behind s may take the files out.
func replaces(s *State, paths []string) error {
	if len(paths) > 0 && len(s.Holds) > 0 {
		return fmt.Errorf("%w: case %q", ErrReplaced, anyCase(s))
	}
	for _, p := range paths {
		if _, ok := s.Files[p]; !ok {
			return fmt.Errorf("%w: %s", ErrReplaced, p)
		}
	}
	return nil
}

func anyCase(s *State) string {
	for c := range s.Holds {
		return c
	}
	return ""
}

// replaced notes that entry n, of this writer, took files out whose rows it holds.
func (w *Writer) replaced(n int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.merges = append(w.merges, n)
}

// Purge deletes the files that this writer's own commits have replaced and that no reader needs any more, and says so in the log. What it
// leaves, because a reader has it or the process ends, is for retain. It returns how many entries' files are still there.
func (w *Writer) Purge(ctx context.Context) (left int, err error) {
	oldest, err := w.lake.OldestReader()
	if err != nil {
		return 0, err
	}
	s, err := w.lake.State()
	if err != nil {
		return 0, err
	}
	w.mu.Lock()
	merges := slices.Clone(w.merges)
	w.mu.Unlock()
	var purged, keep []int64
	dirs := map[string]bool{}
	for _, n := range merges {
		r, ok := s.Removals[n]
		switch {
		case !ok: // retain was faster
		case n > oldest || n == s.N:
			// Not that of the newest entry: a disk that lied may still take it back (see torn.go).
			keep = append(keep, n)
		default:
			if err := w.lake.delete(r.Files, dirs); err != nil {
				return len(merges), fmt.Errorf("purge: %w", err)
			}
			purged = append(purged, n)
		}
	}
	for dir := range dirs {
		if err := syncDir(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return len(merges), fmt.Errorf("purge: %w", err)
		}
	}
	if len(purged) > 0 {
		_, err = w.lake.Commit(ctx, func(*State) (*Entry, error) {
			return &Entry{Kind: KindPurge, Writer: w.id, Why: "their rows are in files that replaced them", Purged: purged}, nil
		})
		if err != nil && !errors.Is(err, ErrUncertain) {
			return len(merges), err
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.merges = append(keep, w.merges[len(merges):]...)
	return len(w.merges), err
}

// delete removes files from where they were, or from the trash if retain has moved them, and notes their folders.
func (l *Lake) delete(files []File, dirs map[string]bool) error {
	for _, f := range files {
		abs, err := l.Abs(f.Path)
		if err != nil {
			return err
		}
		for _, p := range []string{abs, l.path("trash", filepath.FromSlash(f.Path))} {
			err := os.Remove(p)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			if err == nil {
				dirs[filepath.Dir(p)] = true
			}
		}
	}
	return nil
}
