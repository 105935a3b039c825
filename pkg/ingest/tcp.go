package ingest

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"time"
)

const (
	handshakeTime = 10 * time.Second
	// firstBuffer is what a connection's buffer begins with; it grows up to the longest message.
	firstBuffer = 8 << 10
	// lastRead is how long, when ingest is stopped, it takes what already waits: datagrams, connections not yet accepted.
	lastRead = 200 * time.Millisecond
)

// tcpListener takes syslog over TCP or TLS.
type tcpListener struct {
	spec  spec
	cfg   *Config
	ln    *net.TCPListener
	inlet func() inlet // one for each connection
}

// run accepts connections until ctx is done, and then ends them.
func (l *tcpListener) run(ctx context.Context) error {
	l.cfg.Log.Info("listening", "source", l.spec.name(), "address", l.ln.Addr().String())
	defer l.ln.Close()
	conns := newGroup(ctx)
	defer conns.cancel()
	// What waits to be accepted when ingest is stopped has perhaps sent already.
	defer context.AfterFunc(conns.ctx, func() { _ = l.ln.SetDeadline(time.Now().Add(lastRead / 4)) })()
	slots := make(chan struct{}, l.spec.opts.maxConns)
	for {
		c, err := l.ln.AcceptTCP()
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, net.ErrClosed):
			l.ln.Close()
			conns.cancel()
			return conns.wait()
		case err != nil:
			// Such as too many open files: wait rather than spin.
			l.cfg.Log.Error("accept", "source", l.spec.name(), "error", err)
			time.Sleep(100 * time.Millisecond)
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
func (l *tcpListener) serve(ctx context.Context, c *net.TCPConn) error {
	defer c.Close()
	from := &sender{TCPConn: c}
	stop := context.AfterFunc(ctx, from.stop)
	defer stop()
	log := l.cfg.Log.With("source", l.spec.name(), "peer", c.RemoteAddr().String())
	s := &connection{
		sender: from, in: from, opts: l.spec.opts, to: l.inlet(), addr: appendAddr(nil, c.RemoteAddr()),
		framer: framer{max: l.spec.opts.maxMessage}, buf: make([]byte, firstBuffer),
	}
	if l.spec.opts.tls != nil {
		tc := tls.Server(from, l.spec.opts.tls)
		from.await(time.Now().Add(handshakeTime))
		if err := tc.Handshake(); err != nil {
			l.cfg.count("handshakes_failed", l.spec.name(), 1)
			log.Warn("TLS handshake", "error", err)
			return nil
		}
		s.in = tc
	}
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

// errSlow says that a sender did not finish a message in time.
var errSlow = errors.New("a message was begun and not finished in time")

// connection is one sender of messages.
type connection struct {
	sender   *sender
	in       io.Reader // sender, or what decrypts it
	opts     options
	to       inlet
	addr     []byte
	framer   framer
	buf      []byte
	n        int // unused bytes of buf
	begun    time.Time
	messages int64
}

func (s *connection) read() error {
	for {
		if s.n == len(s.buf) {
			// Full without a whole message: the framer lets nothing longer than max stand.
			s.buf = append(s.buf, make([]byte, len(s.buf))...)
		}
		slow := s.await()
		k, err := s.in.Read(s.buf[s.n:])
		s.n += k
		done, began := s.messages, time.Now()
		if terr := s.take(err != nil); terr != nil {
			return terr
		}
		if s.messages != done {
			s.begun = time.Time{}
		} else if !s.begun.IsZero() {
			s.begun = s.begun.Add(time.Since(began)) // while it was held back the sender was not slow
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF), errors.Is(err, errStopped):
			return nil
		case slow && errors.Is(err, os.ErrDeadlineExceeded):
			return &readError{errSlow}
		default:
			return &readError{err}
		}
	}
}

// await sets how long the sender may be silent. One that dribbles a message, to hold its place, has only so much time (slow).
func (s *connection) await() (slow bool) {
	now := time.Now()
	if !s.framer.unfinished(s.n) {
		s.begun = time.Time{}
	} else if s.begun.IsZero() {
		s.begun = now
	}
	until := now.Add(s.opts.idle)
	if end := s.begun.Add(s.opts.messageTime); !s.begun.IsZero() && end.Before(until) {
		until, slow = end, true
	}
	s.sender.await(until)
	return slow
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
