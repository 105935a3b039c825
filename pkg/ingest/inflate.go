package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"leat/pkg/stage"
)

// maxWindow bounds the memory that a zstd frame may ask for.
const maxWindow = 128 << 20

// compression tells by its first bytes how a file is compressed.
type compression int

const (
	plain compression = iota
	gzipped
	zstandard
)

func compressionOf(head []byte) compression {
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b, 8}):
		return gzipped
	case bytes.HasPrefix(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return zstandard
	}
	return plain
}

// inflated reads the contents of a compressed file once, from its beginning to its end.
type inflated struct {
	r     io.Reader
	close func()

	buf    []byte // the last bytes before the offset (tail of them), then what is not yet taken
	tail   int
	n      int
	offset int64
	head   []byte
	err    error // how it ended: io.EOF, or what is damaged
}

// inflate begins to read f from its beginning.
func inflate(f handle, c compression) (*inflated, error) {
	in := io.NewSectionReader(f, 0, 1<<62)
	z := &inflated{close: func() {}, buf: make([]byte, printSize+readSize)}
	switch c {
	case gzipped:
		r, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("gzip: %w", err)
		}
		z.r = r
	case zstandard:
		r, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, fmt.Errorf("zstd: %w", err)
		}
		z.r, z.close = r, r.Close
	default:
		return nil, errors.New("not compressed")
	}
	return z, nil
}

// fill reads until there is a whole line, the buffer is full or the file ends.
func (z *inflated) fill() {
	for z.err == nil && z.n < len(z.buf) {
		k, err := z.r.Read(z.buf[z.n:])
		if len(z.head) < printSize {
			z.head = append(z.head, z.buf[z.n:z.n+min(k, printSize-len(z.head))]...)
		}
		z.n += k
		z.err = err
		if bytes.IndexByte(z.buf[z.n-k:z.n], '\n') >= 0 {
			return
		}
	}
}

// data is what is not yet taken.
func (z *inflated) data() []byte { return z.buf[z.tail:z.n] }

// take moves the offset by n bytes of data.
func (z *inflated) take(n int) {
	z.offset += int64(n)
	end := z.tail + n
	keep := min(end, printSize)
	copy(z.buf, z.buf[end-keep:z.n])
	z.n -= end - keep
	z.tail = keep
}

// print is the fingerprint of the bytes before the offset.
func (z *inflated) print() print { return printOf(z.buf[:z.tail]) }

// grow makes room for a longer line.
func (z *inflated) grow() { z.buf = append(z.buf, make([]byte, len(z.buf))...) }

// skipTo moves to the offset of c and tells whether the contents up to there are those that c was taken from.
func (z *inflated) skipTo(c cursor) bool {
	for z.offset < c.offset {
		if len(z.data()) == 0 {
			z.fill()
		}
		n := int(min(int64(len(z.data())), c.offset-z.offset))
		if n == 0 {
			return false
		}
		z.take(n)
	}
	return len(z.head) >= c.head.n && printOf(z.head[:c.head.n]) == c.head && z.print() == c.tail
}

// inflatedHead returns the beginning of a compressed file's contents, and what damage ended it before printSize bytes.
func inflatedHead(f handle, c compression) (head []byte, damage error) {
	z, err := inflate(f, c)
	if err != nil {
		return nil, err
	}
	defer z.close()
	for len(z.head) < printSize && z.err == nil {
		z.fill()
		z.n = 0
	}
	if len(z.head) < printSize && !errors.Is(z.err, io.EOF) {
		damage = z.err
	}
	return z.head, damage
}

// readInflated reads one block of a compressed file and tells whether there is more. At the end the rest behind the last
// line feed is a record too, and damage (other than nil) is what ended the file before its time.
func (r *fileReader) readInflated(f *file) (more bool, damage, err error) {
	z := f.z
	if bytes.IndexByte(z.data(), '\n') < 0 || f.held > 0 {
		z.fill()
	}
	data := z.data()
	cut := bytes.LastIndexByte(data, '\n') + 1
	if isSystem(z.err) {
		return false, nil, &fileError{f.path, z.err}
	}
	ended := z.err != nil
	limit := r.em.limit()
	if cut == 0 && !ended {
		if len(data) <= r.cfg.MaxLine {
			z.grow()
			return true, nil, nil
		}
		return true, nil, r.spoolInflated(f)
	}
	taken, full := 0, false
	switch {
	case cut > 0:
		closes := ended && cut == len(data) || z.n == len(z.buf) && f.held >= cut
		taken, full, err = f.cutter.cut(&r.batch, z.offset, data[:cut], limit, closes)
		if err == nil && ended && taken < cut && !full {
			// The rest behind the last line feed belongs to the last record.
			_, _, err = f.cutter.cut(&r.batch, z.offset+int64(taken), append(data[taken:len(data):len(data)], '\n'), 1, true)
			taken = len(data)
		}
		r.hold(f, cut-taken, full || taken > cut)
	case len(data) > 0:
		_, _, err = f.cutter.cut(&r.batch, z.offset, append(data[:len(data):len(data)], '\n'), 1, true)
		taken = len(data)
	}
	if err != nil {
		return false, nil, err
	}
	z.take(taken)
	more = !ended || len(z.data()) > 0
	next := r.inflatedCursor(f)
	if ended && !more {
		if !errors.Is(z.err, io.EOF) {
			damage = z.err
		} else {
			next.state = stateDone
		}
	}
	f.pos = next
	return more, damage, r.em.emit(&r.batch, taken, &f.origin, next)
}

func (r *fileReader) inflatedCursor(f *file) cursor {
	next := f.pos
	next.offset, next.tail = f.z.offset, f.z.print()
	next.head = printOf(f.z.head[:min(int64(len(f.z.head)), next.offset)])
	return next
}

// spoolInflated keeps the line that fills the buffer, and goes on behind it.
func (r *fileReader) spoolInflated(f *file) error {
	z := f.z
	at := z.offset
	head := append([]byte(nil), z.data()[:min(len(z.data()), stage.SpoolHead)]...)
	if err := r.spool(&r.batch, f, at, head, &inflatedLine{z: z}); err != nil {
		return err
	}
	if d := z.data(); len(d) > 0 && d[0] == '\n' {
		z.take(1)
	}
	f.pos = r.inflatedCursor(f)
	return r.em.emit(&r.batch, int(z.offset-at), &f.origin, f.pos)
}

// inflatedLine reads up to the next line feed.
type inflatedLine struct{ z *inflated }

func (l *inflatedLine) Read(p []byte) (int, error) {
	if len(l.z.data()) == 0 {
		l.z.fill()
	}
	d := l.z.data()
	if i := bytes.IndexByte(d, '\n'); i >= 0 {
		d = d[:i]
	}
	if len(d) == 0 {
		return 0, io.EOF
	}
	n := copy(p, d)
	l.z.take(n)
	return n, nil
}
