package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"syscall"
	"time"

	"leat/pkg/event"
	"leat/pkg/stage"
)

// inode names a file on this machine, whatever its path.
type inode struct{ dev, ino uint64 }

func inodeOf(fi fs.FileInfo) inode {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		return inode{uint64(st.Dev), st.Ino}
	}
	return inode{}
}

// file is a file that is or was read. Its origin says how far.
type file struct {
	origin            // its cursor is the emitter's
	pos        cursor // how far it was read; belongs to its reader
	source     string // origin's name without the generation
	generation int64
	family     string

	path    string // where it was seen last
	f       handle
	z       *inflated // what decompresses f; nil for a plain file
	id      inode
	not     inode // held it until it was truncated
	cutter  cutter
	scanned int64     // bytes behind the offset that are known to hold no line feed
	stamp   stamp     // of the file when it was last read to its end
	quiet   time.Time // since when nothing came
	lost    time.Time // since when it is searched for; zero: bound or not missed
	reason  string    // why it is searched for
	misses  int       // searches that did not find it after the time of grace
	seen    int       // last scan that saw it
	queued  bool      // in the list of what is ready
	held    int       // bytes of a record of several lines that may go on
	heldAt  time.Time // since when they did not
}

// stamp changes whenever a file was written to.
type stamp struct {
	size  int64
	mtime int64 // ns since 1970
}

func stampOf(info fs.FileInfo) stamp { return stamp{info.Size(), info.ModTime().UnixNano()} }

// offset is how far f was read. Only the goroutine that reads f moves it.
func (f *file) offset() int64 { return f.pos.offset }

func (f *file) close() {
	if f.z != nil {
		f.z.close()
		f.z = nil
	}
	if f.f != nil {
		f.f.Close()
		f.f = nil
	}
}

// errTruncated says that a file no longer holds what was read from it.
var errTruncated = errors.New("truncated")

// fileReader reads files line by line into batches, with one buffer for all of them.
type fileReader struct {
	cfg   *Config
	em    *emitter
	batch event.Batch
	buf   []byte // the bytes before the offset that prove it is the same file, then what is new
}

// ending says what the end of what is there ends.
type ending int

const (
	endsNothing ending = iota // more may follow
	endsRecord                // of several lines, but not a line
	endsAll                   // the rest behind the last line feed is a record too
)

// read reads one block of a plain file and tells whether there may be more at once. errTruncated: nothing was read, and f is no longer what it was.
func (r *fileReader) read(f *file, end ending) (more bool, err error) {
	final := end == endsAll
	before := f.pos.tail.n
	off := f.offset()
	if len(r.buf) < printSize+readSize {
		r.buf = make([]byte, printSize+readSize)
	}
	n, err := f.f.ReadAt(r.buf[:before+readSize], off-int64(before))
	if err != nil && !errors.Is(err, io.EOF) {
		return false, &fileError{f.path, err}
	}
	atEnd := err != nil
	if n < before || printOf(r.buf[:before]) != f.pos.tail {
		return false, errTruncated
	}
	data := r.buf[before:n]
	if off == 0 && len(data) > 0 && !f.labelled(data) {
		return false, errTruncated // and written anew, since it was named
	}
	cut := bytes.LastIndexByte(data, '\n') + 1
	if cut == 0 {
		if len(data) == 0 || atEnd && !final {
			return false, nil
		}
		return r.readLong(f, final)
	}
	// A record that fills the block ends with it.
	closes := atEnd && end != endsNothing || len(data) == readSize && f.held >= cut
	block := data[:cut]
	if f.cutter.multi != nil && atEnd && final && cut < len(data) {
		// The rest behind the last line feed belongs to the last record.
		block = append(data[:len(data):len(data)], '\n')
	}
	taken, full, err := f.cutter.cut(&r.batch, off, block, r.em.limit(), closes)
	if err != nil {
		return false, err
	}
	r.hold(f, len(block)-taken, full)
	taken = min(taken, len(data))
	cut = max(cut, taken)
	next := f.pos
	next.offset += int64(taken)
	next.tail = printOf(lastBytes(r.buf[:before+taken]))
	if err := r.beginning(f, &next, data[:taken]); err != nil {
		return false, err
	}
	f.scanned, f.pos = 0, next
	return !atEnd || full || final && cut < len(data), r.em.emit(&r.batch, taken, &f.origin, next)
}

