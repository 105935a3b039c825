package lake

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"

	"github.com/oklog/ulid/v2"
)

// Writer is one process that adds files. As long as it is open it holds the lock locks/<id>, and its staging folder is
// nobody else's. Safe for concurrent use.
type Writer struct {
	lake *Lake
	id   string
	lock *os.File

	mu     sync.Mutex
	next   int     // number of the next file's name
	merges []int64 // own entries whose replaced files may still be there
}

// NewWriter makes a writer, after sweeping what dead ones left in staging/.
func (l *Lake) NewWriter(ctx context.Context) (*Writer, error) {
	// Before the fences of dead writers, which would stand behind it in the log.
	if err := l.checkNewest(ctx); err != nil {
		return nil, fmt.Errorf("new writer: %w", err)
	}
	if err := l.SweepWriters(ctx); err != nil {
		return nil, err
	}
	w := &Writer{lake: l, id: newID()}
	var err error
	if w.lock, err = lockNew(l.path("locks", w.id)); err != nil {
		return nil, fmt.Errorf("new writer: %w", err)
	}
	if err := os.Mkdir(w.Staging(), 0o700); err != nil {
		w.lock.Close()
		return nil, fmt.Errorf("new writer: %w", err)
	}
	return w, nil
}

// ID returns the writer's id, a ULID.
func (w *Writer) ID() string { return w.id }

// Staging returns the writer's own folder, as an absolute path.
func (w *Writer) Staging() string { return w.lake.path("staging", w.id) }

// Close removes the staging folder with what is left in it, and lets the lock go.
func (w *Writer) Close() error {
	err := os.RemoveAll(w.Staging())
	return errors.Join(err, os.Remove(w.lake.path("locks", w.id)), w.lock.Close())
}

// SweepWriters clears up behind writers that have died: who gets a dead writer's lock commits a fence, so that it stays
// dead even if its lock was lost while it lives, and only then removes its staging folder.
func (l *Lake) SweepWriters(ctx context.Context) error {
	if err := sweepUnlocked(l.path("log", "tmp")); err != nil {
		return fmt.Errorf("sweep log/tmp: %w", err)
	}
	ids, err := l.writers()
	if err != nil {
		return fmt.Errorf("sweep writers: %w", err)
	}
	for _, id := range ids {
		if err := l.sweepWriter(ctx, id); err != nil {
			return fmt.Errorf("sweep writer %s: %w", id, err)
		}
	}
	return nil
}

// writers lists the ids that have a lock or a staging folder.
func (l *Lake) writers() ([]string, error) {
	var ids []string
	for _, dir := range []string{"locks", "staging"} {
		names, err := os.ReadDir(l.path(dir))
		if err != nil {
			return nil, err
		}
		for _, e := range names {
			if _, err := ulid.ParseStrict(e.Name()); err == nil {
				ids = append(ids, e.Name())
			}
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

func (l *Lake) sweepWriter(ctx context.Context, id string) error {
	lock, err := tryLock(l.path("locks", id), true)
	if errors.Is(err, ErrBusy) {
		return nil
	}
	if err != nil {
		return err
	}
	defer lock.Close()
	if _, err := os.Stat(l.path("staging", id)); err == nil {
		if err := l.fence(ctx, id); err != nil {
			return err
		}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// Staging first: a writer with a lock and no staging folder was either swept or never able to commit.
	if err := os.RemoveAll(l.path("staging", id)); err != nil {
		return err
	}
	return os.Remove(l.path("locks", id))
}

func (l *Lake) fence(ctx context.Context, id string) error {
	_, err := l.Commit(ctx, func(s *State) (*Entry, error) {
		if _, done := s.Fenced[id]; done {
			return nil, nil
		}
		return &Entry{Kind: KindFence, Writer: id, Why: "its process is gone; its staging is swept"}, nil
	})
	return err
}
