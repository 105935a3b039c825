package ingest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"time"
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
	conn    *net.UDPConn
	to      inlet
	tell    func(n notice, last bool) error
	dropped atomic.Int64 // by us
	told    [2]int64     // of the kernel's and of our drops

	mu    sync.Mutex
	data  []byte
	ends  []int // of address and message by turns
	ready chan struct{}
}

func (l *udpListener) drop(n int) { l.dropped.Add(int64(n)) }

// run receives until ctx is done; what was received by then goes on.
func (l *udpListener) run(ctx context.Context) error {
	l.cfg.Log.Info("listening", "source", l.spec.text, "address", l.conn.LocalAddr().String())
	l.ready = make(chan struct{}, 1)
	g := newGroup(ctx)
	received := make(chan struct{})
	g.run(func(ctx context.Context) error {
		defer close(received)
		// What the kernel has taken is read, but no more is waited for.
		stop := context.AfterFunc(ctx, func() { _ = l.conn.SetReadDeadline(time.Now().Add(lastRead)) })
		defer stop()
		l.receive()
		return nil
	})
	g.run(func(context.Context) error { return l.hand(received) })
	g.run(l.tellDrops)
	err := g.wait()
	// Only now no more can be dropped.
	if terr := l.tellNew(true); err == nil {
		err = terr
	}
	l.conn.Close()
	return err
}

func (l *udpListener) receive() {
	buf := make([]byte, maxDatagram)
	for {
		n, from, err := l.conn.ReadFromUDPAddrPort(buf)
		switch {
		case errors.Is(err, net.ErrClosed), errors.Is(err, os.ErrDeadlineExceeded):
			return
		case err != nil:
			l.cfg.Log.Warn("receive", "source", l.spec.text, "error", err)
			time.Sleep(10 * time.Millisecond)
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

// tellDrops tells what was dropped, every second until ctx is done.
func (l *udpListener) tellDrops(ctx context.Context) error {
	t := time.NewTicker(tellDropsEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		if err := l.tellNew(false); err != nil {
			// Counted, and told as soon as that is possible.
			l.cfg.Log.Error("drops can't be told yet", "source", l.spec.text, "error", err)
		}
	}
}

// tellNew tells what was dropped since it last did.
func (l *udpListener) tellNew(last bool) error {
	kernel, err := kernelDrops(l.conn)
	if err != nil {
		l.cfg.Log.Debug("kernel drops are not known", "source", l.spec.text, "error", err)
	}
	for i, n := range []int64{kernel, l.dropped.Load()} {
		fresh := n - l.told[i]
		if fresh <= 0 {
			continue
		}
		reason := []string{"the kernel's receive buffer was full", "the queue or the journal was full"}[i]
		if err := l.tell(notice{
			action: "source_gap", source: l.spec.text, reason: reason,
			message: fmt.Sprintf("%s: %d datagrams were dropped: %s", l.spec.text, fresh, reason),
			from:    -1, to: -1, dropped: fresh,
		}, last); err != nil {
			return err
		}
		l.told[i] = n
		l.cfg.count("dropped", l.spec.text, int(fresh))
	}
	return nil
}
