package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"leat/pkg/stage"
)

// errStopped is what an interruptible reader returns once its context is done.
var errStopped = errors.New("stopped")

// interruptible is a file whose Read returns errStopped when a context is done, also where the file is a blocking pipe.
type interruptible struct {
	f    *os.File
	wake *os.File
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
	for {
		_, err := unix.Poll(fds, -1)
		if errors.Is(err, unix.EINTR) {
			continue
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
	case errors.Is(err, io.EOF), errors.Is(err, errStopped):
		s.atEnd = true
		if s.n == 0 {
			return nil
		}
		// The rest of a line at the end of input is a record too.
		return s.lines(append(s.buf[:s.n], '\n'))
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
		if len(line) == 0 {
			continue
		}
		var err error
		if len(line) > s.cfg.MaxLine {
			err = s.tooLong(at, line, bytes.NewReader(nil), nil)
		} else {
			err = s.to.add(at, line, nil)
		}
		if err != nil {
			return err
		}
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
