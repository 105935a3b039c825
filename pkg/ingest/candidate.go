package ingest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// candidate is a path that may hold a known file, or a new one.
type candidate struct {
	path string
	info os.FileInfo
	id   inode
	f    *os.File
	comp compression
	head []byte // beginning of the contents, up to printSize bytes
	bad  error  // why not one byte of a compressed file can be read
}

// look opens a path. A nil candidate: it is gone, or no regular file.
func look(path string) (*candidate, error) {
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	// What was opened counts: the path may lead elsewhere by now.
	if info, err = f.Stat(); err != nil {
		f.Close()
		return nil, fmt.Errorf("source: %w", err)
	}
	c := &candidate{path: path, info: info, id: inodeOf(info), f: f, head: make([]byte, printSize)}
	n, err := f.ReadAt(c.head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		f.Close()
		return nil, fmt.Errorf("source %s: %w", path, err)
	}
	c.head = c.head[:n]
	if c.comp = compressionOf(c.head); c.comp != plain {
		if c.head, err = inflatedHead(f, c.comp); len(c.head) == 0 {
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
