package detect

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"leat/pkg/alert"
	"leat/pkg/correlate"
	"leat/pkg/event"
	"leat/pkg/sigma"
)

// Config says what to detect and how.
type Config struct {
	Rules      []string // files and folders; none: the starter rules
	Strict     bool     // a faulty rule in a folder is an error too
	AlertsOnly bool     // drop what is no alert
	Routing    bool     // a rule sees only events of its log source
	Log        *slog.Logger

	// Lookups are the values of placeholders: NAME=FILE, or a folder of files that are named after them (see Lookups).
	Lookups []string
	// File, Taxonomy, Pipelines, MinLevel, Disable and Enable: see Sources.
	File, MinLevel                       string
	Taxonomy, Pipelines, Disable, Enable []string
	// Count counts evaluations, matches and time by rule; see RuleStats. Metrics, where it is set, is told them too.
	Count   bool
	Metrics *metrics.Set
	// Watch reads the rules again when a file changes that they are read from.
	Watch bool
	// Workers is how many goroutines match events; 0 stands for 1. The order of what comes out is the same with any number.
	Workers int
	// State is the folder for what is remembered between events. In a marked pipe it is needed as soon as a rule
	// correlates or suppresses.
	State string
	// StateMissing lets a resumed stream begin with an empty state where State does not hold that of its mark.
	StateMissing bool
	// Limits bound what correlations remember.
	Limits correlate.Limits
	// Now is the clock of an unmarked pipe; nil stands for time.Now.
	Now func() time.Time
}

func (cfg *Config) sources() Sources {
	return Sources{
		File: cfg.File, Rules: cfg.Rules, Lookups: cfg.Lookups, Taxonomy: cfg.Taxonomy, Pipelines: cfg.Pipelines,
		MinLevel: cfg.MinLevel, Disable: cfg.Disable, Enable: cfg.Enable,
	}
}

// Stage is the stage. It is a stage.Marker, a stage.Flusher, a stage.Releaser and a stage.Reloader.
type Stage struct {
	cfg      Config
	shared   *shared
	set      *ruleSet
	matchers []*matcher
	parts    []event.Batch
	errs     []error
	cor      *correlator // nil where no rule correlates or suppresses
	watcher  *watcher    // nil: nothing is watched
	memory   memory
	records  unwrapper
}

// shared is what a reload changes beside the stage.
type shared struct {
	set     atomic.Pointer[ruleSet]
	loading atomic.Bool
	again   atomic.Bool // a reload was asked for while one was at work
	marked  atomic.Bool
	gauges  atomic.Pointer[[]*gauge]
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
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	set, err := load(cfg)
	if err != nil {
		return nil, err
	}
	if cfg.Limits, err = limits(cfg.File, cfg.Limits); err != nil {
		return nil, err
	}
	return newStageOf(cfg, set)
}

// newStageOf makes the stage of rules that were loaded.
func newStageOf(cfg Config, set *ruleSet) (*Stage, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	s := &Stage{cfg: cfg, shared: &shared{}}
	s.shared.set.Store(set)
	for range max(cfg.Workers, 1) {
		s.matchers = append(s.matchers, &matcher{cfg: &s.cfg})
	}
	s.parts, s.errs = make([]event.Batch, len(s.matchers)), make([]error, len(s.matchers))
	if err := s.adopt(set); err != nil {
		return nil, err
	}
	if cfg.Metrics != nil {
		cfg.Metrics.RegisterMetricsWriter(s.writeCorrelations)
	}
	if cfg.Count && cfg.Metrics != nil {
		cfg.Metrics.RegisterMetricsWriter(s.writeMetrics)
	}
	if cfg.Watch {
		s.watch()
	}
	return s, nil
}

// adopt makes set the rules that s works with. What correlations remember goes on.
func (s *Stage) adopt(set *ruleSet) error {
	cor, err := newCorrelator(&s.cfg, set)
	if err != nil {
		return err
	}
	if cor != nil && s.cor != nil {
		if err := cor.adopt(s.cor); err != nil {
			return err
		}
	}
	s.set, s.cor = set, cor
	gauges := newGauges(cor)
	s.shared.gauges.Store(&gauges)
	for _, m := range s.matchers {
		m.adopt(set, cor)
	}
	return nil
}

// minPart is the least number of events for which a hand-over to another core pays.
const minPart = 16

