package lake

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// Living returns the ids of the writers whose processes hold their locks now, in order.
func (l *Lake) Living() ([]string, error) {
	ids, err := l.writers()
	if err != nil {
		return nil, fmt.Errorf("living writers: %w", err)
	}
	return slices.DeleteFunc(ids, func(id string) bool { return !isLocked(l.path("locks", id)) }), nil
}

// Staging returns the folder of the writer of that id.
func (l *Lake) Staging(writer string) string { return l.path("staging", writer) }

// isLocked asks with a shared lock that is let go at once: of several that ask at the same time none takes another for the owner.
func isLocked(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	return errors.Is(flock(f, unix.LOCK_SH|unix.LOCK_NB), unix.EWOULDBLOCK)
}

// ended returns the writers other than self that s has a generation of and that have closed: a writer takes its lock away last. Those that
// were killed leave it, and are fenced.
func (l *Lake) ended(s *State, self string) []string {
	var ids []string
	for id := range s.Generations {
		if id == self {
			continue
		}
		if _, err := os.Lstat(l.path("locks", id)); errors.Is(err, fs.ErrNotExist) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}
