package lake

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
)

// VerifyLog reads the whole log from its first entry on, without the shortcut of a checkpoint, and checks the chain, that
// no entry is missing, and that every checkpoint says what the log says. What it finds is ErrChain. It returns the state
// behind the newest entry.
func (l *Lake) VerifyLog(ctx context.Context) (*State, error) {
	entries, checkpoints, err := l.list()
	if err != nil {
		return nil, err
	}
	if err := l.complete(entries); err != nil {
		return nil, err
	}
	b := newBuilder(l.empty())
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		e, sum, err := l.entry(b.s.N + 1)
		if errors.Is(err, fs.ErrNotExist) {
			return b.state(), nil
		}
		if err != nil {
			return nil, err
		}
		if err := b.apply(e, sum); err != nil {
			return nil, fmt.Errorf("%w: entry %d: %w", ErrChain, b.s.N+1, err)
		}
		if len(checkpoints) > 0 && checkpoints[0] == e.N {
			if err := l.verifyCheckpoint(b.state()); err != nil {
				return nil, err
			}
			checkpoints = checkpoints[1:]
		}
	}
}

// verifyCheckpoint compares a checkpoint with what the log says at that entry.
func (l *Lake) verifyCheckpoint(s *State) error {
	c := l.checkpoint(s.N)
	if c != nil && reflect.DeepEqual(plain(c), plain(s)) {
		return nil
	}
	// A commit may have taken an old one away since it was listed.
	if _, err := os.Stat(l.path("log", checkpointName(s.N))); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if c == nil {
		return fmt.Errorf("%w: checkpoint %d is not whole; readers pass it over, and it may be deleted", ErrChain, s.N)
	}
	return fmt.Errorf("%w: checkpoint %d does not say what the log says; delete it", ErrChain, s.N)
}

// plain is s with nil for maps that are empty: they say the same.
func plain(s *State) State {
	p := *s
	if len(p.Removals) == 0 {
		p.Removals = nil
	}
	if len(p.Holds) == 0 {
		p.Holds = nil
	}
	if len(p.Fenced) == 0 {
		p.Fenced = nil
	}
	if len(p.Generations) == 0 {
		p.Generations = nil
	}
	return p
}
