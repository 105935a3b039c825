package respond

import (
	"bytes"
	"time"

	"leat/pkg/event"
)

// pending is an action that a batch asks for, with the alert behind which its steps are told.
type pending struct {
	entry *entry
	guard *guarded
	where *event.Event
}

// take decides on one wish: told at once what is not to be run, or added to batch.
func (s *Stage) take(b *event.Batch, e *event.Event, w wish, batch []pending) []pending {
	if w.err != nil {
		s.say(b, e, stepWithheld, w.err.Error(), &w.job)
		return batch
	}
	if s.ledger != nil {
		for _, p := range batch {
			if p.entry.job.Key == w.job.Key {
				return batch // the same alert twice in one batch
			}
		}
		if old, known := s.ledger.known(w.job.Key); known {
			s.replayed(b, e, old)
			return batch
		}
	}
	if err := w.action.guard.check(e, w.job.Target); err != nil {
		s.say(b, e, stepWithheld, err.Error(), &w.job)
		return batch
	}
	if s.ledger != nil && s.ledger.sick() != nil {
		s.say(b, e, stepWithheld, s.ledger.sick().Error(), &w.job)
		return batch
	}
	if s.ledger != nil && w.action.action.DryRun {
		s.say(b, e, stepWould, "", &w.job)
		return batch
	}
	limit := s.plan.book.Budget.PerAction
	if w.action.action.Budget != nil {
		limit = w.action.action.Budget
	}
	why, scope, halting := s.meter.spend(scopeOf(w.job.Play, w.job.Action), *limit, w.action.action.Notify, s.cfg.Now())
	if halting {
		batch = s.halt(b, e, scope, why, &w.job, batch)
	}
	switch {
	case why != "":
		s.say(b, e, stepWithheld, why, &w.job)
	case s.ledger == nil:
		s.say(b, e, stepWould, "", &w.job)
	default:
		batch = append(batch, pending{entry: &entry{
			job: w.job, notify: w.action.action.Notify, alert: bytes.Clone(e.Append(nil)), at: s.cfg.Now(), done: make(chan struct{}),
		}, guard: w.action.guard, where: e})
	}
	return batch
}

// halt tells that a budget is used up: what a person has to look at.
func (s *Stage) halt(b *event.Batch, e *event.Event, scope, why string, j *job, batch []pending) []pending {
	s.cfg.Log.Error("actions are halted", "scope", scope, "why", why)
	now := s.cfg.Now()
	h := *j
	h.Key = event.DeriveID("respond halt", scope, j.Key)
	if s.ledger == nil {
		s.say(b, e, stepHalted, why, &h)
		return batch
	}
	done := make(chan struct{})
	close(done)
	return append(batch, pending{where: e, entry: &entry{job: h, isHalt: true, halt: scope, outcome: stepHalted, reason: why, at: now, ended: now, done: done}})
}

// start journals the intents of a batch, tells them, and runs the actions.
func (s *Stage) start(b *event.Batch, batch []pending) {
	entries := make([]*entry, len(batch))
	for i, p := range batch {
		entries[i] = p.entry
	}
	if err := s.ledger.begin(entries); err != nil {
		s.cfg.Log.Error("no action is run any more", "error", err)
		for _, p := range batch {
			if p.entry.isHalt {
				s.say(b, p.where, stepHalted, p.entry.reason, &p.entry.job)
			} else {
				s.say(b, p.where, stepWithheld, err.Error(), &p.entry.job)
			}
		}
		return
	}
	for _, p := range batch {
		s.queue = append(s.queue, p.entry)
		if p.entry.isHalt {
			continue
		}
		tell(b, p.where, p.entry.request())
		p.entry.requestTold = true
		s.requests = p.entry.seq
	}
	for _, p := range batch {
		if !p.entry.isHalt {
			s.pool.submit(p.entry, p.guard)
		}
	}
	s.wait(s.queue, false)
}

// wait waits until the entries have ended: as long as hold allows, or with all for every one.
func (s *Stage) wait(entries []*entry, all bool) {
	t := time.NewTimer(*s.plan.book.Hold)
	defer t.Stop()
	timeout := t.C
	if all {
		timeout = nil
	}
	for _, e := range entries {
		if e.done == nil {
			continue
		}
		select {
		case <-e.done:
		case <-timeout:
			return
		}
	}
}

// tellWaiting tells what is ready: requests of an earlier run, and outcomes as long as they come in order. Those of this
// batch stand behind their alerts, others behind first (nil: at the batch's end).
func (s *Stage) tellWaiting(b *event.Batch, batch []pending, first *event.Event) {
	for _, e := range s.untold {
		tell(b, first, e.request())
		e.requestTold = true
		s.requests = max(s.requests, e.seq)
	}
	s.untold = nil
	for len(s.queue) > 0 {
		e := s.queue[0]
		if e.done != nil {
			select {
			case <-e.done:
			default:
				return
			}
		}
		where := first
		for _, p := range batch {
			if p.entry == e {
				where = p.where
			}
		}
		tell(b, where, e.result())
		s.outcomes = max(s.outcomes, e.seq)
		s.ledger.forget(e)
		s.queue = s.queue[1:]
	}
}

// replayed tells the steps of an action that an earlier run ended, when its alert comes again in an unmarked pipe: the
// earlier run may have died before it told them.
func (s *Stage) replayed(b *event.Batch, where *event.Event, e *entry) {
	if e == nil || s.marked {
		return
	}
	if !e.requestTold && !e.isHalt {
		tell(b, where, e.request())
		e.requestTold = true
	}
	if e.done == nil && e.outcome != "" {
		tell(b, where, e.result())
		s.ledger.forget(e)
	}
}

func (e *entry) request() *step {
	return &step{name: stepRequested, outcome: "unknown", at: e.at, job: &e.job}
}

func (e *entry) result() *step {
	st := &step{name: e.outcome, outcome: "unknown", reason: e.reason, at: e.ended, job: &e.job}
	switch e.outcome {
	case stepDone:
		st.outcome = "success"
	case stepFailed:
		st.outcome = "failure"
	}
	return st
}

// say tells a step that is in no journal.
func (s *Stage) say(b *event.Batch, where *event.Event, name, reason string, j *job) {
	tell(b, where, &step{name: name, outcome: "unknown", reason: clip(reason, 512), at: s.cfg.Now(), dryRun: !s.cfg.Enforce || name == stepWould, job: j})
}

// tell adds the event about a step behind where, or at the batch's end.
func tell(b *event.Batch, where *event.Event, st *step) {
	line := b.End(st.appendLine(b.Begin(512)))
	if where == nil {
		b.Push(line)
		return
	}
	b.After(where, line)
}
