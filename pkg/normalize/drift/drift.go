package drift

import (
	"time"

	"leat/pkg/event"
	"leat/pkg/stage"
	"leat/pkg/state"
)

// Config says how a Stage works.
type Config struct {
	// Learn is how many events of a dataset are learned from in silence; 0 = 10,000.
	Learn int
	// State is the folder for what was learned; "" = it is forgotten.
	State string
	// StateMissing lets a stream go on where State does not have its mark: learning begins anew.
	StateMissing bool
	// Now is the clock for events that bear no time; nil = time.Now.
	Now func() time.Time
}

// The bounds of what is remembered and told.
const (
	window       = 1000  // events of a dataset after which its fields are counted anew
	maxDatasets  = 256   // further ones are not watched
	maxFields    = 2000  // of a dataset
	maxAllFields = 50000 // of all
	maxTold      = 20    // drift events of a dataset in one window; the others are counted in the next
	maxName      = 200   // bytes of a field's name
	maxExample   = 120   // bytes of a value
	maxDepth     = 16    // levels of objects; what lies below belongs to the object
)

// Dataset is the event.dataset of every drift event.
const Dataset = "leat.drift"

// Stage watches a stream. It has state between events: it is no [stage.Cloner].
type Stage struct {
	cfg   Config
	sets  map[string]*dataset
	total int // fields of all
	path  []byte
	news  []change
	store *state.Store
}

// dataset is what is known of the fields of one dataset.
type dataset struct {
	name       string
	fields     map[uint64]int32 // hash of the name -> place in list
	list       []field
	events     uint64
	told       int    // in this window
	suppressed uint64 // drift events that were not told since the last one that was
	full       bool   // a field found no place, and it was told
	changed    bool   // since the last mark
}

// field is one field of a dataset.
type field struct {
	hash   uint64
	name   string
	kinds  uint16 // a bit for each event.Kind that was seen
	seen   uint32 // events of this window that have it
	before uint32 // of the last whole window
	last   uint64 // number of the event that had it last
	gone   bool   // and told
}

// change is one drift, before it is told.
type change struct {
	action  string
	field   string
	kind    event.Kind
	was     uint16
	example event.Value
}

// New makes the stage.
func New(cfg Config) *Stage {
	if cfg.Learn <= 0 {
		cfg.Learn = 10 * window
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Stage{cfg: cfg, sets: map[string]*dataset{}}
}

var (
	pathDataset   = event.MustPath("event.dataset")
	pathKind      = event.MustPath("event.kind")
	pathID        = event.MustPath("event.id")
	pathTimestamp = event.MustPath("@timestamp")
)

// Process looks at each normal event of b.
func (s *Stage) Process(b *event.Batch) error {
	for _, e := range b.Events {
		if e.Dropped() || e.Failed() || stage.Passes(e) || e.Get(pathKind).Is("alert") {
			continue
		}
		if d := s.dataset(e.Get(pathDataset)); d != nil {
			s.watch(b, e, d)
		}
	}
	return nil
}

func (s *Stage) dataset(name event.Value) *dataset {
	if name.Kind != event.String || len(name.Raw) > maxName {
		return nil
	}
	text := name.Text(nil)
	if d := s.sets[string(text)]; d != nil {
		return d
	}
	if len(s.sets) >= maxDatasets || len(text) == 0 || len(text) > 4 && string(text[:5]) == "leat." {
		return nil
	}
	d := &dataset{name: string(text), fields: map[uint64]int32{}}
	s.sets[d.name] = d
	return d
}

// watch compares e's fields with those that are known, and tells what is new.
func (s *Stage) watch(b *event.Batch, e *event.Event, d *dataset) {
	d.events++
	d.changed = true
	s.news, s.path = s.news[:0], s.path[:0]
	s.object(e, e.Root(), d, fnvOffset, 0)
	if d.events%window == 0 {
		s.turn(d)
	}
	for i := range s.news {
		s.tell(b, e, d, &s.news[i])
	}
	if d.events%window == 0 {
		d.told = 0
	}
}

// FNV-1a, 64 bits.
const fnvOffset, fnvPrime = 14695981039346656037, 1099511628211

func (s *Stage) object(e *event.Event, n event.Node, d *dataset, hash uint64, depth int) {
	for m := e.First(n); m != event.None; m = e.Next(m) {
		key := e.RawKey(m)
		if depth == 1 && string(s.path) == "event." && string(key) == "original" {
			continue
		}
		h := hash
		for _, c := range key {
			h = (h ^ uint64(c)) * fnvPrime
		}
		mark := len(s.path)
		s.path = append(s.path, key...)
		kind := e.KindAt(m)
		switch {
		case kind == event.Object && depth < maxDepth && e.First(m) != event.None:
			// An object is no field, but it may stand where a text stood.
			if i, ok := d.fields[h]; ok {
				s.see(e, m, d, i, event.Object)
			}
			s.path = append(s.path, '.')
			s.object(e, m, d, (h^'.')*fnvPrime, depth+1)
		case kind != event.Null:
			s.field(e, m, d, h, kind)
		}
		s.path = s.path[:mark]
	}
}

// field notes that the event has a field.
func (s *Stage) field(e *event.Event, m event.Node, d *dataset, h uint64, kind event.Kind) {
	if kind == event.False {
		kind = event.True
	}
	if i, ok := d.fields[h]; ok {
		s.see(e, m, d, i, kind)
		return
	}
	learned := d.events > uint64(s.cfg.Learn)
	name := string(s.path[:min(len(s.path), maxName)])
	if len(d.list) >= maxFields || s.total >= maxAllFields {
		if !d.full {
			d.full = true
			s.news = append(s.news, change{action: "too-many-fields", field: name, kind: kind, example: e.ValueAt(m)})
		}
		return
	}
	s.total++
	d.fields[h] = int32(len(d.list))
	d.list = append(d.list, field{hash: h, name: name, kinds: 1 << kind, seen: 1, last: d.events})
	if learned {
		s.news = append(s.news, change{action: "field-new", field: name, kind: kind, example: e.ValueAt(m)})
	}
}

// see notes that the event has a field that is known, with a value of that kind.
func (s *Stage) see(e *event.Event, m event.Node, d *dataset, i int32, kind event.Kind) {
	f := &d.list[i]
	if f.last != d.events {
		f.seen++
		f.last = d.events
	}
	f.gone = false
	if f.kinds&(1<<kind) != 0 {
		return
	}
	if d.events > uint64(s.cfg.Learn) {
		s.news = append(s.news, change{action: "field-type", field: f.name, kind: kind, was: f.kinds, example: e.ValueAt(m)})
	}
	f.kinds |= 1 << kind
}

// turn ends a window: a field that half of the events of the one before had, and none of this, is gone.
func (s *Stage) turn(d *dataset) {
	for i := range d.list {
		f := &d.list[i]
		if f.seen == 0 && f.before >= window/2 && !f.gone && d.events > uint64(s.cfg.Learn) {
			f.gone = true
			s.news = append(s.news, change{action: "field-gone", field: f.name, was: f.kinds})
		}
		f.before, f.seen = f.seen, 0
	}
}