// Process puts the alerts of each event behind it.
func (s *Stage) Process(b *event.Batch) error {
	if set := s.shared.set.Load(); set != s.set && !s.shared.marked.Load() {
		if err := s.adopt(set); err != nil {
			return err
		}
	}
	s.records.open(b)
	defer s.records.close(b, s.cfg.AlertsOnly)
	n := min(len(s.matchers), len(b.Events)/minPart)
	if n < 2 {
		n = 1
		if err := s.matchers[0].process(b); err != nil {
			return err
		}
	} else if err := s.parallel(b, n); err != nil {
		return err
	}
	if s.cor == nil {
		return nil
	}
	err := s.cor.process(b, s.matchers[:n])
	s.cor.gauge(*s.shared.gauges.Load())
	return err
}

// parallel lets n matchers work on parts of b.
func (s *Stage) parallel(b *event.Batch, n int) error {
	var wg sync.WaitGroup
	for i := range n {
		part := &s.parts[i]
		part.Borrow(b, len(b.Events)*i/n, len(b.Events)*(i+1)/n)
		wg.Go(func() { s.errs[i] = s.matchers[i].process(part) })
	}
	wg.Wait()
	for _, err := range s.errs[:n] {
		if err != nil {
			return err
		}
	}
	b.Join(s.parts[:n])
	return nil
}

// matcher matches events, and raises the alerts of single events. It is for one goroutine.
type matcher struct {
	cfg     *Config
	set     *ruleSet
	cor     *correlator
	view    view
	subject alert.Subject
	matched []alert.Clause
	by      map[int]*worker     // by class
	made    map[*subset]*worker // one for each subset

	// What the correlator is told of the batch, in the order of its events.
	clock timeReader
	times []int64
	found []found
}

// found is a rule that matched an event of the batch and correlates or suppresses.
type found struct {
	event int // index in the matcher's part of the batch
	rule  int32
	line  []byte // the rule's own alert, where it raises one
}

func (m *matcher) adopt(set *ruleSet, cor *correlator) {
	m.set, m.cor, m.view = set, cor, view{}
	m.by, m.made = map[int]*worker{}, map[*subset]*worker{}
}

func (m *matcher) process(b *event.Batch) error {
	m.times, m.found = m.times[:0], m.found[:0]
	for i, e := range b.Events {
		kind := m.kind(e)
		if m.cor != nil {
			m.times = append(m.times, m.clock.read(e, kind))
		}
		if kind == "" {
			if err := m.match(b, e, i); err != nil {
				return err
			}
		}
		if m.cfg.AlertsOnly && kind != alert.Kind {
			e.Drop()
		}
	}
	return nil
}

// kind reads the event and returns its event.kind if that is one that rules don't see.
func (m *matcher) kind(e *event.Event) string {
	if e.Failed() || e.Parse() != nil {
		return event.KindError
	}
	var k event.Value
	if m.cfg.Routing {
		m.set.router.read(e, &m.view)
		k = m.view.vals[kindAt]
	} else {
		k = e.Get(pathKind)
	}
	for _, passes := range [...]string{event.KindError, alert.Kind} {
		if k.Is(passes) {
			return passes
		}
	}
	return ""
}

func (m *matcher) match(b *event.Batch, e *event.Event, at int) error {
	class := classAll
	if m.cfg.Routing {
		class = m.set.router.classOf(&m.view)
	}
	w := m.by[class]
	if w == nil {
		var err error
		if w, err = m.worker(class); err != nil {
			return err
		}
	}
	hits := w.m.Match(e)
	if len(hits) > 0 {
		m.subject.Read(e)
	}
	for _, i := range hits {
		rule := w.sub.rules[i]
		r := m.set.rules[rule]
		var line []byte
		if !r.Silent {
			line = m.alert(b, w, i)
		}
		if r.Feeds || r.Suppress != nil {
			m.found = append(m.found, found{at, rule, line})
		} else {
			b.After(e, line)
		}
	}
	return nil
}

// worker makes or finds the matcher for a class.
func (m *matcher) worker(class int) (*worker, error) {
	sub, err := m.set.subset(class)
	if err != nil {
		return nil, err
	}
	w := m.made[sub]
	if w == nil {
		w = &worker{sub.ix.NewMatcher(), sub}
		if m.cfg.Count {
			w.m.Count(m.set.countsOf(sub))
		}
		m.made[sub] = w
	}
	if len(m.by) < 2*maxSubsets {
		m.by[class] = w
	}
	return w, nil
}

// alert writes the alert of rule i of w for the event that m.subject holds.
func (m *matcher) alert(b *event.Batch, w *worker, i int32) []byte {
	m.matched = m.matched[:0]
	for _, c := range w.m.Matched(i) {
		m.matched = append(m.matched, alert.Clause{Field: c.Field, Modifiers: c.Modifiers, Want: c.Want, Value: c.Have})
	}
	return b.End(m.set.writers[w.sub.rules[i]].Append(b.Begin(4<<10), &m.subject, m.matched))
}
