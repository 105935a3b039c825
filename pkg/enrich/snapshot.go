package enrich

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Snapshot is one immutable generation of a dimension.
type Snapshot struct {
	// Name of the dimension.
	Name string
	// Version is the first 16 hexadecimal digits of the SHA-256 of the file's content.
	Version string
	// Modified is the file's time of change: the age of the answers counts from it.
	Modified time.Time
	// Rows of the table; for a MaxMind database the number of its networks' tree nodes.
	Rows int
	// Keys that were indexed, and Duplicates of them that were left out because an earlier row has the key.
	Keys, Duplicates int

	stat  fileStat
	tab   *table
	index index    // of tab
	geo   *geoFile // instead of tab and index
}

// index finds the row of a key, or -1.
type index interface {
	find(key []byte) int
}

// fileStat tells whether a file is still the one that was loaded. Two files may have one size and, written in one tick of
// the clock, one time; hence the inode.
type fileStat struct {
	size  int64
	mtime time.Time
	inode uint64
}

func statOf(path string) (fileStat, error) {
	fi, err := os.Stat(path)
	if err != nil {
		return fileStat{}, err
	}
	st := fileStat{size: fi.Size(), mtime: fi.ModTime()}
	if sys, ok := fi.Sys().(*syscall.Stat_t); ok {
		st.inode = sys.Ino
	}
	return st, nil
}

// loader makes a table of a file's content. A row that breaks the format is an error: half a file is no dimension.
type loader interface {
	load(data []byte, d *DimensionConfig) (*table, error)
}

// loaderOf is the list of the formats that are tables.
func loaderOf(format string) loader {
	switch format {
	case "csv":
		return csvLoader{}
	case "json":
		return jsonLoader{}
	}
	return listLoader{}
}

// LoadDimension reads a dimension's file as it is now. Its errors tell lines and columns, never values: those are
// private data.
func LoadDimension(d *DimensionConfig) (*Snapshot, error) {
	s, err := loadSnapshot(d)
	if err != nil {
		return nil, fmt.Errorf("load dimension %q from %s: %w", d.name, d.path, err)
	}
	return s, nil
}

var errChanging = errors.New("the file was changed while it was read")

func loadSnapshot(d *DimensionConfig) (*Snapshot, error) {
	before, err := statOf(d.path)
	if err != nil {
		return nil, err
	}
	data, err := readBounded(d.path, d.MaxBytes)
	if err != nil {
		return nil, err
	}
	if after, err := statOf(d.path); err != nil || after != before || int64(len(data)) != before.size {
		return nil, errChanging
	}
	if len(data) == 0 {
		return nil, errors.New("the file is empty")
	}
	sum := sha256.Sum256(data)
	s := &Snapshot{Name: d.name, Version: hex.EncodeToString(sum[:8]), Modified: before.mtime, stat: before}
	if d.Format == "mmdb" {
		return s, s.openGeo(data)
	}
	if s.tab, err = loaderOf(d.Format).load(data, d); err != nil {
		return nil, err
	}
	if s.Rows = s.tab.rows(); s.Rows == 0 {
		return nil, errors.New("the file has no rows")
	}
	return s, s.buildIndex(d)
}

// readBounded reads a regular file of at most limit bytes.
func readBounded(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	fi, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !fi.Mode().IsRegular():
		return nil, errors.New("not a regular file")
	case fi.Size() > limit:
		return nil, fmt.Errorf("%d bytes; max_bytes is %d", fi.Size(), limit)
	}
	data := make([]byte, fi.Size()+1)
	n, err := io.ReadFull(f, data)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return data[:n], nil
}

func (s *Snapshot) buildIndex(d *DimensionConfig) error {
	var err error
	switch d.Join {
	case "exact":
		s.index, err = s.indexExact(d)
	default:
		s.index, err = s.indexRanges(d)
	}
	if err == nil && s.Keys == 0 {
		err = errors.New("no row has a key")
	}
	return err
}

// Column tells whether the dimension has the named column; of a MaxMind database, whether any of its records has that path.
func (s *Snapshot) Column(name string) bool {
	if s.geo != nil {
		return s.geo.has(name)
	}
	return s.tab.column(name) >= 0
}

// columnList names the columns for a message: at most 60 of them.
func (s *Snapshot) columnList() string {
	var all []string
	if s.geo != nil {
		for p := range s.geo.paths {
			all = append(all, p)
		}
		slices.Sort(all)
	} else {
		all = s.tab.columns
	}
	if len(all) > 60 {
		return strings.Join(all[:60], ", ") + ", ..."
	}
	return strings.Join(all, ", ")
}
