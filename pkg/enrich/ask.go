package enrich

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"

	"github.com/zeebo/xxh3"

	"leat/pkg/dimension"
	"leat/pkg/enrich/remote"
	"leat/pkg/event"
	"leat/pkg/stage"
)

// asked holds the dimensions whose keys are asked for one by one, where they live. All clones share them.
type asked struct {
	caches map[string]*remote.Cache
	ctx    context.Context
	stop   context.CancelFunc
}

func newAsked(c *Config, opt *Options) (*asked, error) {
	a := &asked{caches: map[string]*remote.Cache{}}
	a.ctx, a.stop = context.WithCancel(context.Background())
	var faults []error
	for _, name := range c.dimensionNames() {
		d := c.Dimensions[name]
		if d.Remote == nil {
			continue
		}
		cache, err := d.openRemote(c, opt)
		if err != nil {
			faults = append(faults, c.file.At(c.file.Find("dimensions", name, "remote"), "dimension %q: %v", name, err))
			continue
		}
		a.caches[name] = cache
	}
	if err := errors.Join(faults...); err != nil {
		return nil, errors.Join(err, a.close())
	}
	return a, nil
}

func (d *DimensionConfig) openRemote(c *Config, opt *Options) (*remote.Cache, error) {
	env, err := c.environment(d, opt)
	if err != nil {
		return nil, err
	}
	b, err := d.Remote.Open(env)
	if err != nil {
		return nil, err
	}
	of, err := c.fingerprint(d)
	if err != nil {
		return nil, err
	}
	return remote.New(*d.Remote, b, remote.Options{Name: d.name, Dir: env.Dir, Of: of, Log: opt.Log, Now: opt.Now, Metrics: opt.Metrics, Rand: rand.Float64})
}

func (a *asked) close() error {
	a.stop()
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(a.caches)) {
		faults = append(faults, a.caches[name].Close())
	}
	return errors.Join(faults...)
}

// asking is what a worker needs to look keys up in an asked dimension.
type asking struct {
	keys  [][]byte
	ends  []int
	text  []byte
	known map[uint64]bool // keys that were asked for with the whole batch, by rule
	spent bool            // a key that came up later in the batch had no answer: no other is waited for
	row   event.Event
}

// ahead asks, with one wait, for the keys that the events of b have before any rule is applied.
func (s *Stage) ahead(b *event.Batch) {
	w := &s.worker
	a := &w.asking
	a.spent = false
	clear(a.known)
	for i, r := range s.gen.rules {
		if r.remote == nil {
			continue
		}
		a.text, a.ends, a.keys = a.text[:0], a.ends[:0], a.keys[:0]
		for _, e := range b.Events {
			if !stage.Passes(e) && (r.unless == nil || e.Lookup(*r.unless) == event.None) {
				w.collect(r, e)
			}
		}
		start := 0
		for _, end := range a.ends {
			if key := a.text[start:end]; len(key) > 0 {
				a.keys = append(a.keys, key)
				a.known[xxh3.HashSeed(key, uint64(i))] = true
			}
			start = end
		}
		if len(a.keys) > 0 {
			r.remote.Resolve(s.shared.asked.ctx, a.keys)
		}
	}
}

// collect notes all keys that an event has for r.
func (w *worker) collect(r *rule, e *event.Event) {
	a := &w.asking
	add := func(text []byte) {
		a.text = dimension.AppendKey(a.text, text, r.fold)
		a.ends = append(a.ends, len(a.text))
	}
	for i := range r.keys {
		k := &r.keys[i]
		if !k.Plain() {
			if w.join(k, e) {
				add(w.text)
			}
			continue
		}
		v := e.Get(k.paths[0])
		switch v.Kind {
		case event.Missing, event.Null, event.Object:
		case event.Array:
			for el := range v.Elements {
				add(w.decode(el))
			}
		default:
			add(w.decode(v))
		}
	}
}

// ask looks one key up. A key that came up only now, as another rule wrote it, is asked for and waited for, as long as
// that leads to answers.
func (w *worker) ask(r *rule, key []byte) (Status, int) {
	row, st := r.remote.Get(key)
	a := &w.asking
	if st == remote.Error && !a.spent && !a.known[xxh3.HashSeed(key, uint64(r.number))] {
		a.keys = append(a.keys[:0], key)
		r.remote.Resolve(r.asked.ctx, a.keys)
		if row, st = r.remote.Get(key); st == remote.Error {
			a.spent = true
		}
	}
	switch st {
	case remote.Miss:
		return Miss, -1
	case remote.Error:
		return Error, -1
	}
	a.row.Reset(row)
	if a.row.Parse() != nil {
		return Error, -1
	}
	if st == remote.Stale {
		return Stale, 0
	}
	return Hit, 0
}

// sameLive tells whether a new configuration has the learned and the asked dimensions of the old one: they can't be changed
// while the stream flows.
func (sh *shared) sameLive(now *Config) error {
	old := sh.cfg.Load()
	for _, name := range now.dimensionNames() {
		d := now.Dimensions[name]
		if d.Learn == nil && d.Remote == nil && sh.learned.tables[name] == nil && sh.asked.caches[name] == nil {
			continue
		}
		if was := old.Dimensions[name]; was == nil || !reflect.DeepEqual(was.Learn, d.Learn) || !reflect.DeepEqual(was.Remote, d.Remote) {
			return now.file.At(now.file.Find("dimensions", name), "dimension %q: what is learned, or asked key by key, can't be changed by a reload; expected a restart", name)
		}
	}
	return nil
}
