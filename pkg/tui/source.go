package tui

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// History returns the alerts that came into a lake behind a cursor that it gave before (0 = from the start, or as far
// back as it sees fit), as lines, oldest first, and the cursor for the next call.
type History func(ctx context.Context, cursor int64) (lines [][]byte, next int64, err error)

// ErrSource says that what was to be read is not there.
var ErrSource = errors.New("nothing to read")

// follower reads a file and goes on where it grows; a file that was replaced or cut is read from its start.
type follower struct {
	ctx  context.Context
	path string
	f    *os.File
	at   int64
	wait time.Duration
}

// follow opens a file for following.
func follow(ctx context.Context, path string) (*follower, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSource, err)
	}
	return &follower{ctx: ctx, path: path, f: f, wait: 200 * time.Millisecond}, nil
}

// Read blocks until there is more. It ends with ctx.
func (w *follower) Read(p []byte) (int, error) {
	for {
		n, err := w.f.Read(p)
		w.at += int64(n)
		if n > 0 || err != nil && err != io.EOF {
			return n, err
		}
		if err := w.moved(); err != nil {
			return 0, err
		}
		select {
		case <-w.ctx.Done():
			return 0, io.EOF
		case <-time.After(w.wait):
		}
	}
}

// moved looks whether the path has become another file, or a shorter one.
func (w *follower) moved() error {
	now, err := os.Stat(w.path)
	if err != nil {
		// Between a rename and the new file; it comes, or the old one goes on.
		return nil
	}
	have, err := w.f.Stat()
	if err != nil {
		return err
	}
	if !os.SameFile(now, have) {
		f, err := os.Open(w.path)
		if err != nil {
			return nil
		}
		_ = w.f.Close()
		w.f, w.at = f, 0
		return nil
	}
	if now.Size() < w.at {
		w.at = 0
		_, err = w.f.Seek(0, io.SeekStart)
	}
	return err
}

// Close closes the file.
func (w *follower) Close() error { return w.f.Close() }

// connect reads from a tap's Unix socket, and connects again when it is gone.
type connect struct {
	ctx  context.Context
	path string
	c    net.Conn
	wait time.Duration
}

// dial connects the first time, so that a wrong path is told at once.
func dial(ctx context.Context, path string) (*connect, error) {
	c, err := net.Dial("unix", path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSource, err)
	}
	go func() { <-ctx.Done(); _ = c.Close() }()
	return &connect{ctx: ctx, path: path, c: c, wait: time.Second}, nil
}

// Read reads; on the end of a connection it waits for the next.
func (k *connect) Read(p []byte) (int, error) {
	for {
		if k.c != nil {
			n, err := k.c.Read(p)
			if n > 0 {
				return n, nil
			}
			if err != nil {
				_ = k.c.Close()
				k.c = nil
				// A line that the old connection left unfinished must not join the next one's first.
				p[0] = '\n'
				return 1, nil
			}
		}
		select {
		case <-k.ctx.Done():
			return 0, io.EOF
		case <-time.After(k.wait):
		}
		if c, err := net.Dial("unix", k.path); err == nil {
			k.c = c
			go func() { <-k.ctx.Done(); _ = c.Close() }()
		}
	}
}

// lake reads what History gives, again and again.
type lake struct {
	ctx     context.Context
	history History
	every   time.Duration
	cursor  int64
	rest    []byte
}

// Read returns lines of alerts; it asks the lake when they are used up.
func (l *lake) Read(p []byte) (int, error) {
	for first := true; len(l.rest) == 0; first = false {
		if !first {
			select {
			case <-l.ctx.Done():
				return 0, io.EOF
			case <-time.After(l.every):
			}
		}
		lines, next, err := l.history(l.ctx, l.cursor)
		if err != nil {
			return 0, err
		}
		l.cursor = next
		for _, line := range lines {
			l.rest = append(append(l.rest, line...), '\n')
		}
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}
