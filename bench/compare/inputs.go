package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// clean removes the data of a run with another number of events; the Sigma events stay what they are.
func clean(dir string) error {
	for _, pattern := range []string{"*.ndjson*", "*.log*", "users.*"} {
		paths, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return err
		}
		for _, p := range paths {
			if filepath.Base(p) == "win.ndjson" {
				continue
			}
			if err := os.Remove(p); err != nil {
				return err
			}
		}
	}
	return nil
}

// fresh is a folder whose files replace those of the folder to when it is copied there (os.CopyFS writes over nothing).
type fresh struct {
	fs.FS
	to string
}

// Open removes the file that is about to be written anew.
func (f fresh) Open(name string) (fs.File, error) {
	if info, err := fs.Stat(f.FS, name); err == nil && info.Mode().IsRegular() {
		if err := os.Remove(filepath.Join(f.to, filepath.FromSlash(name))); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return f.FS.Open(name)
}
