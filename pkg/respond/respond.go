package respond

import (
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"leat/pkg/event"
	"leat/pkg/stage"
)

// DefaultPipeline is the name under which an unmarked pipe keeps its journal: the same as ingest's default.
const DefaultPipeline = "default"

// Config is what New needs.
type Config struct {
	Playbook *Playbook
	// Load reads the playbook again for Reload; nil = it can't be.
	Load func() (*Playbook, error)
	// Enforce runs the actions; without it they are only reported, and no journal is kept.
	Enforce bool
	// State is the folder of the journal; Enforce needs it.
	State string
	// StateMissing lets a marked pipe go on at a mark of which the journal knows nothing.
	StateMissing bool
	// LiftHalt ends the halts that budgets caused in earlier runs.
	LiftHalt bool
	Log      *slog.Logger
	Now      func() time.Time // default time.Now
}

// Stage is the respond stage: a stage.Stage, Marker, Flusher and Reloader, and an io.Closer. Events pass it unchanged;
// events about actions are added behind the alerts.
//
// Process waits for the actions of its alerts, up to the playbook's hold, so that their outcomes stand right behind them.
// What takes longer goes on beside the stream: at most maxBacklog actions wait or run, and each is bounded by its
// time-outs, so the stream is never held for ever. Outcomes are told in the order in which the actions were asked for,
// with the next batch, before a mark, or at the end.
type Stage struct {
	cfg    Config
	plan   *plan
	slots  []event.Value
	meter  *meter
	ledger *ledger // nil in a dry run, and before the stream has begun
	pool   *pool

	begun  bool
	marked bool
	ended  bool        // the last mark of a marked stream has passed
	again  atomic.Bool // Reload was called

	untold   []*entry // whose requests are to be told though their alert may not come again
	queue    []*entry // whose outcomes are to be told, in order
	requests uint64   // number of the last request told
	outcomes uint64   // number of the last outcome told
}

// ErrNoStateDir says that actions can't be enforced without a journal.
var ErrNoStateDir = errors.New("actions can't be run without a journal of what was done: give a state folder")

// New makes the stage. Nothing is opened before the stream begins.
func New(cfg Config) (*Stage, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Enforce && cfg.State == "" {
		return nil, ErrNoStateDir
	}
	p, err := newPlan(cfg.Playbook)
	if err != nil {
		return nil, err
	}
	return &Stage{cfg: cfg, plan: p, slots: make([]event.Value, alertFields.Len()), meter: newMeter(*cfg.Playbook.Budget.Total)}, nil
}

// Hello restores the journal as it was at the mark from which the stream goes on.
func (s *Stage) Hello(h stage.Hello) error {
	s.marked = true
	if !s.cfg.Enforce {
		s.begun = true
		return nil
	}
	if err := s.open(h.Pipeline); err != nil {
		return err
	}
	t, err := s.ledger.resume(h, s.cfg.StateMissing, s.cfg.Now())
	if err != nil {
		return err
	}
	s.requests, s.outcomes = t.requests, t.outcomes
	return s.restart(t)
}

// begin is Hello's part for a stream without a hello.
func (s *Stage) begin() error {
	if s.begun {
		return nil
	}
	if !s.cfg.Enforce {
		s.begun = true
		return nil
	}
	if err := s.open(DefaultPipeline); err != nil {
		return err
	}
	return s.restart(told{})
}

func (s *Stage) open(pipeline string) (err error) {
	s.begun = true
	if s.ledger, err = openLedger(s.cfg.State, pipeline, s.cfg.Now()); err != nil {
		return err
	}
	if s.cfg.LiftHalt {
		if err := s.ledger.lift(s.cfg.Now()); err != nil {
			return err
		}
	}
	for _, r := range s.ledger.started {
		s.meter.note(r.Scope, r.Notify, r.time())
	}
	s.ledger.started = nil
	for scope, why := range s.ledger.halts {
		s.meter.halted[scope] = why
		s.cfg.Log.Warn("actions are halted; --lift-halt ends that", "scope", scope, "why", why)
	}
	s.pool = newPool(s.plan.book.Concurrency, s.ledger, s.cfg.Log, s.cfg.Now)
	return nil
}

