package lake

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Commit appends one entry. build gets the state that the entry will follow and returns the entry, or nil where there is
// nothing to do; after a lost race it is called again with the newer state. The state returned is the one behind the
// entry. An error other than ErrUncertain means that nothing was committed.
func (l *Lake) Commit(ctx context.Context, build func(s *State) (*Entry, error)) (*State, error) {
	l.commit.Lock()
	defer l.commit.Unlock()
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s, err := l.State()
		if err != nil {
			return nil, err
		}
		e, err := build(s)
		if err != nil {
			return nil, err
		}
		if e == nil {
			return s, nil
		}
		next, err := l.append(s, e)
		if errors.Is(err, fs.ErrExist) {
			if err := l.mend(s); err != nil {
				return nil, err
			}
			continue
		}
		return next, err
	}
}

// append links e behind s, or returns fs.ErrExist where another was faster.
func (l *Lake) append(s *State, given *Entry) (*State, error) {
	e := *given
	e.N, e.Prev, e.Time, e.PID = s.N+1, s.Hash, l.now().UTC().Round(0), os.Getpid()
	e.Host, _ = os.Hostname()
	data, err := sealed(&e)
	if err != nil {
		return nil, fmt.Errorf("commit entry %d: %w", e.N, err)
	}
	// What can't be applied must not get into the log.
	b := newBuilder(s)
	if err := b.apply(&e, hash(data)); err != nil {
		return nil, fmt.Errorf("commit entry %d: %w", e.N, err)
	}
	next := b.state()
	if err := linkNew(l.path("log", "tmp"), l.path("log", entryName(e.N)), data); err != nil {
		return nil, fmt.Errorf("commit entry %d: %w", e.N, err)
	}
	l.advance(next)
	err = fault("after-link")
	if err == nil {
		err = syncDir(l.path("log"))
	}
	if err != nil {
		return next, fmt.Errorf("entry %d: %w: %w", e.N, ErrUncertain, err)
	}
	if e.N%checkpointEvery == 0 {
		// Only a shortcut for readers: where it fails, they replay the log.
		_ = l.writeCheckpoint(next)
	}
	return next, nil
}

// advance keeps a state that this process made, unless a newer one was read meanwhile.
func (l *Lake) advance(s *State) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state == nil || l.state.N < s.N {
		l.state = s
	}
}
