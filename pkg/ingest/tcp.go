package ingest

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

const (
	handshakeTime = 10 * time.Second
	// firstBuffer is what a connection's buffer begins with; it grows up to the longest message.
	firstBuffer = 8 << 10
	// lastRead is how long a connection is read on when ingest is stopped: for what the kernel has taken from its sender.
	lastRead = 200 * time.Millisecond
)

// tcpListener takes syslog over TCP or TLS.
type tcpListener struct {
	spec  spec
	cfg   *Config
	ln    net.Listener
	inlet func() inlet // one for each connection
}

// run accepts connections until ctx is done, and then ends them.
func (l *tcpListener) run(ctx context.Context) error {
	l.cfg.Log.Info("listening", "source", l.spec.name(), "address", l.ln.Addr().String())
	stop := context.AfterFunc(ctx, func() { l.ln.Close() })
	defer stop()
	conns := newGroup(ctx)
	defer conns.cancel()
	slots := make(chan struct{}, l.spec.opts.maxConns)
	for {
		c, err := l.ln.Accept()
		switch {
		case ctx.Err() != nil:
			conns.cancel()
			return conns.wait()
		case conns.ctx.Err() != nil:
			l.ln.Close()
			return conns.wait()
		case err != nil:
			// Such as too many open files: wait rather than spin.
			l.cfg.Log.Error("accept", "source", l.spec.name(), "error", err)
			sleep(conns.ctx, 100*time.Millisecond)
			continue
		}
		select {
		case slots <- struct{}{}:
		default:
			l.cfg.count("connections_refused", l.spec.name(), 1)
			l.cfg.Log.Warn("connection refused: max_connections are open", "source", l.spec.name(), "peer", c.RemoteAddr().String())
			c.Close()
			continue
		}
		conns.run(func(ctx context.Context) error {
			defer func() { <-slots }()
			return l.serve(ctx, c)
		})
	}
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// serve reads one connection to its end. Only what ends ingest is an error; a bad sender is a line in the log.
func (l *tcpListener) serve(ctx context.Context, c net.Conn) error {
	defer c.Close()
	peer := c.RemoteAddr().String()
	log := l.cfg.Log.With("source", l.spec.name(), "peer", peer)
	if l.spec.opts.tls != nil {
		tc := tls.Server(c, l.spec.opts.tls)
		hs, cancel := context.WithTimeout(ctx, handshakeTime)
		err := tc.HandshakeContext(hs)
		cancel()
		if err != nil {
			log.Warn("TLS handshake", "error", err)
			return nil
		}
		c = tc
	}
	s := &connection{
		conn: c, idle: l.spec.opts.idle, to: l.inlet(), addr: appendAddr(nil, c.RemoteAddr()),
		framer: framer{max: l.spec.opts.maxMessage}, buf: make([]byte, firstBuffer),
	}
	stop := context.AfterFunc(ctx, s.stop)
	defer stop()
	err := s.read()
	if rerr := (*readError)(nil); errors.As(err, &rerr) {
		log.Warn("connection ended", "error", rerr.err, "messages", s.messages)
		return nil
	}
	log.Debug("connection closed", "messages", s.messages)
	return err
}

// readError is one of the sender's.
type readError struct{ err error }

func (e *readError) Error() string { return e.err.Error() }

// connection is one sender.
type connection struct {
	conn     net.Conn
	idle     time.Duration
	to       inlet
	addr     []byte
	framer   framer
	buf      []byte
	n        int // unused bytes of buf
	messages int64

	mu      sync.Mutex
	stopped bool
}

// stop lets what the sender has given to the kernel be read, but waits for no more.
func (s *connection) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	_ = s.conn.SetReadDeadline(time.Now().Add(lastRead))
}

// await gives the sender until idle is over; it returns false once the connection is stopped.
func (s *connection) await() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.stopped {
		_ = s.conn.SetReadDeadline(time.Now().Add(s.idle))
	}
	return !s.stopped
}

func (s *connection) read() error {
	for {
		if s.n == len(s.buf) {
			// Full without a whole message: the framer lets nothing longer than max stand.
			s.buf = append(s.buf, make([]byte, len(s.buf))...)
		}
		live := s.await()
		k, err := s.conn.Read(s.buf[s.n:])
		s.n += k
		if terr := s.take(err != nil); terr != nil {
			return terr
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF), !live:
			return nil
		case !s.await():
			return nil // stopped meanwhile
		default:
			return &readError{err}
		}
	}
}

// take hands on the whole messages in buf.
func (s *connection) take(atEnd bool) error {
	used, err := s.framer.frames(s.buf[:s.n], atEnd, func(rec []byte, l *long) error {
		s.messages++
		if l != nil {
			return s.to.addLong(s.messages, *l, s.addr)
		}
		return s.to.add(s.messages, rec, s.addr)
	})
	if err != nil {
		return err
	}
	s.n = copy(s.buf, s.buf[used:s.n])
	if len(s.buf) > 8*firstBuffer && s.n < firstBuffer {
		s.buf = append(make([]byte, 0, firstBuffer), s.buf[:s.n]...)[:firstBuffer]
	}
	return s.to.flush()
}

// appendAddr appends ip:port, an IPv4 address as such also on a socket of both families.
func appendAddr(dst []byte, a net.Addr) []byte {
	var ap netip.AddrPort
	switch a := a.(type) {
	case *net.TCPAddr:
		ap = a.AddrPort()
	case *net.UDPAddr:
		ap = a.AddrPort()
	default:
		return append(dst, a.String()...)
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()).AppendTo(dst)
}