// restart takes up what the journal holds: actions without an outcome are run again with their keys, and in a marked pipe
// every step that the committed mark does not cover is told again. In an unmarked pipe steps are told again when
// their alert comes again.
func (s *Stage) restart(t told) error {
	for _, e := range s.ledger.unsettled() {
		if s.marked && e.seq > t.requests && !e.isHalt {
			s.untold = append(s.untold, e)
		}
		if s.marked && e.seq > t.outcomes || e.outcome == "" {
			s.queue = append(s.queue, e)
		}
		if e.outcome == "" {
			s.retry(e)
		}
	}
	return nil
}

func (s *Stage) retry(e *entry) {
	e.done = make(chan struct{})
	a := s.plan.find(e.job.Play, e.job.Action)
	age := s.cfg.Now().Sub(e.at)
	switch {
	case a == nil || a.action.DryRun:
		s.pool.drop(e, "not run again after a restart: the playbook no longer has this action")
	case age > s.plan.book.RetryWithin:
		s.pool.drop(e, "not run again after a restart: begun "+age.Round(time.Minute).String()+" ago")
	default:
		s.cfg.Log.Info("an action without an outcome is run again", "key", e.job.Key, "play", e.job.Play, "action", e.job.Action)
		s.pool.submit(e, a.guard)
	}
}

// Process looks for alerts and acts on them.
func (s *Stage) Process(b *event.Batch) error {
	if err := s.begin(); err != nil {
		return err
	}
	if !s.marked {
		s.reload()
	}
	var batch []pending
	for _, e := range b.Events {
		if stage.Passes(e) || !isAlert(e) {
			continue
		}
		a := readAlert(e, s.slots)
		for _, w := range s.plan.wishes(&a) {
			batch = s.take(b, e, w, batch)
		}
	}
	if len(batch) > 0 {
		s.start(b, batch)
	}
	if len(b.Events) > 0 {
		s.tellWaiting(b, batch, b.Events[0])
	}
	return nil
}

// Mark makes durable how far steps were told before it.
func (s *Stage) Mark(m stage.Mark) error {
	s.reload()
	s.ended = m.End
	if s.ledger == nil {
		return nil
	}
	return s.ledger.mark(m.N, s.requests, s.outcomes, s.cfg.Now())
}

// Flush tells what is to be told before a mark or the end. Before the end of an unmarked pipe it waits for every action;
// before a mark only as long as Process would, since what is not told then is told later, or after the next start.
func (s *Stage) Flush(b *event.Batch) error {
	if err := s.begin(); err != nil {
		return err
	}
	if s.ended {
		return nil // nothing may follow the last mark; the journal tells it at the next start
	}
	s.wait(s.queue, !s.marked)
	s.tellWaiting(b, nil, nil)
	return nil
}

// Reload reads the playbook again at the next mark, or batch of an unmarked pipe. One with faults is refused as a whole.
func (s *Stage) Reload() { s.again.Store(true) }

func (s *Stage) reload() {
	if !s.again.Swap(false) || s.cfg.Load == nil {
		return
	}
	book, err := s.cfg.Load()
	if err == nil {
		var p *plan
		if p, err = newPlan(book); err == nil {
			s.plan = p
			s.meter.total = *book.Budget.Total
			s.cfg.Log.Info("playbook read again")
			return
		}
	}
	s.cfg.Log.Error("playbook not taken; the old one stays", "error", err)
}

// Halted tells why actions are halted, by scope (play/action; "" = all); empty = they are not.
func (s *Stage) Halted() map[string]string { return s.meter.halted }

// Broken is why the journal can't be written, or nil. Nothing is acted on then.
func (s *Stage) Broken() error {
	if s.ledger == nil {
		return nil
	}
	return s.ledger.sick()
}

// Close waits for the actions that run and lets go of the journal.
func (s *Stage) Close() error {
	if s.pool != nil {
		s.pool.close()
	}
	if s.ledger == nil {
		return nil
	}
	return s.ledger.close()
}
