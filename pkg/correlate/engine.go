package correlate

import (
	"fmt"
	"math"
	"slices"
	"time"

	"leat/pkg/sigma"
)

// Rule is a correlation with the identity under which its state is kept.
type Rule struct {
	ID string
	*sigma.Correlation
	// Once: no match is told again with a higher Revision.
	Once bool
}

// Limits bound what is remembered; 0 stands for the default.
type Limits struct {
	Lateness time.Duration // how much later than its neighbours an event may come; 5 minutes
	Keys     int           // groups per rule; 100,000
	Events   int           // events per group; 4,096, or twice what the condition counts
	Total    int           // events per rule; 1,000,000
}

// The defaults of Limits.
const (
	DefaultLateness = 5 * time.Minute
	DefaultKeys     = 100_000
	DefaultEvents   = 4096
	DefaultTotal    = 1_000_000
)

// MaxIDs is how many event ids a Match has at most: the newest ones.
const MaxIDs = 100

// maxSample bounds what a group keeps of its newest event.
const maxSample = 4 << 10

func (l Limits) filled() Limits {
	set := func(p *int, v int) {
		if *p <= 0 {
			*p = v
		}
	}
	if l.Lateness <= 0 {
		l.Lateness = DefaultLateness
	}
	set(&l.Keys, DefaultKeys)
	set(&l.Events, DefaultEvents)
	set(&l.Total, DefaultTotal)
	return l
}

// Observation is one event, or match of another correlation, of a group.
type Observation struct {
	Key []byte // of the group; any bytes
	At  int64  // nanoseconds since 1970
	ID  []byte // of the event; at most 128 bytes are kept
	// IDs are the events of a match of another correlation, in the place of ID; the last 32 are kept.
	IDs  [][]byte
	Mask uint64 // temporal types: bit i for rule i
	// Value is what value_count and a value_percentile without percentile count, Number what the others measure.
	Value  []byte
	Number float64
	// Sample returns what a Match of a closing condition is to give back; at most 4 KiB are kept, of the newest event.
	Sample func(dst []byte) []byte
}

// Match says that a correlation holds for a group. It is valid until the next call of the Engine.
type Match struct {
	Rule       int
	Key        string
	Start, End int64 // of the window's first and last event
	Count      int64 // events in the window
	Value      float64
	// Revision is 1 for a new match. Of a window that was told before, with at least twice as many events by now, it is one
	// more than the last time: Start is the same, End, Count and, for counts of events and sums, Value are as of now, and IDs
	// names only the event that brought it.
	Revision int
	IDs      [][]byte // of the newest MaxIDs events, oldest first
	Sample   []byte   // closing conditions alone
}

// Stats counts what memory's bounds and lateness cost. Nothing of it is silent.
type Stats struct {
	Keys, Events int64 // held now
	Late         int64 // events that came when their window was over
	EvictedKeys  int64 // groups forgotten before their time, for Keys or Total
	Evicted      int64 // events forgotten before their time, for any bound
	Repeats      int64 // events within the window of a match that was raised
}

// Engine evaluates correlations. It is for one goroutine.
type Engine struct {
	rules  []*ruleState
	lim    Limits
	stream int64 // the newest event time
	seq    uint64
	heap   dueHeap

	passed  int64
	track   bool // changes are noted, for AppendChanges
	whole   bool // the next changes are everything
	dirty   []groupRef
	removed []removal

	match  Match
	ids    []byte
	idText [32]byte
	counts counter
	nums   []float64
	cnt    [64]int32
	chain  []int64
}

// ruleState is a rule with its groups.
type ruleState struct {
	Rule
	index   int
	span    int64
	horizon int64 // how far behind the group's newest event others may be: span and lateness
	rising  bool
	need    int // EventCount, rising: this many
	limit   int // events per group
	sets    [][2]uint64
	groups  groups
	byKey   map[string]int32
	free    []int32
	head    int32 // least recently seen
	tail    int32
	stats   Stats
}

// New makes an Engine. The error is one of a rule that needs more than memory's bounds allow.
func New(rules []Rule, lim Limits) (*Engine, error) {
	e := &Engine{lim: lim.filled(), stream: math.MinInt64}
	for i, r := range rules {
		s := &ruleState{
			Rule: r, index: i, span: int64(r.Timespan), rising: rising(r.Correlation), limit: e.lim.Events,
			byKey: map[string]int32{}, head: -1, tail: -1,
		}
		s.horizon = s.span + int64(e.lim.Lateness)
		if most := threshold(r.Correlation); r.Type == sigma.EventCount || r.Type == sigma.ValueCount {
			if most > float64(e.lim.Total) {
				return nil, fmt.Errorf("correlate: %s counts up to %g; at most %d events are held for a rule", r.Title, most, e.lim.Total)
			}
			s.need = int(most)
			s.limit = max(s.limit, 2*s.need)
		}
		if r.Type == sigma.TemporalOrdered && r.Expr != nil {
			if s.sets = terms(r.Expr); s.sets == nil {
				return nil, fmt.Errorf("correlate: the condition of %s has more than %d alternatives", r.Title, maxTerms)
			}
		}
		e.rules = append(e.rules, s)
	}
	return e, nil
}

