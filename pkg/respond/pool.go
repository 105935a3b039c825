package respond

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// maxBacklog is how many actions may wait to be run. When as many wait, the stream is held until one has ended, which its
// time-outs bound.
const maxBacklog = 256

// pool runs actions side by side, started in order.
type pool struct {
	ledger *ledger
	log    *slog.Logger
	now    func() time.Time
	jobs   chan task
	wg     sync.WaitGroup
}

type task struct {
	entry *entry
	alert []byte
	actor *guarded
}

func newPool(n int, l *ledger, log *slog.Logger, now func() time.Time) *pool {
	p := &pool{ledger: l, log: log, now: now, jobs: make(chan task, maxBacklog)}
	for range n {
		p.wg.Go(func() {
			for t := range p.jobs {
				p.run(t)
			}
		})
	}
	return p
}

// submit queues an action whose intent is in the journal.
func (p *pool) submit(e *entry, g *guarded) { p.jobs <- task{e, e.alert, g} }

func (p *pool) run(t task) {
	r, err := newRequest(&t.entry.job, t.alert)
	var detail string
	if err == nil {
		detail, err = t.actor.run(context.Background(), r)
	}
	outcome, reason := stepDone, clip(detail, 512)
	var no errWithheld
	switch {
	case errors.As(err, &no):
		outcome, reason = stepWithheld, clip(err.Error(), 512)
	case err != nil:
		outcome, reason = stepFailed, clip(err.Error(), 512)
	}
	p.end(t.entry, outcome, reason)
}

// drop ends an action that is not run.
func (p *pool) drop(e *entry, why string) { p.end(e, stepFailed, why) }

func (p *pool) end(e *entry, outcome, reason string) {
	if err := p.ledger.finish(e, outcome, reason, p.now()); err != nil {
		p.log.Error("the outcome of an action is not in the journal; it may be repeated", "key", e.job.Key, "error", err)
	}
	close(e.done)
}

// close waits for every action.
func (p *pool) close() {
	close(p.jobs)
	p.wg.Wait()
}
