package detect

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strconv"

	"leat/pkg/alert"
	"leat/pkg/correlate"
	"leat/pkg/event"
	"leat/pkg/sigma"
)

// ErrNoState says that a marked pipe has rules that remember, and no folder to remember in.
var ErrNoState = errors.New("rules correlate or suppress, which a marked pipe needs a folder for: --state DIR")

// feed says that the matches of a rule or correlation are those of reference ref of a correlation.
type feed struct{ cor, ref int }

// corRule is a correlation at work.
type corRule struct {
	*sigma.Correlation
	writer *alert.Writer
	feeds  []feed
	plans  map[int32]*plan // by the detection rule whose event it is
	hold   int             // rule of the engine that suppresses its alerts, or -1
	by     map[int32][]fieldPlaces
}

// plan is where the events of one detection rule have what a correlation looks at.
type plan struct {
	group, value []fieldPlaces
}

// correlator takes the matches of a batch, in the order of its events, through the correlations and suppressions. It is for one
// goroutine.
type correlator struct {
	log    *slog.Logger
	set    *ruleSet
	eng    *correlate.Engine
	rules  []*corRule // the engine's first rules; behind them are suppressions
	feeds  [][]feed   // by detection rule
	hold   []int      // by detection rule: the engine's rule that suppresses its alerts, or -1
	by     [][]fieldPlaces
	number map[string]int32 // of detection rules, by their identity
	clock  streamClock

	x, vx    extractor
	obs      correlate.Observation
	pending  []pending
	keys     []byte
	subject  alert.Subject
	out      *event.Batch // where alerts go, behind the event behind, or at the end
	behind   *event.Event
	whenOver func(*correlate.Match)
	said     []correlate.Stats // what was told of the bounds
	skipped  []int64           // by correlation: events without a field of the group, or without the value
}

// pending is an observation of one event that is not yet made: events that several rules matched are one.
type pending struct {
	feed
	mask       uint64
	key, value span
	number     float64
	base       int32
}

// span is a part of the correlator's keys.
type span struct{ from, to int }

// remembers tells whether anything of the set has state between events.
func (s *ruleSet) remembers() bool {
	return len(s.correlations) > 0 || slices.ContainsFunc(s.rules, func(r *sigma.Rule) bool { return r.Suppress != nil })
}

// newCorrelator makes the correlator of a set, or nil where nothing is remembered.
func newCorrelator(cfg *Config, set *ruleSet) (*correlator, error) {
	if !set.remembers() {
		return nil, nil
	}
	c := &correlator{
		log: cfg.Log, set: set, feeds: make([][]feed, len(set.rules)), hold: make([]int, len(set.rules)),
		by: make([][]fieldPlaces, len(set.rules)), number: map[string]int32{}, clock: streamClock{now: cfg.Now},
	}
	c.whenOver = c.over
	index := map[any]int{}
	numbers := map[*sigma.Rule]int32{}
	for i, r := range set.rules {
		numbers[r] = int32(i)
		c.number[ruleID(r)] = int32(i)
	}
	var engine []correlate.Rule
	for i, sc := range set.correlations {
		index[sc] = i
		r := &corRule{Correlation: sc, writer: set.corWriters[i], plans: map[int32]*plan{}, hold: -1, by: map[int32][]fieldPlaces{}}
		c.rules = append(c.rules, r)
		engine = append(engine, correlate.Rule{ID: fingerprint(sc), Correlation: sc})
		for ref := range sc.Rules {
			if base := sc.Rules[ref].Rule; base != nil {
				n := numbers[base]
				c.feeds[n] = append(c.feeds[n], feed{i, ref})
			} else {
				below := c.rules[index[sc.Rules[ref].Correlation]]
				below.feeds = append(below.feeds, feed{i, ref})
			}
		}
		for _, base := range basesOf(sc, nil) {
			c.plan(r, numbers[base], base)
		}
	}
	for _, r := range c.rules {
		if r.Suppress != nil {
			r.hold = len(engine)
			engine = append(engine, suppression(fingerprint(r.Correlation), r.Suppress))
		}
	}
	for i, r := range set.rules {
		c.hold[i] = -1
		if r.Suppress != nil {
			c.hold[i] = len(engine)
			engine = append(engine, suppression(ruleID(r), r.Suppress))
			for _, name := range r.Suppress.By {
				c.by[i] = append(c.by[i], fieldPlaces{name, set.fields.Paths(r.LogSource, name)})
			}
		}
	}
	var err error
	c.eng, err = correlate.New(engine, cfg.Limits)
	c.said, c.skipped = make([]correlate.Stats, len(engine)), make([]int64, len(c.rules))
	return c, err
}

// plan notes where the events of detection rule base have what r looks at.
func (c *correlator) plan(r *corRule, n int32, base *sigma.Rule) {
	r.plans[n] = &plan{
		group: fieldsOf(r.Correlation, base, r.GroupBy, c.set.fields), value: fieldsOf(r.Correlation, base, r.Field, c.set.fields),
	}
	if r.Suppress != nil {
		r.by[n] = fieldsOf(r.Correlation, base, r.Suppress.By, c.set.fields)
	}
}

