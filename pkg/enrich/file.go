package enrich

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"leat/pkg/dimension"
	"leat/pkg/dimension/parquettable"
)

// fileSource reads a dimension from a file. It implements dimension.Source; a stamp's cursor says which file it was.
type fileSource struct{ cfg *DimensionConfig }

// cursorOf tells whether a file is still the one that was loaded. Two files may have one size and, written in one tick of
// the clock, one time; hence the inode.
func cursorOf(path string) (string, os.FileInfo, error) {
	fi, err := os.Stat(path)
	if err != nil {
		return "", nil, err
	}
	var inode uint64
	if sys, ok := fi.Sys().(*syscall.Stat_t); ok {
		inode = sys.Ino
	}
	return fmt.Sprintf("%d %d %d", fi.Size(), fi.ModTime().UnixNano(), inode), fi, nil
}

var (
	errChanging = errors.New("the file was changed while it was read")
	errEmpty    = errors.New("the file is empty")
)

// read returns the file's content and what it is stamped with.
func (f fileSource) read() ([]byte, dimension.Stamp, error) {
	before, fi, err := cursorOf(f.cfg.path)
	if err != nil {
		return nil, dimension.Stamp{}, err
	}
	data, err := readBounded(f.cfg.path, f.cfg.MaxBytes)
	if err != nil {
		return nil, dimension.Stamp{}, err
	}
	if after, _, err := cursorOf(f.cfg.path); err != nil || after != before || int64(len(data)) != fi.Size() {
		return nil, dimension.Stamp{}, errChanging
	}
	if len(data) == 0 {
		return nil, dimension.Stamp{}, errEmpty
	}
	sum := sha256.Sum256(data)
	return data, dimension.Stamp{Version: hex.EncodeToString(sum[:8]), AsOf: fi.ModTime(), Cursor: before}, nil
}

// Fetch reads the file as it is now.
func (f fileSource) Fetch(_ context.Context, had dimension.Stamp) (*dimension.Fetched, error) {
	if now, _, err := cursorOf(f.cfg.path); err == nil && now == had.Cursor {
		return nil, dimension.ErrUnchanged
	}
	data, stamp, err := f.read()
	if err != nil {
		return nil, err
	}
	t, err := f.table(data)
	if err == nil && t.Rows() == 0 {
		err = errors.New("the file has no rows")
	}
	return &dimension.Fetched{Stamp: stamp, Table: t}, err
}

// Close does nothing: no file stays open.
func (fileSource) Close() error { return nil }

// table reads the rows. A row that breaks the format is an error: half a file is no dimension.
func (f fileSource) table(data []byte) (*dimension.Table, error) {
	if f.cfg.Format == "parquet" {
		return parquettable.Load(bytes.NewReader(data), int64(len(data)), f.cfg.limits())
	}
	if err := checkText(data); err != nil {
		return nil, err
	}
	switch f.cfg.Format {
	case "csv":
		return loadCSV(data, f.cfg)
	case "json":
		return loadJSON(data, f.cfg)
	}
	return loadList(data, f.cfg)
}

// readBounded reads a regular file of at most limit bytes.
func readBounded(path string, limit int64) ([]byte, error) {
	// Not blocking: opening a named pipe would wait for somebody who writes to it.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
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
		return nil, fmt.Errorf("the file has %d bytes; max_bytes is %d", fi.Size(), limit)
	}
	data := make([]byte, fi.Size()+1)
	n, err := io.ReadFull(f, data)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return data[:n], nil
}
