package stage

import (
	"time"

	"leat/pkg/event"
)

// Chain is the Sink that takes batches through its stages, in order, and hands them to the next Sink.
type Chain struct {
	stages []Stage
	next   Sink
	reads  bool        // next looks into the events
	extra  event.Batch // for Flush and Release
}

// NewChain links stages in front of next.
func NewChain(next Sink, stages ...Stage) *Chain {
	_, writes := next.(*Writer)
	return &Chain{stages: stages, next: next, reads: !writes}
}

// Batch processes b by each stage and hands it on.
func (c *Chain) Batch(b *event.Batch) error { return c.from(0, b) }

func (c *Chain) from(i int, b *event.Batch) error {
	for ; i < len(c.stages); i++ {
		s := c.stages[i]
		b.Reread = i+1 < len(c.stages) || c.reads
		if err := s.Process(b); err != nil {
			return err
		}
		b.Compact()
	}
	if len(b.Events) == 0 {
		return nil
	}
	return c.next.Batch(b)
}

// Hello tells every stage with state, and then the next Sink.
func (c *Chain) Hello(h Hello) error {
	for _, s := range c.stages {
		if m, ok := s.(Marker); ok {
			if err := m.Hello(h); err != nil {
				return err
			}
		}
	}
	return c.next.Hello(h)
}

// Mark lets every stage give what it holds back, snapshots the stages' states, and hands the mark on.
func (c *Chain) Mark(m Mark) error {
	if err := c.flush(); err != nil {
		return err
	}
	for _, s := range c.stages {
		if k, ok := s.(Marker); ok {
			if err := k.Mark(m); err != nil {
				return err
			}
		}
	}
	return c.next.Mark(m)
}

func (c *Chain) flush() error {
	for i, s := range c.stages {
		if f, ok := s.(Flusher); ok {
			if err := c.own(i, f.Flush); err != nil {
				return err
			}
		}
	}
	return nil
}

// own hands on what stage i pushes by itself.
func (c *Chain) own(i int, push func(*event.Batch) error) error {
	c.extra.Reset()
	if err := push(&c.extra); err != nil || len(c.extra.Events) == 0 {
		return err
	}
	return c.from(i+1, &c.extra)
}

// Tick passes the time to every stage that wants it, with what they release, and to the next Sink.
func (c *Chain) Tick(now time.Time) error {
	for i, s := range c.stages {
		if t, ok := s.(Ticker); ok {
			if err := t.Tick(now); err != nil {
				return err
			}
		}
		if r, ok := s.(Releaser); ok {
			if err := c.own(i, r.Release); err != nil {
				return err
			}
		}
	}
	if t, ok := c.next.(Ticker); ok {
		return t.Tick(now)
	}
	return nil
}

// wantsTicks tells whether anything down the chain is a Ticker.
func (c *Chain) wantsTicks() bool {
	for _, s := range c.stages {
		if _, ok := s.(Ticker); ok {
			return true
		}
	}
	return wantsTicks(c.next)
}

func wantsTicks(s Sink) bool {
	if c, ok := s.(*Chain); ok {
		return c.wantsTicks()
	}
	_, ok := s.(Ticker)
	return ok
}

// Close lets the stages give what they hold back and closes the next Sink.
func (c *Chain) Close() error {
	err := c.flush()
	if cerr := c.next.Close(); err == nil {
		err = cerr
	}
	return err
}
