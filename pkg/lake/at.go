package lake

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"
)

// StateAt returns what the log said after its entry n. Files that were removed later may be in trash/ or gone.
func (l *Lake) StateAt(n int64) (*State, error) {
	newest, err := l.State()
	if err != nil {
		return nil, err
	}
	if n < 0 || n > newest.N {
		return nil, fmt.Errorf("entry %d: the log has entries 1 to %d: %w", n, newest.N, fs.ErrNotExist)
	}
	_, checkpoints, err := l.list()
	if err != nil {
		return nil, err
	}
	b := newBuilder(l.empty())
	for _, c := range slices.Backward(checkpoints) {
		if c > n {
			continue
		}
		if s := l.checkpoint(c); s != nil {
			b = newBuilder(s)
			break
		}
	}
	for b.s.N < n {
		e, sum, err := l.entry(b.s.N + 1)
		if err != nil {
			return nil, err
		}
		if err := b.apply(e, sum); err != nil {
			return nil, errors.Join(ErrChain, fmt.Errorf("entry %d: %w", b.s.N+1, err))
		}
	}
	return b.state(), nil
}

// MayHold tells whether the file may have an event with since <= @timestamp < until; a zero time is no bound. Events without
// @timestamp are of no time.
func (f *File) MayHold(since, until time.Time) bool {
	return (since.IsZero() || f.MaxTime >= floor(since)) && (until.IsZero() || f.MinTime < until.UnixNano())
}

// floor is the microsecond that a time is in: times in files are not finer.
func floor(t time.Time) int64 { return t.Truncate(time.Microsecond).UnixNano() }
