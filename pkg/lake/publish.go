package lake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"

	"crypto/sha256"
	"encoding/hex"
)

// Staged is a file in a writer's staging folder, with what is known of it.
type Staged struct {
	Name string // in Staging()
	// File has no Path: publishing sets it. Bytes and SHA256 are found out where they are empty, and checked else (the
	// size only).
	File
}

// MarkCommit is a mark of a marked pipeline with the files that lie between it and the one before.
type MarkCommit struct {
	Pipeline, Run string
	Epoch         int64
	Prev          int64 // the mark that this one follows in the stream
	Mark          int64
	Since         int64             // the committed mark whose positions hold for sources not named in Positions
	Positions     map[string]string // changed ones; an empty position forgets the source
	End           bool
	Files         []Staged // may be empty
	Generation    int64    // of the writer's spills: as Entry.Generation
	// Replaced are paths of committed files whose rows are in Files too: the same entry takes them out. ErrReplaced: that
	// may not be done any more.
	Replaced []string
}

// CommitMark publishes the files and commits them together with the mark, as compare-and-swap on (pipeline, epoch, run,
// previous mark). ErrSuperseded: another process has taken over, nothing was committed, and the caller must end.
func (w *Writer) CommitMark(ctx context.Context, m MarkCommit) (*State, error) {
	s, err := w.lake.State()
	if err != nil {
		return nil, err
	}
	// Asked before too, so that a superseded process does not even publish.
	if err := w.admits(s, &m); err != nil {
		return nil, fmt.Errorf("commit mark %d: %w", m.Mark, err)
	}
	return w.commit(ctx, m, func(s *State, added []File) (*Entry, error) {
		if err := w.admits(s, &m); err != nil {
			return nil, fmt.Errorf("commit mark %d: %w", m.Mark, err)
		}
		return &Entry{
			Kind: KindCommit, Writer: w.id, Pipeline: m.Pipeline, Epoch: m.Epoch, Run: m.Run,
			Mark: m.Mark, End: m.End, Positions: m.Positions, Added: added,
			Generation: m.Generation, Ended: w.lake.ended(s, w.id),
			Removed: m.Replaced, Purge: len(m.Replaced) > 0,
		}, nil
	})
}

// CommitFiles publishes and commits files of a stream without marks. Why is a word for the log.
func (w *Writer) CommitFiles(ctx context.Context, files []Staged, why string) (*State, error) {
	return w.CommitThrough(ctx, MarkCommit{Files: files}, why)
}

// CommitThrough is CommitFiles for a writer whose spills are read before they are committed, and which replaces its small files: of m,
// Files, Generation and Replaced count.
func (w *Writer) CommitThrough(ctx context.Context, m MarkCommit, why string) (*State, error) {
	return w.commit(ctx, m, func(s *State, added []File) (*Entry, error) {
		if err := w.alive(s); err != nil {
			return nil, err
		}
		return &Entry{
			Kind: KindCommit, Writer: w.id, Why: why, Added: added, Generation: m.Generation, Ended: w.lake.ended(s, w.id),
			Removed: m.Replaced, Purge: len(m.Replaced) > 0,
		}, nil
	})
}

func (w *Writer) admits(s *State, m *MarkCommit) error {
	if err := w.alive(s); err != nil {
		return err
	}
	return m.admits(s)
}

func (w *Writer) alive(s *State) error {
	if n, fenced := s.Fenced[w.id]; fenced && !weakened("no-fence") {
		return fmt.Errorf("writer %s was declared dead by log entry %d: %w", w.id, n, ErrSuperseded)
	}
	return nil
}

func (w *Writer) commit(ctx context.Context, m MarkCommit, build func(*State, []File) (*Entry, error)) (*State, error) {
	added, err := w.publish(m)
	if err == nil {
		err = fault("after-publish")
	}
	var s *State
	if err == nil {
		s, err = w.lake.Commit(ctx, func(s *State) (*Entry, error) {
			if err := replaces(s, m.Replaced); err != nil {
				return nil, err
			}
			return build(s, lose(added))
		})
	}
	if err != nil && !errors.Is(err, ErrUncertain) {
		// Not in the log, so no reader knows them; what can't be removed here is swept later.
		w.withdraw(added)
		return nil, err
	}
	if len(m.Replaced) > 0 && s != nil {
		w.replaced(s.N)
	}
	for _, f := range m.Files {
		_ = os.Remove(filepath.Join(w.Staging(), f.Name))
	}
	return s, err
}

// publish makes the staged files durable under their final names. On an error it returns those that it has linked.
func (w *Writer) publish(m MarkCommit) ([]File, error) {
	var added []File
	dirs := map[string]bool{}
	for i := range m.Files {
		f, err := w.check(&m.Files[i])
		if err != nil {
			return added, fmt.Errorf("publish %q: %w", m.Files[i].Name, err)
		}
		dir, err := partition(f)
		if err != nil {
			return added, fmt.Errorf("publish %q: %w", m.Files[i].Name, err)
		}
		f.Dataset, f.Pipeline, f.Mark = PartitionName(f.Dataset), m.Pipeline, m.Mark
		f.Path = path.Join(dir, fmt.Sprintf("%s-%d-%d-%d.parquet", w.id, m.Epoch, m.Mark, w.number()))
		if err := w.lake.place(filepath.Join(w.Staging(), m.Files[i].Name), f.Path); err != nil {
			return added, fmt.Errorf("publish: %w", err)
		}
		added = append(added, f)
		dirs[dir], dirs[path.Dir(dir)], dirs["data"] = true, true, true
	}
	if err := fault("after-fsync"); err != nil {
		return added, err
	}
	for dir := range dirs {
		if err := syncDir(w.lake.path(filepath.FromSlash(dir))); err != nil {
			return added, fmt.Errorf("publish: %w", err)
		}
	}
	return added, nil
}

func (w *Writer) number() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.next++
	return w.next
}

// check makes a staged file durable and completes what is known of it.
func (w *Writer) check(s *Staged) (File, error) {
	f := s.File
	if s.Name == "" || s.Name != filepath.Base(s.Name) {
		return f, errors.New("not a plain file name")
	}
	file, err := os.Open(filepath.Join(w.Staging(), s.Name))
	if err != nil {
		return f, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return f, err
	}
	if f.Bytes == 0 {
		f.Bytes = info.Size()
	}
	if info.Size() == 0 || info.Size() != f.Bytes {
		return f, fmt.Errorf("it has %d bytes, not %d", info.Size(), f.Bytes)
	}
	if f.SHA256 == "" {
		sum := sha256.New()
		if _, err := io.Copy(sum, file); err != nil {
			return f, err
		}
		f.SHA256 = hex.EncodeToString(sum.Sum(nil))
	}
	// After a failed fsync the kernel may have thrown the pages away: the caller must write the file anew.
	return f, synced(file.Sync())
}

// place links a file to its path in data/. retain may remove an empty folder in between: then it is made again.
func (l *Lake) place(from, rel string) error {
	to, err := l.Abs(rel)
	if err != nil {
		return err
	}
	for range 100 {
		if err = os.MkdirAll(filepath.Dir(to), 0o700); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err = os.Link(from, to); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return err
}

func (w *Writer) withdraw(added []File) {
	for _, f := range slices.Backward(added) {
		if p, err := w.lake.Abs(f.Path); err == nil {
			_ = os.Remove(p)
		}
	}
}
