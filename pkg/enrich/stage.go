package enrich

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"leat/pkg/event"
	"leat/pkg/stage"
)

// Name of the stage in logs and pipeline_errors.
const Name = "enrich"

// Options are what the stage gets from its surroundings. All may be left zero.
type Options struct {
	Log     *slog.Logger
	Metrics *metrics.Set
	// State is a folder where, in a marked pipe, the versions at each mark are kept. Empty: nothing is kept.
	State string
	// Cache is a folder for snapshots, from which the next start has them at once. Empty: none are kept.
	Cache string
	// Force takes, at the start, what max_shrink would refuse beside the snapshot of an earlier run.
	Force bool
	// StateMissing goes on at a mark of which the state knows nothing: what was learned before it is forgotten.
	StateMissing bool
	// Now is the clock that max_age is judged by; nil = time.Now.
	Now func() time.Time
	// Fresh asks sources at the start also where a snapshot of theirs is on disk; the snapshot is for where they don't answer.
	Fresh bool
	// Fixed leaves files unwatched: what was loaded at the start holds (tests, checks). Reload still works.
	Fixed bool
}

// Under returns options that keep everything below the state folder dir.
func Under(dir string) Options {
	dir = filepath.Join(dir, Name)
	return Options{State: dir, Cache: filepath.Join(dir, "dimensions")}
}

// filled gives what was left out.
func (opt Options) filled() Options {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Metrics == nil {
		opt.Metrics = metrics.NewSet()
	}
	return opt
}

// Stage is a stage.Stage, Marker, Reloader and Cloner. Clones may work side by side; they share dimensions and their
// replacement.
type Stage struct {
	shared *shared
	gen    *generation // this clone's
	from   *generation // what gen was forked from
	begun  bool
	worker worker
	counts [][statuses]int
}

// shared is what all clones of a stage have in common.
type shared struct {
	opt      Options
	cfg      atomic.Pointer[Config]
	next     atomic.Pointer[generation] // the newest
	current  atomic.Pointer[generation] // what is in use in a marked pipe: the newest as of the last mark
	marked   atomic.Bool
	metrics  *counters
	watch    *watcher
	versions *versionLog
	news     news
	ages     ages
	misses   misses
	learned  *learned
	asked    *asked
}

// New loads every dimension and binds the rules. Its error joins all faults: a file that is broken or not there, a column
// that does not exist. Close ends the watching of files.
func New(cfg *Config, opt Options) (*Stage, error) {
	opt = opt.filled()
	sh := &shared{opt: opt, metrics: newCounters(opt.Metrics), ages: ages{stale: map[string]bool{}}}
	var err error
	if sh.learned, err = newLearned(cfg, &opt); err != nil {
		return nil, err
	}
	if sh.asked, err = newAsked(cfg, &opt); err != nil {
		return nil, err
	}
	if opt.State != "" {
		if sh.versions, err = openVersions(opt.State); err != nil {
			return nil, errors.Join(err, sh.asked.close())
		}
	}
	g, keepers, err := sh.first(context.Background(), cfg)
	if err != nil {
		return nil, errors.Join(err, sh.asked.close(), sh.versions.close())
	}
	sh.cfg.Store(cfg)
	sh.next.Store(g)
	sh.watch = startWatcher(sh, keepers)
	return newClone(sh), nil
}

func newClone(sh *shared) *Stage {
	s := &Stage{shared: sh, worker: worker{asking: asking{known: map[uint64]bool{}}}}
	s.adopt()
	return s
}

// Clone returns a stage that may work at the same time.
func (s *Stage) Clone() stage.Stage {
	return newClone(s.shared)
}

// adopt takes the newest generation; in a marked pipe, that of the last mark.
func (s *Stage) adopt() {
	g := s.shared.next.Load()
	if s.shared.marked.Load() {
		g = s.shared.current.Load()
	}
	if g == s.from {
		return
	}
	if s.gen != nil {
		s.count()
	}
	s.from, s.gen = g, g.fork()
	s.counts = make([][statuses]int, len(s.gen.rules))
}

// Process enriches the events of b.
func (s *Stage) Process(b *event.Batch) error {
	s.adopt()
	now := s.shared.opt.Now()
	if !s.shared.marked.Load() && !s.begun {
		// No hello came, and none will.
		if err := s.begin(); err != nil {
			return err
		}
	}
	if s.gen.asks {
		s.ahead(b)
	}
	for _, e := range b.Events {
		if stage.Passes(e) {
			continue
		}
		if s.event(b, e, now) && !s.shared.learned.none() {
			s.shared.learned.from(e, s.worker.at)
		}
	}
	s.count()
	s.shared.checkAges(s.gen, now)
	s.shared.push(b)
	return nil
}