// basesOf returns the detection rules whose events reach sc.
func basesOf(sc *sigma.Correlation, out []*sigma.Rule) []*sigma.Rule {
	for i := range sc.Rules {
		switch ref := &sc.Rules[i]; {
		case ref.Correlation != nil:
			out = basesOf(ref.Correlation, out)
		case !slices.Contains(out, ref.Rule):
			out = append(out, ref.Rule)
		}
	}
	return out
}

// suppression is a correlation that raises with the first event of a group and then not for a while.
func suppression(id string, s *sigma.Suppress) correlate.Rule {
	sc := &sigma.Correlation{Type: sigma.EventCount, Timespan: s.For, Bounds: []sigma.Bound{{Op: "gte", Value: 1}}}
	return correlate.Rule{ID: fmt.Sprintf("suppress %s %q %s", id, s.By, s.For), Correlation: sc}
}

// fingerprint is what makes the state of a correlation the state of that correlation: its id, and all that its windows
// depend on. A rule that is changed begins anew.
func fingerprint(sc *sigma.Correlation) string {
	var refs []string
	for i := range sc.Rules {
		if r := sc.Rules[i].Rule; r != nil {
			refs = append(refs, ruleID(r))
		} else {
			refs = append(refs, fingerprint(sc.Rules[i].Correlation))
		}
	}
	return event.DeriveID("correlation", correlationID(sc), sc.Type.String(), sc.Timespan.String(), fmt.Sprintf("%q", sc.GroupBy),
		fmt.Sprintf("%q", sc.Field), fmt.Sprint(sc.Bounds), strconv.FormatFloat(sc.Percentile, 'g', -1, 64), sc.Condition, fmt.Sprintf("%q", refs))
}

// correlationID is the correlation's id, or one from its title for one without.
func correlationID(sc *sigma.Correlation) string {
	if sc.ID != "" {
		return sc.ID
	}
	return event.DeriveID("rule", sc.Title, "correlation")
}

// adopt goes on with what old remembers.
func (c *correlator) adopt(old *correlator) error {
	c.clock = old.clock
	return c.eng.Adopt(old.eng)
}

// process takes in what the matchers found in their parts of b, which follow each other.
func (c *correlator) process(b *event.Batch, parts []*matcher) error {
	now := c.clock.now().UnixNano()
	at := 0
	for _, m := range parts {
		found := m.found
		for i, own := range m.times {
			e := b.Events[at]
			at++
			if own == skipTime {
				continue
			}
			c.out, c.behind = b, e
			t := c.clock.at(own, c.eng.Time(), now)
			if c.clock.idle > 0 {
				rest := c.clock.idle
				c.clock.idle = 0
				c.advance(c.eng.Time() + rest)
			}
			c.advance(t)
			n := 0
			for n < len(found) && found[n].event == i {
				n++
			}
			if n > 0 {
				c.event(e, t, found[:n])
				found = found[n:]
			}
		}
	}
	c.tell()
	return nil
}

func (c *correlator) raise(line []byte) {
	if c.behind != nil {
		c.out.After(c.behind, line)
	} else {
		c.out.Push(line)
	}
}

// advance tells the engine the time, and raises what is over.
func (c *correlator) advance(at int64) { c.eng.Advance(at, c.whenOver) }

// event takes in what the rules found in e.
func (c *correlator) event(e *event.Event, t int64, list []found) {
	c.subject.Read(e)
	c.pending, c.keys = c.pending[:0], c.keys[:0]
	for _, f := range list {
		if f.line != nil && c.first(c.hold[f.rule], e, c.by[f.rule], t) {
			c.raise(f.line)
		}
		for _, to := range c.feeds[f.rule] {
			c.gather(e, to, f.rule, 0)
		}
	}
	// Correlations stand behind those that they refer to, so their matches of this event are there in time.
	slices.SortStableFunc(c.pending, func(a, b pending) int { return a.cor - b.cor })
	c.observe(e, 0, t)
}

// first tells whether an alert is the first of its kind for a while; hold is the engine's rule for that, or -1.
func (c *correlator) first(hold int, e *event.Event, by []fieldPlaces, t int64) bool {
	if hold < 0 {
		return true
	}
	is := false
	known := c.x.each(e, by, func(key []byte) {
		c.obs = correlate.Observation{Key: key, At: t}
		_, ok := c.eng.Observe(hold, &c.obs)
		is = is || ok
	})
	return is || !known
}

// gather notes the observations that e, an event of detection rule base, makes for reference to.ref of a correlation.
// Those from index from on are of the same event.
func (c *correlator) gather(e *event.Event, to feed, base int32, from int) {
	r := c.rules[to.cor]
	pl := r.plans[base]
	known := c.x.each(e, pl.group, func(key []byte) {
		p := pending{feed: to, mask: 1 << (to.ref & 63), base: base, key: c.put(key)}
		if !r.Type.OfField() {
			c.join(p, from)
			return
		}
		if !c.vx.each(e, pl.value, func(value []byte) { c.value(r, p, value, from) }) {
			c.skipped[to.cor]++
		}
	})
	if !known {
		c.skipped[to.cor]++
	}
}

