package stage

import (
	"sync"
	"time"

	"leat/pkg/event"
)

// parallel runs clones of a stage over parts of a batch.
type parallel struct {
	clones []Stage
	parts  []event.Batch
	errs   []error
}

// minPart is the least number of events for which a hand-over to another core pays.
const minPart = 16

// Parallel returns a Stage that lets n clones of s work side by side on parts of each batch; the order of events is kept.
// Where n is 1 or s has state between events (it is no Cloner), s itself is returned.
func Parallel(s Stage, n int) Stage {
	c, ok := s.(Cloner)
	if n < 2 || !ok {
		return s
	}
	p := &parallel{clones: []Stage{s}, parts: make([]event.Batch, n), errs: make([]error, n)}
	for range n - 1 {
		p.clones = append(p.clones, c.Clone())
	}
	return p
}

// Reload passes the wish on to every clone.
func (p *parallel) Reload() {
	for _, c := range p.clones {
		if r, ok := c.(Reloader); ok {
			r.Reload()
		}
	}
}

// Hello tells the stage; its clones share what has to agree with the lake.
func (p *parallel) Hello(h Hello) error {
	if m, ok := p.clones[0].(Marker); ok {
		return m.Hello(h)
	}
	return nil
}

// Mark likewise.
func (p *parallel) Mark(m Mark) error {
	if k, ok := p.clones[0].(Marker); ok {
		return k.Mark(m)
	}
	return nil
}

// Flush asks the clone that gets the batches in which the order counts: none of the others holds events back.
func (p *parallel) Flush(b *event.Batch) error {
	if f, ok := p.clones[0].(Flusher); ok {
		return f.Flush(b)
	}
	return nil
}

// Tick likewise.
func (p *parallel) Tick(now time.Time) error {
	if t, ok := p.clones[0].(Ticker); ok {
		return t.Tick(now)
	}
	return nil
}

// Release likewise.
func (p *parallel) Release(b *event.Batch) error {
	if r, ok := p.clones[0].(Releaser); ok {
		return r.Release(b)
	}
	return nil
}

// Process splits b's events into runs of about equal size.
func (p *parallel) Process(b *event.Batch) error {
	n := min(len(p.clones), len(b.Events)/minPart)
	if n < 2 {
		return p.clones[0].Process(b)
	}
	if o, ok := p.clones[0].(Ordered); ok && o.InOrder(b) {
		return p.clones[0].Process(b)
	}
	var wg sync.WaitGroup
	for i := range n {
		part := &p.parts[i]
		part.Borrow(b, len(b.Events)*i/n, len(b.Events)*(i+1)/n)
		wg.Go(func() { p.errs[i] = p.clones[i].Process(part) })
	}
	wg.Wait()
	for i := range n {
		if p.errs[i] != nil {
			return p.errs[i]
		}
	}
	b.Join(p.parts[:n])
	return nil
}
