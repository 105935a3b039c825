package retain

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// reserveSize is what a run needs to write (a log entry, the ledger, folders in the trash) before it can delete anything.
const reserveSize = 4 << 20

func (k *Keeper) reserve() string { return filepath.Join(k.lake.Dir(), "locks", "retain.reserve") }

// Reserve sets aside the space that a later run needs on a disk that is full to the last byte.
func (k *Keeper) Reserve() error {
	f, err := os.OpenFile(k.reserve(), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("reserve: %w", err)
	}
	err = unix.Fallocate(int(f.Fd()), 0, 0, reserveSize)
	if errors.Is(err, unix.EOPNOTSUPP) {
		_, err = f.WriteAt(make([]byte, reserveSize), 0)
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return errors.Join(fmt.Errorf("reserve %d bytes for the next run: %w", reserveSize, err), os.Remove(k.reserve()))
	}
	return nil
}

// Relieve frees what can be freed on a disk that is short of space before anything must be written: the reserve, then
// the trash, whatever its time. It returns the bytes that left the trash.
func (k *Keeper) Relieve(ctx context.Context) (int64, error) {
	if err := os.Remove(k.reserve()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, fmt.Errorf("reserve: %w", err)
	}
	return k.Empty(ctx, 0)
}
