package intel

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"leat/pkg/dimension"
)

// bodyName is the file that a downloaded feed is kept in.
const bodyName = "body"

// files are what the feed is read from now, in order.
func (f *feedState) files() ([]string, error) {
	switch {
	case f.feed.File != "":
		names, err := filepath.Glob(dimension.Below(f.base, f.feed.File))
		if err != nil {
			return nil, err
		}
		if len(names) == 0 {
			return nil, fmt.Errorf("open %q: %w", f.feed.File, fs.ErrNotExist)
		}
		slices.Sort(names)
		return names, nil
	case f.localMISP():
		return mispFiles(dimension.Below(f.base, f.feed.MISP))
	case f.feed.MISP != "":
		return mispFiles(f.dir)
	case f.feed.TAXII != "":
		return []string{filepath.Join(f.dir, storeName)}, nil
	}
	return []string{filepath.Join(f.dir, bodyName)}, nil
}

// stat makes the print of a feed whose files are not ours.
func (f *feedState) stat() error {
	names, err := f.files()
	if err != nil {
		return err
	}
	h := sha256.New()
	for _, n := range names {
		info, err := os.Stat(n)
		switch {
		case err != nil:
			return err
		case !info.Mode().IsRegular():
			return fmt.Errorf("%q is no regular file", n)
		case info.Size() > f.feed.MaxBytes:
			return fmt.Errorf("%q has %d bytes; max_bytes is %d", n, info.Size(), f.feed.MaxBytes)
		}
		fmt.Fprintf(h, "%s\x00%d\x00%d\x00", n, info.Size(), info.ModTime().UnixNano())
	}
	f.state.Print = hex.EncodeToString(h.Sum(nil)[:8])
	return nil
}

// read reads the feed's files.
func (f *feedState) read(ctx context.Context, t *intake) error {
	names, err := f.files()
	if err != nil {
		return err
	}
	for _, n := range names {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := f.readFile(ctx, n, t); err != nil {
			return fmt.Errorf("read %s %q: %w", f.feed.Format, filepath.Base(n), err)
		}
	}
	return nil
}

func (f *feedState) readFile(ctx context.Context, name string, t *intake) error {
	open := func() (io.ReadCloser, error) { return openPlain(ctx, name, f.feed.MaxBytes) }
	switch f.feed.Format {
	case formatSTIX:
		return readSTIX(open, t)
	case formatTAXII:
		return readObjects(func(g func(raw []byte) error) error {
			r, err := open()
			if err != nil {
				return err
			}
			defer r.Close()
			return eachLine(r, g)
		}, t)
	}
	r, err := open()
	if err != nil {
		return err
	}
	defer r.Close()
	return t.readStream(r)
}

// readStream reads a format that takes one pass.
func (t *intake) readStream(r io.Reader) error {
	switch t.feed.Format {
	case formatList:
		return readList(r, t)
	case formatCSV:
		return readCSV(r, t)
	case formatMISP:
		return readMISP(r, t)
	case formatURLhaus:
		return readURLhaus(r, t)
	case formatThreatFox:
		return readThreatFox(r, t)
	case formatFeodo:
		return readFeodo(r, t)
	case formatMalwareBazaar:
		return readMalwareBazaar(r, t)
	case formatSSLBL:
		return readSSLBL(r, t)
	}
	return fmt.Errorf("unknown format %q", t.feed.Format)
}

// plain is a file's text, decompressed, and bounded: a few bytes can stand for very many.
type plain struct {
	ctx   context.Context
	r     io.Reader
	left  int64
	close []io.Closer
}

func (p *plain) Read(b []byte) (int, error) {
	if err := p.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := p.r.Read(b)
	if p.left -= int64(n); p.left < 0 {
		return 0, fmt.Errorf("more than max_bytes of text")
	}
	return n, err
}

func (p *plain) Close() error {
	var first error
	for _, c := range slices.Backward(p.close) {
		if err := c.Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// openPlain opens a file that may be compressed by gzip, or the one file of a zip archive, as abuse.ch has them.
func openPlain(ctx context.Context, name string, limit int64) (io.ReadCloser, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	p := &plain{ctx: ctx, left: limit, close: []io.Closer{f}}
	in := bufio.NewReaderSize(f, 256<<10)
	head, _ := in.Peek(4)
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, closeWith(p, err)
		}
		p.r, p.close = z, append(p.close, z)
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		info, err := f.Stat()
		if err != nil {
			return nil, closeWith(p, err)
		}
		z, err := zip.NewReader(f, info.Size())
		if err != nil {
			return nil, closeWith(p, err)
		}
		files := slices.DeleteFunc(z.File, func(e *zip.File) bool { return strings.HasSuffix(e.Name, "/") })
		if len(files) != 1 {
			return nil, closeWith(p, fmt.Errorf("an archive of %d files; expected one", len(files)))
		}
		r, err := files[0].Open()
		if err != nil {
			return nil, closeWith(p, err)
		}
		p.r, p.close = r, append(p.close, r)
	default:
		p.r = in
	}
	return p, nil
}

func closeWith(c io.Closer, err error) error {
	_ = c.Close()
	return err
}
