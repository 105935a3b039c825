package ingest

import (
	"context"
	"sync"
	"time"

	"leat/pkg/event"
	"leat/pkg/stage"
)

// idleMark is how long an idle stream with something uncommitted waits for its mark.
const idleMark = time.Second

// origin is one thing that is read and has a position: a file, a journal.
// Everything in it is guarded by the emitter's mutex, or belongs to the goroutine that reads it.
type origin struct {
	name    string
	cursor  cursor
	changed int64 // mark that first tells of the newest position
	dirty   bool  // moved since the last mark
}

// emitter hands batches and marks to the sink, one at a time, so that no event crosses a mark: a batch and the position
// behind it are one step.
type emitter struct {
	mu    sync.Mutex
	sink  stage.Sink
	cfg   *Config
	lake  ledger // nil in an unmarked stream
	hello stage.Hello

	since   int64 // newest mark known to be committed
	last    int64 // newest mark made
	moved   []*origin
	pending map[*origin]struct{} // changed behind since
	events  int64                // since the last mark
	bytes   int64
	markAt  time.Time
	eventAt time.Time
}

// ledger is what ingest asks of a lake.
type ledger interface {
	// committed returns the newest committed mark of this pipeline and its positions; an error says that another process
	// has taken over.
	committed() (mark int64, positions map[string]string, err error)
}

func newEmitter(cfg *Config, sink stage.Sink) *emitter {
	return &emitter{cfg: cfg, sink: sink, pending: map[*origin]struct{}{}, markAt: cfg.Now()}
}

// begin starts a marked stream.
func (e *emitter) begin(l ledger, h stage.Hello) error {
	e.lake, e.hello = l, h
	e.since, e.last = h.Resume, h.Resume
	return e.sink.Hello(h)
}

// limit is how many records a batch may hold so that marks come as often as asked.
func (e *emitter) limit() int {
	if e.lake == nil || e.cfg.MarkEvery.Events == 0 {
		return 1 << 30
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return int(max(1, min(e.cfg.MarkEvery.Events-e.events, 1<<30)))
}

// emit hands on b, whose records took size bytes of o, and moves o to next. b is empty again when it returns.
func (e *emitter) emit(b *event.Batch, size int, o *origin, next cursor) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	n := len(b.Events)
	if n > 0 {
		e.cfg.Counters.Read(n, size)
		err := e.sink.Batch(b)
		b.Reset()
		if err != nil {
			return err
		}
	}
	return e.step(o, next, n, size)
}

// move changes the position of o without an event.
func (e *emitter) move(o *origin, next cursor) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.step(o, next, 0, 0)
}

func (e *emitter) step(o *origin, next cursor, n, size int) error {
	if o != nil && o.cursor != next {
		o.cursor = next
		if !o.dirty {
			o.dirty = true
			e.moved = append(e.moved, o)
		}
	}
	if e.lake == nil {
		return nil
	}
	e.events += int64(n)
	e.bytes += int64(size)
	e.eventAt = e.cfg.Now()
	every := e.cfg.MarkEvery
	if every.Events > 0 && e.events >= every.Events || every.Bytes > 0 && e.bytes >= every.Bytes {
		return e.mark(false)
	}
	return nil
}

// mark makes one; the caller holds the mutex.
func (e *emitter) mark(end bool) error {
	since, _, err := e.lake.committed()
	if err != nil {
		return err
	}
	e.since = max(e.since, since)
	e.last++
	for _, o := range e.moved {
		o.changed, o.dirty = e.last, false
		e.pending[o] = struct{}{}
	}
	e.moved = e.moved[:0]
	m := stage.Mark{N: e.last, Run: e.hello.Run, Since: e.since, End: end, Sources: make(map[string]string, len(e.pending))}
	now := e.cfg.Now()
	m.Time = string(event.AppendTime(nil, now.UnixNano()))
	for o := range e.pending {
		if o.changed <= e.since {
			delete(e.pending, o)
			continue
		}
		m.Sources[o.name] = o.cursor.String()
	}
	e.events, e.bytes, e.markAt = 0, 0, now
	return e.sink.Mark(m)
}

// end makes the last mark of a stream that ended in order.
func (e *emitter) end() error {
	if e.lake == nil {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.mark(true)
}

// clock makes the marks that time asks for and passes the time on, until ctx is done.
func (e *emitter) clock(ctx context.Context) error {
	ticker, _ := e.sink.(stage.Ticker)
	if ticker == nil && e.lake == nil {
		return nil
	}
	every := time.Second
	if e.lake != nil {
		every = max(5*time.Millisecond, min(e.cfg.MarkEvery.Time/4, 250*time.Millisecond))
	}
	t := time.NewTicker(every)
	defer t.Stop()
	ticked := time.Now()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-t.C:
			if ticker != nil && now.Sub(ticked) >= time.Second-every/2 {
				ticked = now
				e.mu.Lock()
				err := ticker.Tick(now)
				e.mu.Unlock()
				if err != nil {
					return err
				}
			}
			if err := e.timed(); err != nil {
				return err
			}
		}
	}
}

func (e *emitter) timed() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.lake == nil || e.events == 0 && len(e.moved) == 0 {
		return nil
	}
	now := e.cfg.Now()
	if now.Sub(e.markAt) < e.cfg.MarkEvery.Time && now.Sub(e.eventAt) < idleMark {
		return nil
	}
	return e.mark(false)
}
