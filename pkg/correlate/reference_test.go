package correlate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	"leat/pkg/sigma"
)

// reference is the slow and obvious evaluator: it keeps what came and looks at every window anew.
type reference struct {
	c       *sigma.Correlation
	span    int64
	horizon int64
	stream  int64
	groups  map[string]*refGroup
}

type refGroup struct {
	events []refEvent
	covers []*refCover
	newest int64
	past   int64
	seen   int64
}

type refEvent struct {
	at    int64
	id    string
	mask  uint64
	value string
	num   float64
	seq   int
}

func (r *reference) sorted(list []refEvent) []refEvent {
	out := slices.Clone(list)
	slices.SortStableFunc(out, func(a, b refEvent) int {
		if n := cmp.Compare(a.at, b.at); n != 0 || r.c.Type != sigma.TemporalOrdered {
			return n
		}
		first := func(m uint64) int {
			for i := range 64 {
				if m>>i&1 == 1 {
					return i
				}
			}
			return 64
		}
		if n := cmp.Compare(first(a.mask), first(b.mask)); n != 0 {
			return n
		}
		return cmp.Compare(a.mask, b.mask)
	})
	return out
}

// advance forgets groups that the stream has left behind.
func (r *reference) advance(at int64) {
	r.stream = max(r.stream, at)
	for key, g := range r.groups {
		if g.seen < r.stream-r.horizon {
			delete(r.groups, key)
		}
	}
}

// observe is Observe of a rising condition.
func (r *reference) observe(key string, ev refEvent) string {
	g := r.groups[key]
	if g == nil {
		g = &refGroup{newest: ev.at, past: minTime}
		r.groups[key] = g
	}
	g.seen = r.stream
	g.newest = max(g.newest, ev.at)
	near := func(at, newest int64) bool { return newest != minTime && at >= newest-r.horizon && at <= newest }
	if !near(ev.at, g.newest) && !near(ev.at, g.past) {
		g.past = ev.at
	}
	kept := func(at int64) bool { return near(at, g.newest) || near(at, g.past) }
	g.covers = slices.DeleteFunc(g.covers, func(c *refCover) bool {
		s := c.start
		return s+r.span < g.newest-r.horizon && (g.past == minTime || s+r.span < g.past-r.horizon || s > g.past)
	})
	for _, c := range g.covers {
		if ev.at >= c.start && ev.at <= c.start+r.span {
			return r.revise(c, key, ev)
		}
	}
	g.events = append(g.events, ev)
	g.events = slices.DeleteFunc(g.events, func(x refEvent) bool { return !kept(x.at) })
	list := r.sorted(g.events)
	for j := range list {
		var in []refEvent
		for _, x := range list[:j+1] {
			if x.at >= list[j].at-r.span {
				in = append(in, x)
			}
		}
		if !slices.ContainsFunc(in, func(x refEvent) bool { return x.id == ev.id }) {
			continue
		}
		if ok, value := r.measure(in); ok {
			start := in[0].at
			c := &refCover{start: start, told: len(in), value: value, revision: 1}
			g.covers = append(g.covers, c)
			g.events = slices.DeleteFunc(g.events, func(x refEvent) bool {
				if x.at < start || x.at > start+r.span {
					return false
				}
				c.all = append(c.all, x)
				return true
			})
			return show(key, start, list[j].at, value, in)
		}
	}
	return ""
}

// refCover is a window that was told, with all of its events.
type refCover struct {
	start          int64
	all            []refEvent
	told, revision int
	value          float64
}

// revise tells the window anew where it has twice as many events as when it was told.
func (r *reference) revise(c *refCover, key string, ev refEvent) string {
	c.all = append(c.all, ev)
	if len(c.all) < 2*c.told {
		return ""
	}
	c.told = len(c.all)
	c.revision++
	end, sum := int64(minTime), 0.0
	for _, x := range c.all {
		end, sum = max(end, x.at), sum+x.num
	}
	switch r.c.Type {
	case sigma.EventCount:
		c.value = float64(len(c.all))
	case sigma.ValueSum:
		c.value = sum
	}
	return fmt.Sprintf("%s %d-%d %d %.9g %s revision %d", key, c.start, end, len(c.all), c.value, ev.id, c.revision)
}

// windows are the matches of a closing condition over all that came, in any order.
func (r *reference) windows(key string, events []refEvent) (out []string) {
	list := r.sorted(events)
	for len(list) > 0 {
		n := 0
		for n < len(list) && list[n].at <= list[0].at+r.span {
			n++
		}
		if ok, value := r.measure(list[:n]); ok {
			out = append(out, show(key, list[0].at, list[n-1].at, value, list[:n]))
		}
		list = list[n:]
	}
	return out
}

func show(key string, start, end int64, value float64, in []refEvent) string {
	var ids []string
	for _, x := range in {
		ids = append(ids, x.id)
	}
	slices.Sort(ids)
	return fmt.Sprintf("%s %d-%d %d %.9g %s", key, start, end, len(in), value, strings.Join(ids, ","))
}

