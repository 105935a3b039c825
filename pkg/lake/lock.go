package lake

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// lockNew makes the file and locks it for as long as it is open. A sweeper may take a new file's lock, and the file away,
// before its maker has it: then another is made.
func lockNew(path string) (*os.File, error) {
	for {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, err
		}
		if err := flock(f, unix.LOCK_EX); err != nil {
			f.Close()
			return nil, err
		}
		if isAt(f, path) {
			return f, nil
		}
		f.Close()
	}
}

// tryLock takes the lock of a file that is there, or returns ErrBusy. It makes the file where make is set.
func tryLock(path string, make bool) (*os.File, error) {
	flags := os.O_RDWR
	if make {
		flags |= os.O_CREATE
	}
	for {
		f, err := os.OpenFile(path, flags, 0o600)
		if err != nil {
			return nil, err
		}
		if err := flock(f, unix.LOCK_EX|unix.LOCK_NB); err != nil {
			f.Close()
			if errors.Is(err, unix.EWOULDBLOCK) {
				err = ErrBusy
			}
			return nil, err
		}
		if isAt(f, path) {
			return f, nil
		}
		f.Close()
	}
}

func flock(f *os.File, how int) error {
	for {
		err := unix.Flock(int(f.Fd()), how)
		if !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// isAt tells whether path still names the open file.
func isAt(f *os.File, path string) bool {
	open, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(path)
	return err == nil && os.SameFile(open, named)
}

// Lock is a role that one process at a time has on this lake. It ends with Close or with the process.
type Lock struct{ f *os.File }

// TryLock takes the role of that name (such as "retain"), or returns ErrBusy at once.
func (l *Lake) TryLock(name string) (*Lock, error) {
	f, err := tryLock(l.path("locks", "roles", name), true)
	if err != nil {
		return nil, fmt.Errorf("lock %q: %w", name, err)
	}
	return &Lock{f}, nil
}

// Close lets the role go. The file stays: taking it away would let two hold the lock.
func (k *Lock) Close() error { return k.f.Close() }

// sweepUnlocked removes the files in dir whose makers are gone.
func sweepUnlocked(dir string) error {
	names, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range names {
		path := filepath.Join(dir, e.Name())
		f, err := tryLock(path, false)
		if errors.Is(err, ErrBusy) || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		err = os.Remove(path)
		f.Close()
		if err != nil {
			return err
		}
	}
	return nil
}
