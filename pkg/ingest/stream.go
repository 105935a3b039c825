package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"leat/pkg/stage"
)

var (
	// errStopped is what an interruptible reader returns once its context is done.
	errStopped = errors.New("stopped")
	// errQuiet is what it returns when nothing came for as long as it was told to wait.
	errQuiet = errors.New("nothing came")
)

// interruptible is a file whose Read returns errStopped when a context is done, also where the file is a blocking pipe.
type interruptible struct {
	f    *os.File
	wake *os.File
	wait time.Duration // 0: for ever
}

// newInterruptible wraps r where it is a file; release must be called at the end.
func newInterruptible(ctx context.Context, r io.Reader) (in io.Reader, release func(), err error) {
	f, ok := r.(*os.File)
	if !ok {
		return r, func() {}, nil
	}
	rd, wr, err := os.Pipe()
	if err != nil {
		return nil, nil, fmt.Errorf("make a pipe: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { wr.Close() })
	return &interruptible{f: f, wake: rd}, func() {
		if stop() {
			wr.Close()
		}
		rd.Close()
	}, nil
}

func (i *interruptible) Read(p []byte) (int, error) {
	fds := []unix.PollFd{{Fd: int32(i.f.Fd()), Events: unix.POLLIN}, {Fd: int32(i.wake.Fd()), Events: unix.POLLIN}}
	timeout := -1
	if i.wait > 0 {
		timeout = int(max(i.wait/time.Millisecond, 1))
	}
	for {
		n, err := unix.Poll(fds, timeout)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err == nil && n == 0 {
			return 0, errQuiet
		}
		if err != nil {
			return 0, fmt.Errorf("poll: %w", err)
		}
		if fds[1].Revents != 0 {
			return 0, errStopped
		}
		return i.f.Read(p)
	}
}

// stream reads lines from what can be read only once: standard input, a FIFO.
type stream struct {
	name  string
	in    io.Reader
	cfg   *Config
	to    inlet
	buf   []byte
	at    int64 // offset of buf[0]
	n     int   // bytes of an unfinished line in buf
	atEnd bool

	multi   *Multiline // nil: a line is a record
	record  []byte     // lines of a record that may go on
	begun   int64      // its offset
	members int        // its lines
}

// run reads to the end, or until ctx is done; what was read by then goes on.
func (s *stream) run(ctx context.Context) error {
	in, release, err := newInterruptible(ctx, s.in)
	if err != nil {
		return fmt.Errorf("source %s: %w", s.name, err)
	}
	defer release()
	s.in = in
	s.buf = make([]byte, readSize)
	for !s.atEnd {
		if err := s.step(); err != nil {
			return fmt.Errorf("source %s: %w", s.name, err)
		}
	}
	return nil
}

// runPath opens a FIFO or device and runs. A followed FIFO outlives its writers.
func (s *stream) runPath(ctx context.Context, path string) error {
	mode := os.O_RDONLY
	if info, err := os.Stat(path); err == nil && s.cfg.Follow && info.Mode()&os.ModeNamedPipe != 0 {
		mode = os.O_RDWR
	}
	type opened struct {
		f   *os.File
		err error
	}
	got := make(chan opened, 1)
	go func() {
		// Without a writer this waits, which nothing can interrupt.
		f, err := os.OpenFile(path, mode, 0)
		got <- opened{f, err}
	}()
	select {
	case <-ctx.Done():
		return nil
	case o := <-got:
		if o.err != nil {
			return fmt.Errorf("source: %w", o.err)
		}
		defer o.f.Close()
		s.in = o.f
		return s.run(ctx)
	}
}

func (s *stream) step() error {
	if s.n == len(s.buf) {
		if s.n > s.cfg.MaxLine {
			return s.spool()
		}
		s.buf = append(s.buf, make([]byte, min(len(s.buf), s.cfg.MaxLine+readSize-len(s.buf)))...)
	}
	if i, ok := s.in.(*interruptible); ok && s.multi != nil {
		i.wait = 0
		if len(s.record) > 0 {
			i.wait = s.multi.Timeout
		}
	}
	k, err := s.in.Read(s.buf[s.n:])
	end := bytes.LastIndexByte(s.buf[s.n:s.n+k], '\n')
	if end >= 0 {
		end += s.n + 1
		if lerr := s.lines(s.buf[:end]); lerr != nil {
			return lerr
		}
		s.n = copy(s.buf, s.buf[end:s.n+k])
		if len(s.buf) > 4*readSize && s.n < readSize {
			s.buf = append(make([]byte, 0, readSize), s.buf[:s.n]...)[:readSize]
		}
	} else {
		s.n += k
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errQuiet):
		return s.complete()
	case errors.Is(err, io.EOF), errors.Is(err, errStopped):
		s.atEnd = true
		if s.n > 0 {
			// The rest of a line at the end of input is a record too.
			if err := s.lines(append(s.buf[:s.n], '\n')); err != nil {
				return err
			}
		}
		return s.complete()
	}
	return fmt.Errorf("read: %w", err)
}

// lines takes whole lines and hands them on.
func (s *stream) lines(block []byte) error {
	for len(block) > 0 {
		end := bytes.IndexByte(block, '\n')
		line := bytes.TrimSuffix(block[:end], []byte{'\r'})
		at := s.at
		s.at += int64(end) + 1
		block = block[end+1:]
		if s.multi != nil {
			if err := s.join(at, line); err != nil {
				return err
			}
		} else if err := s.add(at, line); err != nil {
			return err
		}
	}
	return s.to.flush()
}

func (s *stream) add(at int64, rec []byte) error {
	switch {
	case len(rec) == 0:
		return nil
	case len(rec) > s.cfg.MaxLine:
		return s.tooLong(at, rec, bytes.NewReader(nil), nil)
	}
	return s.to.add(at, rec, nil)
}

// join adds a line to the record that it belongs to.
func (s *stream) join(at int64, line []byte) error {
	if s.members > 0 && s.multi.begins(line, s.members, len(s.record)) {
		if err := s.end(); err != nil {
			return err
		}
	}
	if s.members == 0 {
		s.begun = at
	}
	s.members++
	s.record = append(append(s.record, line...), '\n')
	return nil
}

func (s *stream) end() error {
	rec := bytes.TrimRight(s.record, "\r\n")
	s.record, s.members = s.record[:0], 0
	return s.add(s.begun, rec)
}

// complete hands on a record of several lines that may not go on.
func (s *stream) complete() error {
	if err := s.end(); err != nil {
		return err
	}
	return s.to.flush()
}

// spool takes the line that fills buf, which is not at its end.
func (s *stream) spool() error {
	var rest []byte
	if err := s.tooLong(s.at, s.buf[:s.n], s.in, &rest); err != nil {
		return err
	}
	s.buf = make([]byte, max(readSize, 2*len(rest)))
	s.n = 0
	s.atEnd = rest == nil
	if end := bytes.LastIndexByte(rest, '\n'); end >= 0 {
		if err := s.lines(rest[:end+1]); err != nil {
			return err
		}
		rest = rest[end+1:]
	}
	s.n = copy(s.buf, rest)
	return s.to.flush()
}

func (s *stream) tooLong(at int64, line []byte, more io.Reader, rest *[]byte) error {
	sp, behind, err := stage.Spool(s.cfg.Spool, line, eofWhenStopped{more})
	if err != nil {
		return err
	}
	s.cfg.Log.Warn("line too long", "source", s.name, "bytes", sp.Size, "file", sp.Path)
	if rest != nil {
		*rest = behind
		s.at += sp.Size + 1
	}
	return s.to.addLong(at, long{line[:min(len(line), stage.SpoolHead)], sp}, nil)
}

// eofWhenStopped ends a line where reading was stopped.
type eofWhenStopped struct{ io.Reader }

func (r eofWhenStopped) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if errors.Is(err, errStopped) {
		err = io.EOF
	}
	return n, err
}
