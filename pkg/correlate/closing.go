package correlate

import (
	"math"
	"math/bits"
	"slices"

	"leat/pkg/sigma"
)

// due says when a group's window is over. An entry may be out of date: the group is asked.
type due struct {
	at   int64
	rule int32
	key  string
}

// dueHeap is a binary heap with what is due first at its front. container/heap would allocate for each.
type dueHeap []due

func (h dueHeap) less(i, j int) bool {
	a, b := &h[i], &h[j]
	return a.at < b.at || a.at == b.at && (a.rule < b.rule || a.rule == b.rule && a.key < b.key)
}

func (h *dueHeap) push(d due) {
	*h = append(*h, d)
	q := *h
	for i := len(q) - 1; i > 0; {
		up := (i - 1) / 2
		if !q.less(i, up) {
			break
		}
		q[i], q[up] = q[up], q[i]
		i = up
	}
}

func (h *dueHeap) pop() due {
	q := *h
	first, n := q[0], len(q)-1
	q[0], q[n] = q[n], due{}
	*h = q[:n]
	h.down(0)
	return first
}

func (h dueHeap) down(i int) {
	for {
		least := i
		for _, k := range [2]int{2*i + 1, 2*i + 2} {
			if k < len(h) && h.less(k, least) {
				least = k
			}
		}
		if least == i {
			return
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
}

// schedule begins a window at start and notes when it is over for the group. A group that lags behind the stream is given
// that much more.
func (e *Engine) schedule(r *ruleState, g *group, start int64) {
	if start+r.horizon < e.stream {
		// A group of an older time has its next window while it is still being told of that time.
		g.more.lag = max(g.more.lag, e.stream-g.entries[len(g.entries)-1].at)
	}
	g.more.start, g.more.due = start, start+r.horizon+g.more.lag
	e.heap.push(due{at: g.more.due, rule: int32(r.index), key: g.key})
	if live := e.windows(); len(e.heap) > 2*live+64 {
		e.reschedule() // what is left of groups that were forgotten
	}
}

// windows counts the groups that may have a window.
func (e *Engine) windows() int {
	n := 0
	for _, r := range e.rules {
		if !r.rising {
			n += len(r.byKey)
		}
	}
	return n
}

// reschedule makes the heap anew.
func (e *Engine) reschedule() {
	e.heap = e.heap[:0]
	for _, r := range e.rules {
		for i := r.head; i >= 0 && !r.rising; i = r.groups.at(i).next {
			if g := r.groups.at(i); len(g.entries) > 0 {
				e.heap = append(e.heap, due{at: g.more.due, rule: int32(r.index), key: g.key})
			}
		}
	}
	for i := len(e.heap)/2 - 1; i >= 0; i-- {
		e.heap.down(i)
	}
}

// Advance tells the time of an event, or how far time has come without one: windows that are over are decided, and groups
// that nothing more can come of are forgotten. A time that lies before an earlier one changes nothing.
func (e *Engine) Advance(at int64, raise func(*Match)) {
	at = sane(at)
	before := e.stream
	if at <= before {
		return
	}
	e.stream = at
	for len(e.heap) > 0 && e.heap[0].at < e.stream {
		e.close(raise)
	}
	if at/second == before/second {
		return
	}
	for _, r := range e.rules {
		for r.head >= 0 && e.idle(r, r.groups.at(r.head)) {
			e.remove(r, r.head)
		}
	}
}

const second = int64(1_000_000_000)

// idle tells whether the stream has gone on so far since the group was last told of that nothing can come of it.
func (e *Engine) idle(r *ruleState, g *group) bool {
	return g.seen < e.stream-r.horizon && (r.rising || len(g.entries) == 0)
}

// Finish decides every window that has begun, as if its time were over: the stream has ended for good.
func (e *Engine) Finish(raise func(*Match)) {
	for len(e.heap) > 0 {
		e.close(raise)
	}
}

// close decides the windows of the group that is due first.
func (e *Engine) close(raise func(*Match)) {
	d := e.heap.pop()
	r := e.rules[d.rule]
	i, ok := r.byKey[d.key]
	if !ok {
		return
	}
	g := r.groups.at(i)
	if len(g.entries) == 0 || g.more.due != d.at {
		return
	}
	if e.track && !e.whole && !g.dirty {
		g.dirty = true
		e.dirty = append(e.dirty, groupRef{d.rule, i})
	}
	start := g.more.start
	hi := 0
	for hi+1 < len(g.entries) && g.entries[hi+1].at <= start+r.span {
		hi++
	}
	held, value := e.decide(r, g.entries[:hi+1], g.more.lost)
	if held {
		e.fill(r, g, 0, hi, value)
		e.match.Count += g.more.lost
		e.match.Sample = slices.Clone(g.more.sample) // what raise does may come back to the group
	}
	g.more.closedTo, g.more.lost = start+r.span, 0
	r.cut(g, 0, hi+1)
	if len(g.entries) > 0 {
		g.more.lag = 0
		e.schedule(r, g, g.entries[0].at)
	}
	if held {
		raise(&e.match)
	}
}

// decide measures a window that is over.
func (e *Engine) decide(r *ruleState, list []entry, lost int64) (bool, float64) {
	switch r.Type {
	case sigma.EventCount:
		n := float64(lost)
		for _, x := range list {
			n += float64(x.n)
		}
		return r.holds(n), n
	case sigma.ValueAvg:
		sum := 0.0
		for _, x := range list {
			sum += x.number()
		}
		n := sum / float64(len(list))
		return r.holds(n), n
	case sigma.ValuePercentile, sigma.ValueMedian:
		if r.shares() {
			return e.share(r, list)
		}
		p := r.Percentile
		if r.Type == sigma.ValueMedian {
			p = 50
		}
		n := e.percentile(list, p)
		return r.holds(n), n
	case sigma.TemporalOrdered:
		return e.inOrder(r, list)
	}
	w := e.window(r, list)
	for i := range list {
		w.add(i, 1)
	}
	v := w.value()
	return w.holds(v), v
}

// percentile interpolates between the two nearest of the sorted numbers; the median of two is the middle.
func (e *Engine) percentile(list []entry, p float64) float64 {
	e.nums = e.nums[:0]
	for _, x := range list {
		e.nums = append(e.nums, x.number())
	}
	slices.Sort(e.nums)
	at := p / 100 * float64(len(e.nums)-1)
	i := int(at)
	if i+1 >= len(e.nums) {
		return e.nums[len(e.nums)-1]
	}
	return e.nums[i] + (at-float64(i))*(e.nums[i+1]-e.nums[i])
}

// share finds the first value whose part of all, in percent, satisfies the condition.
func (e *Engine) share(r *ruleState, list []entry) (bool, float64) {
	c := &e.counts
	c.reset(len(list))
	for _, x := range list {
		s := c.slot(x.val)
		c.vals[s] = x.val
		c.counts[s]++
	}
	for _, x := range list {
		if v := 100 * float64(c.counts[c.slot(x.val)]) / float64(len(list)); r.holds(v) {
			return true, v
		}
	}
	return false, 0
}

// inOrder measures the longest chain of rules in their order, or whether one of the alternatives of the condition holds.
func (e *Engine) inOrder(r *ruleState, list []entry) (bool, float64) {
	longest := func(want uint64) int {
		n := bits.OnesCount64(want)
		s := e.starts(n)
		for _, x := range list {
			e.step(s, want, n, x)
		}
		for k := n; k > 0; k-- {
			if s[n*n+k-1] != math.MinInt64 {
				return k
			}
		}
		return 0
	}
	if r.sets == nil {
		v := float64(longest(1<<len(r.Rules) - 1))
		return r.holds(v), v
	}
	var all uint64
	for _, x := range list {
		all |= x.val
	}
	for _, s := range r.sets {
		n := bits.OnesCount64(s[0])
		if s[1]&all == 0 && longest(s[0]) == n {
			return true, float64(n)
		}
	}
	return false, 0
}
