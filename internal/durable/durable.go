// Package durable has the two steps that everyone gets wrong once: a file that is whole or not there at all, and a folder whose
// entries are on the disk.
//
// It is not for files that grow (journals have their own), and it repairs nothing.
package durable

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// SyncDir makes the entries of a folder durable: files that were made, renamed or linked there (fsync(2)).
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("sync folder: %w", err)
	}
	return errors.Join(d.Sync(), d.Close())
}

// WriteFile puts data under path with mode 0600, so that after a crash path holds what it held before or all of data. When it
// returns nil, data is on the disk. An error leaves nothing behind but perhaps path's former content; after a failed fsync the
// temporary file is thrown away, since nobody knows what of it is on the disk.
func WriteFile(path string, data []byte) error {
	return Create(path, func(f *os.File) error {
		_, err := f.Write(data)
		return err
	})
}

// Create is WriteFile for what is too long to be in memory: write gets the file, which is empty, and leaves it open.
func Create(path string, write func(f *os.File) error) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, filepath.Base(path)+".tmp-*")
	if err != nil {
		return fmt.Errorf("write file: %w", err)
	}
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write file: %w", err), os.Remove(f.Name()))
	}
	return SyncDir(dir)
}
