package ingest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

const (
	maxDatagram = 64 << 10
	// udpQueue bounds what waits in memory while the journal or the pipe is busy.
	udpQueue = 16 << 20
	// udpSocketBuffer is asked of the kernel; without privilege it gives less.
	udpSocketBuffer = 8 << 20
	tellDropsEvery  = time.Second
)

// udpListener takes syslog datagrams: each is a message. UDP tells a sender nothing, so what is dropped, by the kernel or
// by us, is counted and told as a source_gap event.
type udpListener struct {
	spec    spec
	cfg     *Config
	em      *emitter
	conn    *net.UDPConn
	to      inlet
	dropped atomic.Int64 // by us

	mu    sync.Mutex
	data  []byte
	ends  []int // of address and message by turns
	ready chan struct{}
}

func listenUDP(s spec, cfg *Config, em *emitter) (*udpListener, error) {
	addr, err := net.ResolveUDPAddr("udp", s.addr)
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", s.text, err)
	}
	conn, err := net.ListenUDP("udp", addr)
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", s.text, err)
	}
	l := &udpListener{spec: s, cfg: cfg, em: em, conn: conn, ready: make(chan struct{}, 1)}
	if raw, err := conn.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) {
			if unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, udpSocketBuffer) != nil {
				_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUF, udpSocketBuffer)
			}
		})
	}
	return l, nil
}

func (l *udpListener) drop(n int) { l.dropped.Add(int64(n)) }

// run receives until ctx is done; what was received by then goes on.
func (l *udpListener) run(ctx context.Context) error {
	l.cfg.Log.Info("listening", "source", l.spec.text, "address", l.conn.LocalAddr().String())
	g := newGroup(ctx)
	received := make(chan struct{})
	g.run(func(ctx context.Context) error {
		defer close(received)
		stop := context.AfterFunc(ctx, func() { _ = l.conn.SetReadDeadline(time.Unix(1, 0)) })
		defer stop()
		return l.receive(ctx)
	})
	g.run(func(context.Context) error { return l.hand(received) })
	g.run(l.tellDrops)
	err := g.wait()
	l.conn.Close()
	return err
}

func (l *udpListener) receive(ctx context.Context) error {
	buf := make([]byte, maxDatagram)
	for {
		n, from, err := l.conn.ReadFromUDPAddrPort(buf)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return nil
		case err != nil:
			l.cfg.Log.Warn("receive", "source", l.spec.text, "error", err)
			sleep(ctx, 10*time.Millisecond)
			continue
		}
		if rec := trimFrame(buf[:n]); len(rec) > 0 {
			l.queue(rec, from)
		}
	}
}

func (l *udpListener) queue(rec []byte, from netip.AddrPort) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.data)+len(rec) > udpQueue {
		l.drop(1)
		return
	}
	l.data = netip.AddrPortFrom(from.Addr().Unmap(), from.Port()).AppendTo(l.data)
	l.ends = append(l.ends, len(l.data))
	l.data = append(l.data, rec...)
	l.ends = append(l.ends, len(l.data))
	select {
	case l.ready <- struct{}{}:
	default:
	}
}

// hand takes all that waits, hands it on, and so on until nothing more is received.
func (l *udpListener) hand(received <-chan struct{}) error {
	var data []byte
	var ends []int
	var number int64
	for last := false; ; {
		l.mu.Lock()
		data, l.data = l.data, data[:0]
		ends, l.ends = l.ends, ends[:0]
		l.mu.Unlock()
		start := 0
		for i := 0; i < len(ends); i += 2 {
			number++
			if err := l.to.add(number, data[ends[i]:ends[i+1]], data[start:ends[i]]); err != nil {
				return err
			}
			start = ends[i+1]
		}
		if err := l.to.flush(); err != nil {
			return err
		}
		if last {
			return nil
		}
		select {
		case <-l.ready:
		case <-received:
			last = true
		}
	}
}

// tellDrops tells what was dropped since it last did.
func (l *udpListener) tellDrops(ctx context.Context) error {
	t := time.NewTicker(tellDropsEvery)
	defer t.Stop()
	var told [2]int64
	for last := false; !last; {
		select {
		case <-ctx.Done():
			last = true
		case <-t.C:
		}
		kernel, err := kernelDrops(l.conn)
		if err != nil {
			l.cfg.Log.Debug("kernel drops are not known", "source", l.spec.text, "error", err)
		}
		for i, n := range []int64{kernel, l.dropped.Load()} {
			if n <= told[i] {
				continue
			}
			reason := []string{"the kernel's receive buffer was full", "the queue or the journal was full"}[i]
			if err := l.em.tell(notice{
				action: "source_gap", source: l.spec.text, reason: reason,
				message: fmt.Sprintf("%s: %d datagrams were dropped: %s", l.spec.text, n-told[i], reason),
				from:    -1, to: -1, dropped: n - told[i],
			}, nil, cursor{}); err != nil {
				return err
			}
			told[i] = n
		}
	}
	return nil
}