// hold notes how much of a record of several lines waits for the next one to begin.
func (r *fileReader) hold(f *file, n int, full bool) {
	if full {
		n = 0
	}
	if n != f.held {
		f.held, f.heldAt = n, r.cfg.Now()
	}
}

func lastBytes(b []byte) []byte { return b[max(0, len(b)-printSize):] }

// failed turns an error of reading into errTruncated where the file has become shorter meanwhile. What was read of it is
// given up: it is read again, from where the file's contents went.
func (r *fileReader) failed(f *file, err error) error {
	r.batch.Reset()
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errTruncated
	}
	return &fileError{f.path, err}
}

// labelled tells whether a file that begins with data is the one that was named.
func (f *file) labelled(data []byte) bool {
	part, _ := label(data[:min(len(data), printSize)])
	return sourceName(f.family, part) == f.source
}

// beginning completes the fingerprint of a plain file's beginning, where data was read at its offset. Between two reads
// the file may be truncated and written anew: what is read here must go with what is known.
func (r *fileReader) beginning(f *file, next *cursor, data []byte) error {
	want := int(min(printSize, next.offset))
	if next.head.n >= want {
		return nil
	}
	if f.offset() == 0 && len(data) >= want {
		next.head = printOf(data[:want])
		return nil
	}
	var head [printSize]byte
	if _, err := f.f.ReadAt(head[:want], 0); err != nil {
		return r.failed(f, err)
	}
	if old := next.head; printOf(head[:old.n]) != old {
		r.batch.Reset()
		return errTruncated
	}
	next.head = printOf(head[:want])
	return nil
}

// readLong looks for the end of a line that is longer than one block, or of the last one.
func (r *fileReader) readLong(f *file, final bool) (more bool, err error) {
	off := f.offset()
	length, whole, err := r.lineEnd(f, off+f.scanned)
	if err != nil {
		return false, r.failed(f, err)
	}
	length -= off
	if !whole && !final {
		f.scanned = length
		return false, nil
	}
	line := io.NewSectionReader(f.f, off, length)
	var head []byte
	if length > int64(r.cfg.MaxLine) {
		head = make([]byte, min(length, stage.SpoolHead))
		if _, err := f.f.ReadAt(head, off); err != nil {
			return false, r.failed(f, err)
		}
		if err := r.spool(&r.batch, f, off, head, line); err != nil {
			return false, err
		}
	} else {
		block := make([]byte, length+1)
		if _, err := io.ReadFull(line, block[:length]); err != nil {
			return false, r.failed(f, err)
		}
		block[length] = '\n'
		head = block
		if _, _, err := f.cutter.cut(&r.batch, off, block, 1, true); err != nil {
			return false, err
		}
	}
	next := f.pos
	next.offset += length
	if whole {
		next.offset++
	}
	tail := make([]byte, min(printSize, next.offset))
	if _, err := f.f.ReadAt(tail, next.offset-int64(len(tail))); err != nil {
		return false, r.failed(f, err)
	}
	next.tail = printOf(tail)
	if err := r.beginning(f, &next, head); err != nil {
		return false, err
	}
	f.scanned, f.pos = 0, next
	return whole, r.em.emit(&r.batch, int(length), &f.origin, next)
}

// lineEnd returns the offset of the next line feed from off on (whole), or that of the end of the file.
func (r *fileReader) lineEnd(f *file, off int64) (end int64, whole bool, err error) {
	for {
		n, err := f.f.ReadAt(r.buf, off)
		if i := bytes.IndexByte(r.buf[:n], '\n'); i >= 0 {
			return off + int64(i), true, nil
		}
		off += int64(n)
		if errors.Is(err, io.EOF) {
			return off, false, nil
		}
		if err != nil {
			return 0, false, err
		}
	}
}

// spool keeps a line that is too long in a file of its own, and adds its pipeline_error to b.
func (r *fileReader) spool(b *event.Batch, f *file, at int64, head []byte, line io.Reader) error {
	s, _, err := stage.Spool(r.cfg.Spool, nil, line)
	if err != nil {
		return fmt.Errorf("source %s: %w", f.path, err)
	}
	r.cfg.Log.Warn("line too long", "source", f.path, "offset", at, "bytes", s.Size, "file", s.Path)
	r.cfg.Counters.Failed(1)
	f.cutter.push(b, at, head)
	return long{head, s}.fail(b, b.Events[len(b.Events)-1])
}
