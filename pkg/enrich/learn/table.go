package learn

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"leat/pkg/event"
)

// maxAhead is how far an event's time may be ahead of the clock: what is dated later teaches nothing.
const maxAhead = int64(5 * time.Minute)

// noTime stands for no time; times that may be are within minTime and maxTime, so that sums of them stay numbers.
const (
	noTime  = int64(math.MinInt64)
	minTime = int64(-1 << 62)
	maxTime = int64(1 << 62)
)

// maxElements is how many elements of an array that is a key are looked at.
const maxElements = 16

// ownColumns are columns that tell about the answer.
var ownColumns = []string{"shared", "first_seen", "last_seen"}

// Options are what a table gets from its surroundings.
type Options struct {
	// Name of the dimension, for messages and metrics.
	Name string
	// Now is the clock that events from the future are judged by; nil = time.Now.
	Now func() time.Time
	// Metrics may be nil.
	Metrics *metrics.Set
}

// Stats counts what a table did since it was made.
type Stats struct {
	// Keys and Facts are held now, in about Bytes bytes.
	Keys, Facts int
	Bytes       int64
	// Taught facts came; of them Late found no exact place any more, and Old were over before what is kept.
	Taught, Late, Old int64
	// Future, Refused: facts from the future, and with keys that are too long or nobody's.
	Future, Refused int64
	// EvictedKeys and EvictedFacts went because of a bound, before their time.
	EvictedKeys, EvictedFacts int64
}

// field is a field that facts read, with its value in the event of that number.
type field struct {
	path  event.Path
	value event.Value
	of    uint64
}

// Table is what was learned.
type Table struct {
	now     func() time.Time
	columns []string
	at      map[string]int // of columns
	facts   []*fact
	fields  []field
	scope   *expression
	dataset int // event.dataset among fields
	// byDataset and anyDataset are the facts that an event of a dataset may teach.
	byDataset  map[string][]uint16
	anyDataset []uint16

	limits
	shared       SharedConfig
	sharedColumn int // -1: the table has none

	byKey     map[string]int32 // places in items
	items     []item
	free      []int32 // places in items that are not in use
	classes   []class // by fact
	seq       uint64  // of the last touch
	protected int     // keys that events asked for

	stream int64  // the newest event's time
	ahead  int64  // up to where the clock need not be asked
	hour   int64  // of stream
	event  uint64 // number of the event that is looked at

	track   bool    // changes are noted
	whole   bool    // so much changed that the next changes are everything
	dirty   []int32 // items that changed
	removed []string
	passed  int64

	answer   answer
	stats    Stats
	counters *counters
	memory
}

// limits are Config's, durations in ns.
type limits struct {
	keys, perKey int
	maxBytes     int64
	keep, late   int64
	slot         int64 // like facts within it are one run
	within       int64 // of shared
}

// memory is reused from event to event.
type memory struct{ key, row, text, cell, condition []byte }

// New makes an empty table.
func New(cfg *Config, opt Options) (*Table, error) {
	if bad := cfg.Check(); len(bad) > 0 {
		var faults []error
		for _, b := range bad {
			faults = append(faults, fmt.Errorf("%s: %s", b.Key, b.Message))
		}
		return nil, fmt.Errorf("learned dimension %q: %w", opt.Name, errors.Join(faults...))
	}
	t := &Table{
		now: opt.Now, columns: cfg.Columns(), at: map[string]int{}, shared: cfg.Shared, counters: newCounters(opt.Metrics, opt.Name),
		limits: limits{
			keys: cfg.Keys, perKey: cfg.PerKey, maxBytes: cfg.MaxBytes, keep: int64(cfg.Keep), late: int64(cfg.Late),
			slot: int64(cfg.Late) / 2, within: int64(cfg.Shared.Within),
		},
	}
	if t.now == nil {
		t.now = time.Now
	}
	for i, name := range t.columns {
		t.at[name] = i
	}
	t.dataset = t.pathOf(datasetPath)
	t.sharedColumn = t.column(t.shared.Column)
	var err error
	if cfg.Scope != "" {
		t.scope, err = t.expression(cfg.Scope, nil)
	}
	if err == nil {
		err = t.compile(cfg)
	}
	if err != nil {
		return nil, fmt.Errorf("learned dimension %q: %w", opt.Name, err)
	}
	t.classes = make([]class, len(t.facts))
	t.answer.init(t)
	t.reset()
	return t, nil
}