// rising tells whether more events can only make the condition true.
func rising(c *sigma.Correlation) bool {
	switch c.Type {
	case sigma.ValueAvg, sigma.ValuePercentile, sigma.ValueMedian:
		return false
	}
	for _, b := range c.Bounds {
		if b.Op != "gt" && b.Op != "gte" {
			return false
		}
	}
	return c.Expr == nil || !negates(c.Expr)
}

func negates(x *sigma.Expr) bool {
	for _, k := range x.Kids {
		if negates(k) {
			return true
		}
	}
	return x.Op == sigma.ExprNot
}

// threshold is the largest number that the bounds speak of, as a count that must be reached.
func threshold(c *sigma.Correlation) float64 {
	most := 1.0
	for _, b := range c.Bounds {
		n := math.Ceil(b.Value)
		if b.Op == "gt" {
			n = math.Floor(b.Value) + 1
		}
		most = max(most, n)
	}
	return most
}

// holds tells whether n satisfies all bounds.
func (r *ruleState) holds(n float64) bool {
	for _, b := range r.Bounds {
		if !b.Holds(n) {
			return false
		}
	}
	return true
}

// Rising tells whether matches of the rule come from Observe; those of others come from Advance.
func (e *Engine) Rising(rule int) bool { return e.rules[rule].rising }

// Time is the newest event time that Advance was told.
func (e *Engine) Time() int64 { return e.stream }

// Stats returns the counts of one rule.
func (e *Engine) Stats(rule int) Stats { return e.rules[rule].stats }

// Observe takes in what was seen of a group. ok tells that the correlation holds now, which only rising conditions do.
func (e *Engine) Observe(rule int, o *Observation) (m *Match, ok bool) {
	r := e.rules[rule]
	o.At = sane(o.At)
	g := e.group(r, o)
	if r.rising {
		return e.rise(r, g, o)
	}
	switch {
	case o.At < g.more.closedTo-r.horizon:
		g.more.closedTo = minTime // of an older time, in which nothing was decided yet
	case o.At <= g.more.closedTo:
		r.stats.Late++
		return nil, false
	}
	first := len(g.entries) == 0
	if !first {
		g.more.start = min(g.more.start, o.At)
	}
	if o.At >= g.newest || len(g.more.sample) == 0 {
		g.newest = max(g.newest, o.At)
		g.more.take(o.Sample)
	}
	e.insert(r, g, o)
	if first {
		g.more.lag = max(0, e.stream-o.At)
		e.schedule(r, g, o.At)
	}
	e.trim(r, g)
	return nil, false
}

// rise takes in what a rising condition may hold with at once.
func (e *Engine) rise(r *ruleState, g *group, o *Observation) (*Match, bool) {
	switch {
	case o.At > g.newest:
		g.newest = o.At
		r.prune(g)
	case o.At < g.newest-r.horizon && (o.At > g.past || o.At < g.past-r.horizon):
		g.past = o.At
		r.prune(g)
	}
	if c := g.covered(r, o.At); c != nil {
		r.stats.Repeats++
		return e.revise(r, g, c, o)
	}
	p := e.insert(r, g, o)
	lo, hi, value, ok := e.scan(r, g.entries, p)
	if !ok {
		e.trim(r, g)
		return nil, false
	}
	e.fill(r, g, lo, hi, value)
	e.begin(r, g)
	return &e.match, true
}

// sane keeps times, and what is reckoned with them, within an int64: from 1843 to 2096.
func sane(at int64) int64 { return max(-4e18, min(at, 4e18)) }

// fill makes the match of the window of entries lo up to and with hi.
func (e *Engine) fill(r *ruleState, g *group, lo, hi int, value float64) {
	m := &e.match
	*m = Match{Rule: r.index, Key: g.key, Start: g.entries[lo].at, End: g.entries[hi].at, Value: value, Revision: 1, IDs: m.IDs[:0]}
	for i := lo; i <= hi; i++ {
		m.Count += int64(g.entries[i].n)
	}
	// From the newest back, as many as there is room for, and then in the order of time.
	e.ids = e.ids[:0]
	for i := hi; i >= lo && len(m.IDs) < MaxIDs; i-- {
		from := len(m.IDs)
		eachID(g.ids[g.entries[i].id:], e.idText[:], func(id []byte) {
			n := len(e.ids)
			e.ids = append(e.ids, id...)
			m.IDs = append(m.IDs, e.ids[n:len(e.ids):len(e.ids)])
		})
		slices.Reverse(m.IDs[from:])
	}
	slices.Reverse(m.IDs)
	m.IDs = m.IDs[max(0, len(m.IDs)-MaxIDs):]
	if g.more != nil {
		m.Sample = g.more.sample
	}
}
