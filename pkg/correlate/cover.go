package correlate

import (
	"math"
	"sort"

	"leat/pkg/sigma"
)

// cover is a window that raised a match. What comes in it is no match of its own, but counted.
type cover struct {
	start    int64
	end      int64   // time of its last event
	told     int64   // events when it was last told
	count    int64   // events by now
	value    float64 // what the condition was about: of counts of events and sums as of now, else as it was told first
	revision int64
}

// covered returns the cover that at lies in, or nil.
func (g *group) covered(r *ruleState, at int64) *cover {
	for i := range g.covers {
		if c := &g.covers[i]; at >= c.start && at <= c.start+r.span {
			return c
		}
	}
	return nil
}

// revise counts o for a window that was told, and tells it again once it has twice as many events: a flood makes a handful of
// revisions, not one for each event.
func (e *Engine) revise(r *ruleState, g *group, c *cover, o *Observation) (*Match, bool) {
	c.count++
	c.end = max(c.end, o.At)
	switch r.Type {
	case sigma.EventCount:
		c.value = float64(c.count)
	case sigma.ValueSum:
		c.value += o.Number
	}
	if r.Once || c.count/2 < c.told || c.revision == math.MaxInt32 {
		return nil, false
	}
	c.told = c.count
	c.revision++
	m := &e.match
	*m = Match{Rule: r.index, Key: g.key, Start: c.start, End: c.end, Count: c.count, Value: c.value, Revision: int(c.revision), IDs: m.IDs[:0]}
	e.ids = storeIDs(e.ids[:0], o)
	eachID(e.ids, e.idText[:], func(id []byte) { m.IDs = append(m.IDs, append([]byte(nil), id...)) })
	return m, true
}

// begin makes the cover of the match that e.match has, and forgets the entries that lie in it.
func (e *Engine) begin(r *ruleState, g *group) {
	m := &e.match
	c := cover{start: m.Start, end: m.End, told: m.Count, value: m.Value, revision: 1}
	lo := sort.Search(len(g.entries), func(i int) bool { return g.entries[i].at >= c.start })
	hi := sort.Search(len(g.entries), func(i int) bool { return g.entries[i].at > c.start+r.span })
	sum := 0.0
	for _, x := range g.entries[lo:hi] {
		c.count += int64(x.n)
		c.end = x.at
		sum += x.number()
	}
	if r.Type == sigma.ValueSum {
		c.value = sum // also of what lies behind the events that were enough
	}
	r.cut(g, lo, hi)
	g.covers = append(g.covers, c)
}