// column returns the number of the named column, or -1.
func (t *Table) column(name string) int {
	if i, ok := t.at[name]; ok {
		return i
	}
	return -1
}

// Columns returns the names of the columns.
func (t *Table) Columns() []string { return t.columns }

// Column returns the number of the named column, or -1.
func (t *Table) Column(name string) int { return t.column(name) }

// Learn takes in what e, an event of the time at (ns), says. It is called for every event, in the order of the stream.
func (t *Table) Learn(e *event.Event, at int64) {
	if at < minTime || at > maxTime {
		return
	}
	future := at > t.ahead && t.future(at)
	if !future && at > t.stream {
		t.stream, t.hour = at, at/int64(time.Hour)
	}
	if t.event++; t.event%reportEvery == 0 {
		t.Report()
	}
	dataset := t.value(e, t.dataset)
	for _, i := range t.byDataset[string(dataset.Text(t.text))] {
		t.try(int(i), e, at, future)
	}
	for _, i := range t.anyDataset {
		t.try(int(i), e, at, future)
	}
}

// future asks the clock, once a while.
func (t *Table) future(at int64) bool {
	t.ahead = max(t.ahead, t.now().UnixNano()+maxAhead)
	return at > t.ahead
}

// try teaches the i-th fact if e says it.
func (t *Table) try(i int, e *event.Event, at int64, future bool) {
	f := t.facts[i]
	if !f.says(e, t) {
		return
	}
	var ok bool
	if t.row, ok = f.appendRow(t.row[:0], e, t); !ok {
		return
	}
	t.stats.Taught++
	to := at + f.lasting(e, t)
	switch {
	case future:
		t.stats.Future++
		return
	case to <= t.stream-t.keep:
		t.stats.Old++
		return
	case at < t.stream-t.late:
		t.stats.Late++
	}
	taught := 0
	for el := range t.value(e, f.key.path).Elements {
		var text []byte
		if text, t.text, ok = f.key.eval(el, t.text); !ok {
			continue
		}
		t.key = t.scoped(e)
		n := len(t.key)
		t.key = appendKey(t.key, text)
		if len(t.key) == n || len(t.key) > maxKey || nobody(t.key[n:]) {
			t.stats.Refused++
			continue
		}
		t.teach(uint16(i), at, to)
		if taught++; taught == maxElements {
			break
		}
	}
}

// scoped returns what stands before the keys of e.
func (t *Table) scoped(e *event.Event) []byte {
	key := t.key[:0]
	if t.scope == nil {
		return key
	}
	var text []byte
	var ok bool
	if text, t.text, ok = t.scope.eval(t.value(e, t.scope.path), t.text); ok && len(text) <= maxKey {
		key = append(appendLower(key, bytes.TrimSpace(text)), '/')
	}
	return key
}

// value reads a field, once an event.
func (t *Table) value(e *event.Event, path int) event.Value {
	f := &t.fields[path]
	if f.of != t.event {
		f.of, f.value = t.event, e.Get(f.path)
	}
	return f.value
}

// pathOf returns the number of a field.
func (t *Table) pathOf(p event.Path) int {
	for i := range t.fields {
		if t.fields[i].path.String() == p.String() {
			return i
		}
	}
	t.fields = append(t.fields, field{path: p})
	return len(t.fields) - 1
}

// teach puts the fact of t.row at t.key.
func (t *Table) teach(f uint16, at, to int64) {
	i, ok := t.byKey[string(t.key)]
	if !ok {
		i = t.fresh(string(t.key), f)
		t.touch(i)
	} else if t.items[i].hour != t.hour {
		t.touch(i)
	}
	t.mark(i)
	t.put(&t.items[i], f, at, to)
	t.bound(i)
}

// Stats returns the counts.
func (t *Table) Stats() Stats {
	s := t.stats
	s.Keys = len(t.byKey)
	return s
}

// Passed is how many facts the last Restore passed over, because the configuration no longer has them.
func (t *Table) Passed() int64 { return t.passed }

var datasetPath = event.MustPath("event.dataset")
