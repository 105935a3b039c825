package stage

import (
	"errors"
	"io"
	"syscall"

	"leat/pkg/event"
)

// Writer is the Sink that writes lines to a pipe or file: one write per batch.
type Writer struct {
	out   io.Writer
	buf   []byte
	count *Counters
}

// NewWriter makes a Writer on out; count may be nil.
func NewWriter(out io.Writer, count *Counters) *Writer {
	return &Writer{out: out, count: count}
}

// Batch writes the events as lines.
func (w *Writer) Batch(b *event.Batch) error {
	w.buf = b.AppendLines(w.buf[:0])
	w.count.wrote(len(b.Events), len(w.buf))
	return w.flush()
}

// Hello writes h as a control line.
func (w *Writer) Hello(h Hello) error {
	w.buf = AppendHello(w.buf[:0], h)
	return w.flush()
}

// Mark writes m as a control line.
func (w *Writer) Mark(m Mark) error {
	w.buf = AppendMark(w.buf[:0], m)
	return w.flush()
}

// Close does nothing: the process that owns the file closes it.
func (w *Writer) Close() error { return nil }

func (w *Writer) flush() error {
	if len(w.buf) == 0 {
		return nil
	}
	_, err := w.out.Write(w.buf)
	if errors.Is(err, syscall.EPIPE) {
		return ErrClosed
	}
	return err
}
