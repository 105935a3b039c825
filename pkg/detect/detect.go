package detect

import (
	"log/slog"
	"sync/atomic"

	"leat/pkg/alert"
	"leat/pkg/event"
	"leat/pkg/sigma"
	"leat/pkg/stage"
)

// Config says what to detect and how.
type Config struct {
	Rules      []string // files and folders; none: the starter rules
	Strict     bool     // a faulty rule in a folder is an error too
	AlertsOnly bool     // drop what is no alert
	Routing    bool     // a rule sees only events of its log source
	Log        *slog.Logger
}

// Stage is the stage. It is a stage.Cloner and a stage.Reloader.
type Stage struct {
	cfg     Config
	shared  *shared
	set     *ruleSet
	view    view
	subject alert.Subject
	matched []alert.Clause
	by      map[int]*worker     // by class
	made    map[*subset]*worker // one for each subset
}

// shared is what the clones of a stage have in common.
type shared struct {
	set     atomic.Pointer[ruleSet]
	loading atomic.Bool
}

// worker matches against one subset of the rules.
type worker struct {
	m   *sigma.Matcher
	sub *subset
}

// New loads the rules. Faults in folders are logged, unless Strict. The error has every fault with its place.
func New(cfg Config) (*Stage, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	set, err := load(cfg)
	if err != nil {
		return nil, err
	}
	s := &Stage{cfg: cfg, shared: &shared{}}
	s.shared.set.Store(set)
	s.adopt(set)
	return s, nil
}

// adopt makes set the rules that s works with.
func (s *Stage) adopt(set *ruleSet) {
	s.set, s.view, s.by, s.made = set, view{}, map[int]*worker{}, map[*subset]*worker{}
}

// Clone returns a stage with the same rules and memory of its own.
func (s *Stage) Clone() stage.Stage {
	c := &Stage{cfg: s.cfg, shared: s.shared}
	c.adopt(s.set)
	return c
}

// Reload reads the rules anew; where all is well they replace the old ones between two batches, and else the old ones
// stay and the log says why.
func (s *Stage) Reload() {
	if !s.shared.loading.CompareAndSwap(false, true) {
		return
	}
	go func() {
		defer s.shared.loading.Store(false)
		set, err := load(s.cfg)
		if err != nil {
			s.cfg.Log.Error("rules not reloaded, the old ones stay", "error", err)
			return
		}
		s.shared.set.Store(set)
	}()
}

// Process puts the alerts of each event behind it.
func (s *Stage) Process(b *event.Batch) error {
	if set := s.shared.set.Load(); set != s.set {
		s.adopt(set)
	}
	for _, e := range b.Events {
		kind := s.kind(e)
		if kind == "" {
			if err := s.match(b, e); err != nil {
				return err
			}
		}
		if s.cfg.AlertsOnly && kind != alert.Kind {
			e.Drop()
		}
	}
	return nil
}

// kind reads the event and returns its event.kind if that is one that rules don't see.
func (s *Stage) kind(e *event.Event) string {
	if e.Failed() || e.Parse() != nil {
		return event.KindError
	}
	s.set.router.read(e, &s.view)
	k := s.view.vals[kindAt]
	for _, passes := range [...]string{event.KindError, alert.Kind} {
		if k.Is(passes) {
			return passes
		}
	}
	return ""
}

func (s *Stage) match(b *event.Batch, e *event.Event) error {
	class := classAll
	if s.cfg.Routing {
		class = s.set.router.classOf(&s.view)
	}
	w := s.by[class]
	if w == nil {
		var err error
		if w, err = s.worker(class); err != nil {
			return err
		}
	}
	hits := w.m.Match(e)
	if len(hits) > 0 {
		s.subject.Read(e)
	}
	for _, i := range hits {
		s.raise(b, e, w, i)
	}
	return nil
}

// worker makes or finds the matcher for a class.
func (s *Stage) worker(class int) (*worker, error) {
	sub, err := s.set.subset(class)
	if err != nil {
		return nil, err
	}
	w := s.made[sub]
	if w == nil {
		w = &worker{sub.ix.NewMatcher(), sub}
		s.made[sub] = w
	}
	if len(s.by) < 2*maxSubsets {
		s.by[class] = w
	}
	return w, nil
}

// raise puts the alert of rule i of w behind e, which s.subject holds.
func (s *Stage) raise(b *event.Batch, e *event.Event, w *worker, i int32) {
	s.matched = s.matched[:0]
	for _, c := range w.m.Matched(i) {
		s.matched = append(s.matched, alert.Clause{Field: c.Field, Modifiers: c.Modifiers, Want: c.Want, Value: c.Have})
	}
	line := s.set.writers[w.sub.rules[i]].Append(b.Begin(4<<10), &s.subject, s.matched)
	b.After(e, b.End(line))
}
