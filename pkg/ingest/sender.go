package ingest

import (
	"errors"
	"net"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// sender is a connection that can be stopped without losing what the kernel has taken from the other side: after stop, Read
// gives the bytes that were there by then, and after those errStopped. What is sent later is refused by the connection's end.
type sender struct {
	*net.TCPConn
	mu      sync.Mutex
	until   time.Time // Read waits no longer
	stopped bool
	left    int // bytes that were there when it was stopped
}

// await says until when Read waits for the other side.
func (s *sender) await(t time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.until = t
	if !s.stopped {
		_ = s.SetReadDeadline(t)
	}
}

// stop ends the waiting.
func (s *sender) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	s.left = s.waiting()
	_ = s.SetReadDeadline(time.Unix(1, 0)) // wakes Read
}

// waiting is how many bytes the kernel has for us (SIOCINQ).
func (s *sender) waiting() (n int) {
	raw, err := s.SyscallConn()
	if err != nil {
		return 0
	}
	if cerr := raw.Control(func(fd uintptr) { n, err = unix.IoctlGetInt(int(fd), unix.TIOCINQ) }); cerr != nil || err != nil {
		return 0
	}
	return n
}

// Read reads as net.Conn does until stop was called.
func (s *sender) Read(p []byte) (int, error) {
	s.mu.Lock()
	stopped := s.stopped
	s.mu.Unlock()
	if !stopped {
		n, err := s.TCPConn.Read(p)
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.stopped || n > 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n, err
		}
	} else {
		s.mu.Lock()
		defer s.mu.Unlock()
	}
	n := min(s.waiting(), s.left, len(p))
	if n <= 0 {
		return 0, errStopped
	}
	_ = s.SetReadDeadline(time.Time{}) // it does not wait: the bytes are there
	n, err := s.TCPConn.Read(p[:n])
	s.left -= n
	return n, err
}