// value adds the observation p with a value.
func (c *correlator) value(r *corRule, p pending, value []byte, from int) {
	if r.Type != sigma.ValueCount && (r.Type != sigma.ValuePercentile || r.HasPercentile) {
		f, ok := c.vx.vals[0][c.vx.pick[0]].Float()
		if !ok || math.IsNaN(f) || math.IsInf(f, 0) {
			c.skipped[p.cor]++
			return
		}
		p.number = f
	}
	p.value = c.put(value)
	c.join(p, from)
}

// put keeps b until the event is done with.
func (c *correlator) put(b []byte) span {
	n := len(c.keys)
	c.keys = append(c.keys, b...)
	return span{n, len(c.keys)}
}

func (c *correlator) text(s span) []byte { return c.keys[s.from:s.to] }

// join adds an observation; one of the same correlation, group and value is the same event through another rule.
func (c *correlator) join(p pending, from int) {
	for i := from; i < len(c.pending); i++ {
		q := &c.pending[i]
		if q.cor == p.cor && bytes.Equal(c.text(q.key), c.text(p.key)) && bytes.Equal(c.text(q.value), c.text(p.value)) {
			q.mask |= p.mask
			return
		}
	}
	c.pending = append(c.pending, p)
}

// observe makes the observations from index from on, and raises what comes of them. What that adds behind them is taken away
// again, so that indices stay what they are.
func (c *correlator) observe(e *event.Event, from int, t int64) {
	for i, n := from, len(c.pending); i < n; i++ {
		p := c.pending[i]
		c.obs = correlate.Observation{
			Key: c.text(p.key), At: t, ID: append(c.obs.ID[:0], c.subject.EventID()...), Mask: p.mask, Value: c.text(p.value), Number: p.number,
		}
		if !c.eng.Rising(p.cor) {
			c.obs.Sample = func(dst []byte) []byte { return appendSample(dst, ruleID(c.set.rules[p.base]), e) }
		}
		if m, ok := c.eng.Observe(p.cor, &c.obs); ok {
			c.matched(c.rules[p.cor], m, e, p.base)
		}
	}
}

// matched raises the alert of a match and tells the correlations that refer to r. e, which c.subject holds, completed it.
func (c *correlator) matched(r *corRule, m *correlate.Match, e *event.Event, base int32) {
	end := m.End
	if !r.Silent {
		// Before anything else is asked of the engine, whose m is.
		line := c.alert(r, m, e, base)
		if c.first(r.hold, e, r.by[base], end) {
			c.raise(line)
		}
	}
	for _, to := range r.feeds {
		n, k := len(c.pending), len(c.keys)
		c.gather(e, to, base, n)
		c.observe(e, n, end)
		c.pending, c.keys = c.pending[:n], c.keys[:k]
	}
}

// over raises the match of a window that is over, from what was kept of its newest event.
func (c *correlator) over(m *correlate.Match) {
	r := c.rules[m.Rule]
	id, line := readSample(m.Sample)
	base, ok := c.number[id]
	if ok {
		_, ok = r.plans[base]
	}
	if !ok {
		line, base = []byte("{}"), c.anyBase(r)
	}
	var e event.Event
	e.Reset(line)
	if e.Parse() != nil {
		e.Reset([]byte("{}"))
	}
	c.subject.Read(&e)
	c.matched(r, m, &e, base)
}

// anyBase returns a detection rule that feeds r.
func (c *correlator) anyBase(r *corRule) int32 {
	least := int32(math.MaxInt32)
	for n := range r.plans {
		least = min(least, n)
	}
	return least
}

// flush raises what has come to its end without an event. finish ends every window.
func (c *correlator) flush(b *event.Batch, finish bool) {
	c.out, c.behind = b, nil
	if c.clock.idle > 0 {
		at := c.eng.Time() + c.clock.idle
		c.clock.idle = 0
		c.advance(at)
	}
	if finish {
		c.eng.Finish(c.whenOver)
	}
	c.tell()
}

// tell logs what the bounds of memory and lateness have cost, the first time and whenever it has doubled.
func (c *correlator) tell() {
	for i := range c.said {
		now, was := c.eng.Stats(i), &c.said[i]
		if now.Late+now.EvictedKeys+now.Evicted < 2*(was.Late+was.EvictedKeys+was.Evicted) || now.Late+now.EvictedKeys+now.Evicted == 0 {
			continue
		}
		*was = now
		name := "suppression"
		if i < len(c.rules) {
			name = c.rules[i].Title
		}
		c.log.Warn("a correlation has left events out", "rule", name, "too_late", now.Late, "groups_forgotten", now.EvictedKeys, "events_forgotten", now.Evicted)
	}
}
