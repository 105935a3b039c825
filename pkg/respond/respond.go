package respond

import (
	"log/slog"
	"time"

	"leat/pkg/event"
	"leat/pkg/stage"
)

// Config is what New needs.
type Config struct {
	Playbook *Playbook
	// Enforce runs the actions; without it they are only reported.
	Enforce bool
	Log     *slog.Logger
	Now     func() time.Time // default time.Now
}

// Stage is the respond stage: a stage.Stage. Events pass it unchanged; events about actions are added behind the alerts.
type Stage struct {
	cfg   Config
	plan  *plan
	slots []event.Value
}

// New makes the stage.
func New(cfg Config) (*Stage, error) {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	p, err := newPlan(cfg.Playbook)
	if err != nil {
		return nil, err
	}
	return &Stage{cfg: cfg, plan: p, slots: make([]event.Value, alertFields.Len())}, nil
}

// Process looks for alerts and acts on them.
func (s *Stage) Process(b *event.Batch) error {
	for _, e := range b.Events {
		if stage.Passes(e) || !isAlert(e) {
			continue
		}
		a := readAlert(e, s.slots)
		for _, w := range s.plan.wishes(&a) {
			s.dryRun(b, e, &w)
		}
	}
	return nil
}

// dryRun tells what would be done.
func (s *Stage) dryRun(b *event.Batch, e *event.Event, w *wish) {
	st := step{name: stepWould, outcome: "unknown", at: s.cfg.Now(), dryRun: true, job: &w.job}
	err := w.err
	if err == nil {
		err = w.action.guard.check(e, w.job.Target)
	}
	if err != nil {
		st.name, st.reason = stepWithheld, clip(err.Error(), 512)
	}
	tell(b, e, &st)
}

func tell(b *event.Batch, e *event.Event, st *step) {
	b.After(e, b.End(st.appendLine(b.Begin(512))))
}
