package ingest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// candidate is a path that may hold a known file, or a new one.
type candidate struct {
	path string
	info os.FileInfo
	id   inode
	f    handle
	comp compression
	head []byte // beginning of the contents, up to printSize bytes
	bad  error  // why not one byte of a compressed file can be read
}

// handle is an open file.
type handle interface {
	io.ReaderAt
	io.Closer
	Stat() (os.FileInfo, error)
}

// fileError says that a file is there and can't be read, such as for want of permission, or with a stale handle. It is no
// damage of the file: what was not read may be read later.
type fileError struct {
	path string
	err  error
}

func (e *fileError) Error() string {
	var named *fs.PathError
	if errors.As(e.err, &named) {
		return fmt.Sprintf("source: %v", e.err)
	}
	return fmt.Sprintf("source %s: %v", e.path, e.err)
}

func (e *fileError) Unwrap() error { return e.err }

// isSystem tells whether err is the system's, and not a fault in what was read.
func isSystem(err error) bool {
	var errno syscall.Errno
	return errors.As(err, &errno)
}

// look opens a path. A nil candidate: it is gone, or no regular file. *fileError: it is there, and can't be read.
func (cfg *Config) look(path string) (*candidate, error) {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return nil, nil
	}
	if err != nil {
		return nil, &fileError{path, err}
	}
	f, err := cfg.open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, &fileError{path, err}
	}
	// What was opened counts: the path may lead elsewhere by now.
	if info, err = f.Stat(); err != nil {
		f.Close()
		return nil, &fileError{path, err}
	}
	c := &candidate{path: path, info: info, id: inodeOf(info), f: f, head: make([]byte, printSize)}
	n, err := f.ReadAt(c.head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		f.Close()
		return nil, &fileError{path, err}
	}
	c.head = c.head[:n]
	if c.comp = compressionOf(c.head); c.comp != plain {
		if c.head, err = inflatedHead(f, c.comp); isSystem(err) {
			f.Close()
			return nil, &fileError{path, err}
		}
		if len(c.head) == 0 {
			c.bad = err
		}
	}
	return c, nil
}

// begins tells whether c begins with what k was read from.
func (c *candidate) begins(k *file) bool {
	n := k.pos.head.n
	return n > 0 && n <= len(c.head) && printOf(c.head[:n]) == k.pos.head
}

// holds tells whether c holds everything up to k's position. A compressed one is then left standing there.
func (c *candidate) holds(k *file) (z *inflated, ok bool) {
	if !c.begins(k) {
		return nil, false
	}
	if c.comp == plain {
		t := k.pos.tail
		b := make([]byte, t.n)
		_, err := c.f.ReadAt(b, k.offset()-int64(t.n))
		return nil, err == nil && printOf(b) == t
	}
	z, err := inflate(c.f, c.comp)
	if err != nil {
		return nil, false
	}
	if !z.skipTo(k.pos) {
		z.close()
		return nil, false
	}
	return z, true
}

// siblings are the paths that a file of the family may have after its rotation.
func siblings(fam string) []string {
	names, err := os.ReadDir(filepath.Dir(fam))
	if err != nil {
		return nil
	}
	var paths []string
	for _, n := range names {
		if p := filepath.Join(filepath.Dir(fam), n.Name()); family(p) == fam {
			paths = append(paths, p)
		}
	}
	byAge(paths)
	return paths
}
