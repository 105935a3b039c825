package detect

import (
	"bytes"
	"math"
	"slices"

	"leat/pkg/correlate"
	"leat/pkg/event"
	"leat/pkg/sigma"
)

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
	c.observe(e, 0, t, nil)
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
// again, so that indices stay what they are. ids are the events behind a match of another correlation, and else nil.
func (c *correlator) observe(e *event.Event, from int, t int64, ids [][]byte) {
	for i, n := from, len(c.pending); i < n; i++ {
		p := c.pending[i]
		c.obs = correlate.Observation{
			Key: c.text(p.key), At: t, ID: append(c.obs.ID[:0], c.subject.EventID()...), IDs: ids, Mask: p.mask, Value: c.text(p.value), Number: p.number,
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
	end, revision := m.End, m.Revision
	var ids [][]byte // what refers to r names the events of this match
	if len(r.feeds) > 0 && revision == 1 {
		for _, id := range m.IDs {
			ids = append(ids, slices.Clone(id))
		}
	}
	if !r.Silent {
		// Before anything else is asked of the engine, whose m is.
		line := c.alert(r, m, e, base)
		if c.first(r.hold, e, r.by[base], end) {
			c.raise(line)
		}
	}
	if revision > 1 {
		return // for what refers to r it is the same match
	}
	for _, to := range r.feeds {
		n, k := len(c.pending), len(c.keys)
		c.gather(e, to, base, n)
		c.observe(e, n, end, ids)
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

// tell logs what the bounds of memory and lateness have cost, the first time and whenever it has doubled; and how many
// events had no place in a correlation, whenever that has grown tenfold: it may be a field that these events never have.
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
	for i, n := range c.skipped {
		if n >= max(1, 10*c.saidSkipped[i]) {
			c.saidSkipped[i] = n
			r := c.rules[i]
			c.log.Info("events have not the fields that a correlation groups by or measures", "rule", r.Title, "events", n, "group_by", r.GroupBy, "field", r.Field)
		}
	}
}
