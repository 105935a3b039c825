package correlate

import (
	"math/bits"
	"slices"
	"sort"

	"leat/pkg/sigma"
)

// entry is one event of a group. Entries are in the order of their times.
type entry struct {
	at  int64
	val uint64 // hash of the value, bits of the number, or mask
	id  uint32 // where its id begins in the group's ids
	n   uint32 // events that it stands for
}

// group is what is remembered of one key.
type group struct {
	key     string
	entries []entry
	ids     []byte
	covers  []cover // rising: the windows that raised a match
	newest  int64   // time of the newest event
	past    int64   // rising: time of the newest event of an older time that is told beside, or minTime
	seen    int64   // the stream's time when the group was last told of
	touch   uint64  // the order in which groups were last told of
	more    *closing
	prev    int32
	next    int32
	dead    int32 // bytes of ids that no entry needs
	dirty   bool
	used    bool
}

// closing is what closing conditions remember beside.
type closing struct {
	closedTo int64 // events up to here belong to windows that are over
	start    int64 // of the window
	due      int64 // the stream's time at which the window is over
	lag      int64 // how far the group was behind the stream when its window began
	lost     int64 // events of the window that memory had no room for
	sample   []byte
}

func (c *closing) take(sample func([]byte) []byte) {
	c.sample = c.sample[:0]
	if sample != nil {
		if c.sample = sample(c.sample); len(c.sample) > maxSample {
			c.sample = nil
		}
	}
}

type groupRef struct {
	rule, group int32
}

type removal struct {
	rule int32
	key  string
}

// group finds or makes the group of o and moves it to the end of the line of those to be forgotten.
func (e *Engine) group(r *ruleState, o *Observation) *group {
	i, ok := r.byKey[string(o.Key)]
	if ok {
		r.unlink(i)
	} else {
		for len(r.byKey) >= e.lim.Keys {
			r.stats.EvictedKeys++
			r.stats.Evicted += int64(len(r.groups.at(r.head).entries))
			e.remove(r, r.head)
		}
		i = r.fresh(string(o.Key), o.At)
	}
	g := r.groups.at(i)
	e.seq++
	g.touch, g.seen = e.seq, max(e.stream, o.At)
	r.link(i)
	if e.track && !e.whole && !g.dirty {
		g.dirty = true
		e.dirty = append(e.dirty, groupRef{int32(r.index), i})
	}
	return g
}

func (r *ruleState) fresh(key string, at int64) int32 {
	var i int32
	if n := len(r.free); n > 0 {
		i, r.free = r.free[n-1], r.free[:n-1]
	} else {
		i = r.groups.add()
	}
	g := r.groups.at(i)
	*g = group{key: key, entries: g.entries[:0], ids: g.ids[:0], covers: g.covers[:0], newest: at, past: minTime, more: g.more, used: true}
	if !r.rising {
		if g.more == nil {
			g.more = &closing{}
		}
		*g.more = closing{closedTo: minTime, sample: g.more.sample[:0]}
	}
	r.byKey[key] = i
	r.stats.Keys++
	return i
}

const minTime = -1 << 63

func (r *ruleState) link(i int32) {
	g := r.groups.at(i)
	g.prev, g.next = r.tail, -1
	if r.tail >= 0 {
		r.groups.at(r.tail).next = i
	} else {
		r.head = i
	}
	r.tail = i
}

func (r *ruleState) unlink(i int32) {
	g := r.groups.at(i)
	if g.prev >= 0 {
		r.groups.at(g.prev).next = g.next
	} else {
		r.head = g.next
	}
	if g.next >= 0 {
		r.groups.at(g.next).prev = g.prev
	} else {
		r.tail = g.prev
	}
}

// remove forgets a group. What it held is kept for reuse where it is small.
func (e *Engine) remove(r *ruleState, i int32) {
	g := r.groups.at(i)
	r.unlink(i)
	delete(r.byKey, g.key)
	r.stats.Keys--
	r.stats.Events -= int64(len(g.entries))
	if e.track && !e.whole {
		e.removed = append(e.removed, removal{int32(r.index), g.key})
		if len(e.removed) > 2*e.lim.Keys {
			// A flood of groups: to tell everything is shorter than to tell what came and went.
			e.whole = true
			e.settle()
		}
	}
	if cap(g.entries) > 64 {
		g.entries, g.ids = nil, nil
	}
	g.key, g.used, g.dirty = "", false, false
	r.free = append(r.free, i)
}

// before is the order of entries: by time, and at the same time by the first rule that they match, so that the order
// in which events of one moment come does not count.
func (r *ruleState) before(a, b entry) bool {
	if a.at != b.at || r.Type != sigma.TemporalOrdered {
		return a.at < b.at
	}
	ra, rb := bits.TrailingZeros64(a.val), bits.TrailingZeros64(b.val)
	return ra < rb || ra == rb && a.val < b.val
}

// insert puts o among the entries and returns its place.
func (e *Engine) insert(r *ruleState, g *group, o *Observation) int {
	x := entry{at: o.At, val: r.val(o), id: uint32(len(g.ids)), n: 1}
	g.ids = storeIDs(g.ids, o)
	p := len(g.entries)
	if p > 0 && r.before(x, g.entries[p-1]) {
		p = sort.Search(p, func(i int) bool { return r.before(x, g.entries[i]) })
	}
	g.entries = slices.Insert(g.entries, p, x)
	r.stats.Events++
	return r.thin(g, p)
}

