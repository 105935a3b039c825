// Package tap lets watchers look at a running pipe: it copies alerts (or every event) to whoever is connected to a Unix
// socket, as NDJSON lines.
//
// It is for people who watch, such as the tui. It is no output of the pipe: a watcher that reads too slowly loses lines
// (it is told how many) and never holds the pipe back. Delivery to watchers is at most once.
package tap

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"leat/pkg/event"
)

// queueLen is how many lines a watcher may lag behind.
const queueLen = 4096

var pathKind = event.MustPath("event.kind")

// ErrInUse says that another process listens at the socket.
var ErrInUse = errors.New("socket is in use by a live process")

// Config says what to copy and where.
type Config struct {
	// Socket is the path of the Unix socket, made with mode 0600. One that is left over from a dead process is replaced.
	Socket string
	// All copies every event; else only those of event.kind alert go out.
	All bool
}

// Tap is the stage. Events pass it unchanged.
type Tap struct {
	cfg      Config
	listener net.Listener
	watchers atomic.Int32

	mu    sync.Mutex
	conns map[*watcher]struct{}
	wg    sync.WaitGroup
}

type watcher struct {
	conn    net.Conn
	lines   chan []byte
	dropped atomic.Int64
}

// New listens at the socket; ErrInUse where another process does.
func New(cfg Config) (*Tap, error) {
	if c, err := net.Dial("unix", cfg.Socket); err == nil {
		_ = c.Close()
		return nil, fmt.Errorf("%w: %s", ErrInUse, cfg.Socket)
	}
	if err := os.Remove(cfg.Socket); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("replace socket: %w", err)
	}
	l, err := net.Listen("unix", cfg.Socket)
	if err != nil {
		return nil, fmt.Errorf("listen at socket: %w", err)
	}
	if err := os.Chmod(cfg.Socket, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	t := &Tap{cfg: cfg, listener: l, conns: map[*watcher]struct{}{}}
	t.wg.Go(t.accept)
	return t, nil
}

func (t *Tap) accept() {
	for {
		c, err := t.listener.Accept()
		if err != nil {
			return
		}
		w := &watcher{conn: c, lines: make(chan []byte, queueLen)}
		t.mu.Lock()
		t.conns[w] = struct{}{}
		t.mu.Unlock()
		t.watchers.Add(1)
		t.wg.Go(func() { t.serve(w) })
	}
}

func (t *Tap) serve(w *watcher) {
	defer t.leave(w)
	for line := range w.lines {
		if n := w.dropped.Swap(0); n > 0 {
			note := fmt.Appendf(nil, `{"event":{"kind":"event","action":"tap_dropped","dataset":"leat.tap"},"leat":{"tap":{"dropped":%d}}}`+"\n", n)
			if _, err := w.conn.Write(note); err != nil {
				return
			}
		}
		if _, err := w.conn.Write(line); err != nil {
			return
		}
	}
}

func (t *Tap) leave(w *watcher) {
	t.mu.Lock()
	if _, there := t.conns[w]; there {
		delete(t.conns, w)
		t.watchers.Add(-1)
	}
	t.mu.Unlock()
	_ = w.conn.Close()
}

// Process copies what the watchers want to see. Without watchers it costs one load.
func (t *Tap) Process(b *event.Batch) error {
	if t.watchers.Load() == 0 {
		return nil
	}
	for _, e := range b.Events {
		if !t.cfg.All && (e.Parse() != nil || !e.Get(pathKind).Is("alert")) {
			continue
		}
		line := append(e.Append(nil), '\n')
		t.mu.Lock()
		for w := range t.conns {
			select {
			case w.lines <- line:
			default:
				w.dropped.Add(1)
			}
		}
		t.mu.Unlock()
	}
	return nil
}

// Close sends what is queued, ends the watchers' connections and removes the socket.
func (t *Tap) Close() error {
	err := t.listener.Close()
	t.mu.Lock()
	for w := range t.conns {
		_ = w.conn.SetWriteDeadline(time.Now().Add(time.Second))
		close(w.lines)
		delete(t.conns, w)
	}
	t.mu.Unlock()
	t.wg.Wait()
	return err
}