// Tick looks at the dimensions' ages while nothing comes in.
func (s *Stage) Tick(time.Time) error {
	now := s.shared.opt.Now()
	s.shared.checkAges(s.gen, now)
	if err := s.shared.misses.save(s.shared.opt.State, now, false); err != nil {
		return err
	}
	if s.shared.marked.Load() {
		return nil
	}
	return s.shared.learned.save(now, false)
}

// Release tells what there is to tell while nothing comes in; in a marked pipe it waits for the next batch or mark.
func (s *Stage) Release(b *event.Batch) error {
	if !s.shared.marked.Load() {
		s.shared.push(b)
	}
	return nil
}

// Flush tells what there is to tell before a mark, and at the end.
func (s *Stage) Flush(b *event.Batch) error {
	s.shared.push(b)
	return nil
}

// count hands the counts of the look-ups on.
func (s *Stage) count() {
	for i, r := range s.gen.rules {
		s.shared.metrics.add(r.name, &s.counts[i])
	}
}

// event enriches e; it is false where e became a pipeline_error.
func (s *Stage) event(b *event.Batch, e *event.Event, now time.Time) bool {
	if s.gen.timed {
		s.worker.at = eventTime(e, now)
	}
	for i := 0; i < len(s.gen.rules); i++ {
		st, failed := s.hold(i, e, now)
		r := s.gen.rules[i]
		s.counts[i][st]++
		if st == Miss && !r.policy.indicators {
			s.shared.misses.add(r.name, s.worker.asked)
		}
		if failed {
			b.Fail(e, Name, "enrich_"+st.String(),
				fmt.Sprintf("look-up of %s in dimension %q: %s", r.policy.key(), r.policy.Dimension.value, st))
			return false
		}
	}
	return true
}

// begin goes on, in a pipe without marks, from what an earlier run learned.
func (s *Stage) begin() error {
	s.begun = true
	return s.shared.learned.load()
}

// InOrder tells that what is learned must be learned in the order of the stream.
func (s *Stage) InOrder(*event.Batch) bool { return !s.shared.learned.none() }

var timestamp = event.MustPath("@timestamp")

// eventTime is the time as of which an event's context is looked up.
func eventTime(e *event.Event, now time.Time) int64 {
	if at, ok := event.ParseTime(e.Get(timestamp).Text(nil)); ok {
		return at
	}
	return now.UnixNano()
}

// Hello begins a marked stream: from now on dimensions are replaced at marks only.
func (s *Stage) Hello(h stage.Hello) error {
	s.shared.current.Store(s.shared.next.Load())
	s.shared.marked.Store(true)
	s.adopt()
	if err := s.shared.learned.hello(h, s.shared.opt.StateMissing); err != nil {
		return err
	}
	return s.shared.versions.hello(h, s.from, s.shared.opt.Log)
}

// Mark notes which versions the events before the mark were enriched from, and takes what was loaded meanwhile.
func (s *Stage) Mark(m stage.Mark) error {
	if err := errors.Join(s.shared.versions.mark(m, s.from), s.shared.learned.mark(m)); err != nil {
		return err
	}
	if err := s.shared.learned.save(s.shared.opt.Now(), false); err != nil {
		return err
	}
	s.shared.current.Store(s.shared.next.Load())
	s.adopt()
	return nil
}

// Reload reads enrich.yaml and all files again, in the background.
func (s *Stage) Reload() { s.shared.watch.reload() }

// Snapshots returns the loaded dimensions by name; an optional one that is not there is nil.
func (s *Stage) Snapshots() map[string]*Snapshot { return s.shared.next.Load().dims }

// Close ends the watching of files and, in a pipe without marks, writes what was learned.
func (s *Stage) Close() error {
	err := s.shared.misses.save(s.shared.opt.State, s.shared.opt.Now(), true)
	if !s.shared.marked.Load() && s.begun {
		err = errors.Join(err, s.shared.learned.save(s.shared.opt.Now(), true))
	}
	return errors.Join(err, s.shared.watch.close(), s.shared.learned.close(), s.shared.asked.close(), s.shared.versions.close())
}
