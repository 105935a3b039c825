package lake

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Reader pins what it reads: the files that its state names stay where they are until Close.
type Reader struct {
	state *State
	path  string
	lock  *os.File
}

// NewReader pins the newest state.
func (l *Lake) NewReader() (*Reader, error) {
	before, err := l.State()
	if err != nil {
		return nil, err
	}
	// The pin comes first and bears the older number. A removal that the second State does not know comes after the
	// pin, and whoever made it will see the pin before it touches a file.
	r := &Reader{path: l.path("locks", "readers", fmt.Sprintf("%s.%d", newID(), before.N))}
	if r.lock, err = lockNew(r.path); err != nil {
		return nil, fmt.Errorf("pin: %w", err)
	}
	if r.state, err = l.State(); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// State returns what the reader has pinned.
func (r *Reader) State() *State { return r.state }

// Close lets the files go.
func (r *Reader) Close() error { return errors.Join(os.Remove(r.path), r.lock.Close()) }

// OldestReader returns the lowest log number that a living reader has pinned, or the newest where none has. A file that
// entry n removed may be touched once this is n or more.
func (l *Lake) OldestReader() (int64, error) {
	s, err := l.State()
	if err != nil {
		return 0, err
	}
	names, err := os.ReadDir(l.path("locks", "readers"))
	if err != nil {
		return 0, fmt.Errorf("readers: %w", err)
	}
	oldest := s.N
	for _, e := range names {
		_, digits, _ := strings.Cut(e.Name(), ".")
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil {
			continue
		}
		path := filepath.Join(l.path("locks", "readers"), e.Name())
		lock, err := tryLock(path, false)
		switch {
		case errors.Is(err, ErrBusy):
			oldest = min(oldest, n)
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return 0, fmt.Errorf("readers: %w", err)
		default:
			_ = os.Remove(path)
			lock.Close()
		}
	}
	return oldest, nil
}