func (r *ruleState) val(o *Observation) uint64 {
	switch {
	case r.Type.OfRules():
		return o.Mask
	case r.Type == sigma.ValueCount || r.shares():
		return hash(o.Value)
	case r.Type.OfField():
		return numberBits(o.Number)
	}
	return 0
}

// shares tells whether the rule compares the share that a value has among all.
func (r *ruleState) shares() bool { return r.Type == sigma.ValuePercentile && !r.HasPercentile }

// thinFrom is how many entries a group has before it is thinned.
const thinFrom = 64

// thin leaves out an entry between two like it that no window can hold without one of these, and returns the new place
// of entry p. It keeps floods of one value small.
func (r *ruleState) thin(g *group, p int) int {
	if len(g.entries) < thinFrom || !r.rising || r.Type != sigma.ValueCount && !r.Type.OfRules() {
		return p
	}
	x := g.entries[p]
	if r.Type == sigma.TemporalOrdered && bits.OnesCount64(x.val) > 1 {
		return p
	}
	before := r.like(g, p, -1)
	after := r.like(g, p, 1)
	// The entry in the middle of three in a row that lie within a span goes.
	out := -1
	switch {
	case before >= 0 && after >= 0 && g.entries[after].at-g.entries[before].at <= r.span:
		out = p
	case before >= 0 && after < 0:
		if b2 := r.like(g, before, -1); b2 >= 0 && x.at-g.entries[b2].at <= r.span {
			out = before
		}
	case before < 0 && after >= 0:
		if a2 := r.like(g, after, 1); a2 >= 0 && g.entries[a2].at-x.at <= r.span {
			out = after
		}
	}
	if out < 0 {
		return p
	}
	g.entries[r.like(g, out, 1)].n += g.entries[out].n
	r.cut(g, out, out+1)
	if out < p {
		return p - 1
	}
	return min(p, len(g.entries)-1)
}

// like returns the next entry with the value of entry p in a direction, or -1. Of ordered rules it is a neighbour.
func (r *ruleState) like(g *group, p, step int) int {
	for i := p + step; i >= 0 && i < len(g.entries); i += step {
		if g.entries[i].val == g.entries[p].val {
			return i
		}
		if r.Type == sigma.TemporalOrdered {
			return -1
		}
	}
	return -1
}

// cut removes entries from lo up to hi.
func (r *ruleState) cut(g *group, lo, hi int) {
	for _, x := range g.entries[lo:hi] {
		g.dead += int32(sizeID(g.ids[x.id:]))
	}
	g.entries = slices.Delete(g.entries, lo, hi)
	r.stats.Events -= int64(hi - lo)
	switch {
	case len(g.entries) == 0:
		g.ids, g.dead = g.ids[:0], 0
	case int(g.dead) > len(g.ids)/2 && g.dead > 256:
		g.compact()
	}
}

// compact writes the ids anew, without those that no entry needs. Ids are in the order of arrival, entries in that of
// time: a second slice is needed.
func (g *group) compact() {
	kept := make([]byte, 0, len(g.ids))
	for i := range g.entries {
		n := sizeID(g.ids[g.entries[i].id:])
		at := g.entries[i].id
		g.entries[i].id = uint32(len(kept))
		kept = append(kept, g.ids[at:int(at)+n]...)
	}
	g.ids, g.dead = kept, 0
}

// prune forgets what is too old for the group. Older files are often read after newer ones, or beside them: so there are
// two times that are kept, the newest, and one that is further back.
func (r *ruleState) prune(g *group) {
	n := 0
	for n < len(g.entries) && g.entries[n].at < g.newest-r.horizon {
		n++
	}
	if n > 0 && (g.past == minTime || g.entries[n-1].at > g.past || g.entries[0].at < g.past-r.horizon) {
		hi := sort.Search(n, func(i int) bool { return g.entries[i].at > g.past })
		r.cut(g, hi, n)
		r.cut(g, 0, sort.Search(hi, func(i int) bool { return g.entries[i].at >= g.past-r.horizon }))
	}
	if len(g.covers) > 0 {
		g.covers = slices.DeleteFunc(g.covers, func(c cover) bool {
			end := c.start + r.span
			return end < g.newest-r.horizon && (g.past == minTime || end < g.past-r.horizon || c.start > g.past)
		})
	}
}

// trim keeps the bounds on events: of the group its oldest go, of the rule the groups that were not seen for longest.
func (e *Engine) trim(r *ruleState, g *group) {
	for len(g.entries) > r.limit {
		if g.more != nil {
			g.more.lost += int64(g.entries[0].n)
		}
		r.stats.Evicted++
		r.cut(g, 0, 1)
	}
	for r.stats.Events > int64(e.lim.Total) && r.head != r.tail {
		r.stats.EvictedKeys++
		r.stats.Evicted += int64(len(r.groups.at(r.head).entries))
		e.remove(r, r.head)
	}
}