func showMatch(m *Match) string {
	var ids []string
	for _, id := range m.IDs {
		ids = append(ids, string(id))
	}
	slices.Sort(ids)
	out := fmt.Sprintf("%s %d-%d %d %.9g %s", m.Key, m.Start, m.End, m.Count, m.Value, strings.Join(ids, ","))
	if m.Revision > 1 {
		out += fmt.Sprintf(" revision %d", m.Revision)
	}
	return out
}

// measure looks at the events of one window, which are in their order.
func (r *reference) measure(in []refEvent) (bool, float64) {
	var value float64
	switch r.c.Type {
	case sigma.EventCount:
		value = float64(len(in))
	case sigma.ValueCount:
		set := map[string]bool{}
		for _, x := range in {
			set[x.value] = true
		}
		value = float64(len(set))
	case sigma.ValueSum, sigma.ValueAvg:
		for _, x := range in {
			value += x.num
		}
		if r.c.Type == sigma.ValueAvg {
			value /= float64(len(in))
		}
	case sigma.ValueMedian:
		var nums []float64
		for _, x := range in {
			nums = append(nums, x.num)
		}
		slices.Sort(nums)
		value = (nums[(len(nums)-1)/2] + nums[len(nums)/2]) / 2
	case sigma.ValuePercentile:
		for _, x := range in {
			same := 0
			for _, y := range in {
				if x.value == y.value {
					same++
				}
			}
			value = 100 * float64(same) / float64(len(in))
			if r.bounds(value) {
				return true, value
			}
		}
		return false, 0
	case sigma.Temporal:
		var all uint64
		for _, x := range in {
			all |= x.mask
		}
		for i := range 64 {
			value += float64(all >> i & 1)
		}
		if r.c.Expr != nil {
			return refExpr(r.c.Expr, func(i int) bool { return all>>i&1 == 1 }), value
		}
	case sigma.TemporalOrdered:
		if r.c.Expr != nil {
			return r.orderedExpr(in)
		}
		value = float64(longest(in, len(r.c.Rules), ^uint64(0)))
	}
	return r.bounds(value), value
}

func (r *reference) bounds(v float64) bool {
	for _, b := range r.c.Bounds {
		if !b.Holds(v) {
			return false
		}
	}
	return true
}

func refExpr(x *sigma.Expr, has func(int) bool) bool {
	switch x.Op {
	case sigma.ExprRef:
		return has(x.Ref)
	case sigma.ExprNot:
		return !refExpr(x.Kids[0], has)
	}
	and := true
	or := false
	for _, k := range x.Kids {
		v := refExpr(k, has)
		and, or = and && v, or || v
	}
	return x.Op == sigma.ExprAnd && and || x.Op == sigma.ExprOr && or
}

// longest tries every way to pick events for the rules of want in their order.
func longest(in []refEvent, rules int, want uint64) int {
	var try func(at, rule int) int
	try = func(at, rule int) int {
		if at == len(in) || rule == rules {
			return 0
		}
		best := max(try(at+1, rule), try(at, rule+1))
		if want>>rule&1 == 1 && in[at].mask>>rule&1 == 1 {
			best = max(best, 1+try(at+1, rule+1))
		}
		return best
	}
	return try(0, 0)
}

// orderedExpr tries every set of rules: those of the set must come in order, and those that are not there must be absent
// where the condition needs them to be.
func (r *reference) orderedExpr(in []refEvent) (bool, float64) {
	var all uint64
	for _, x := range in {
		all |= x.mask
	}
	for set := range uint64(1) << len(r.c.Rules) {
		if set&^all != 0 || !holdsFor(r.c.Expr, set, all) {
			continue
		}
		n := 0
		for i := range r.c.Rules {
			n += int(set >> i & 1)
		}
		if longest(in, len(r.c.Rules), set) == n {
			return true, 0
		}
	}
	return false, 0
}

// holdsFor: what must match is in set, what must not is not among all that matched.
func holdsFor(x *sigma.Expr, set, all uint64) bool {
	var eval func(x *sigma.Expr, neg bool) bool
	eval = func(x *sigma.Expr, neg bool) bool {
		switch x.Op {
		case sigma.ExprRef:
			if neg {
				return all>>x.Ref&1 == 0
			}
			return set>>x.Ref&1 == 1
		case sigma.ExprNot:
			return eval(x.Kids[0], !neg)
		}
		and, or := true, false
		for _, k := range x.Kids {
			v := eval(k, neg)
			and, or = and && v, or || v
		}
		if (x.Op == sigma.ExprAnd) != neg {
			return and
		}
		return or
	}
	return eval(x, false)
}

func newReference(r *ruleState) *reference {
	return &reference{c: r.Correlation, span: r.span, horizon: r.horizon, groups: map[string]*refGroup{}}
}

func mustNew(t testing.TB, lim Limits, list ...*sigma.Correlation) *Engine {
	t.Helper()
	var rules []Rule
	for i, c := range list {
		rules = append(rules, Rule{ID: fmt.Sprintf("r%d", i), Correlation: c})
	}
	e, err := New(rules, lim)
	if err != nil {
		t.Fatal(err)
	}
	return e
}
