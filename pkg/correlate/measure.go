package correlate

import (
	"math"
	"math/bits"
	"slices"

	"leat/pkg/sigma"
)

// hash is FNV-1a with a final mix: it is part of snapshots, so it is the same in every process.
func hash(b []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range b {
		h = (h ^ uint64(c)) * 1099511628211
	}
	h ^= h >> 32
	h *= 0x9E3779B97F4A7C15
	return h ^ h>>29
}

func numberBits(f float64) uint64 { return math.Float64bits(f) }

func (x entry) number() float64 { return math.Float64frombits(x.val) }

// counter counts values. Its memory is reused.
type counter struct {
	vals     []uint64
	counts   []int32
	mask     int
	distinct int
}

// reset makes room for n values.
func (c *counter) reset(n int) {
	size := 1 << bits.Len(uint(2*n+2))
	if len(c.vals) < size {
		c.vals, c.counts = make([]uint64, size), make([]int32, size)
	}
	clear(c.counts[:size]) // of a larger table a part is used
	c.mask, c.distinct = size-1, 0
}

func (c *counter) slot(v uint64) int {
	i := int(v) & c.mask
	for c.counts[i] != 0 && c.vals[i] != v {
		i = (i + 1) & c.mask
	}
	return i
}

// window slides over the entries of a group and keeps the number that the rule is about.
type window struct {
	e    *Engine
	r    *ruleState
	list []entry
	sum  float64
	bits uint64
}

func (e *Engine) window(r *ruleState, list []entry) window {
	w := window{e: e, r: r, list: list}
	switch {
	case r.Type == sigma.ValueCount:
		e.counts.reset(len(list))
	case r.Type.OfRules():
		e.cnt = [64]int32{}
	}
	return w
}

func (w *window) add(i int, by int32) {
	x := w.list[i]
	switch {
	case w.r.Type == sigma.ValueSum:
		w.sum += float64(by) * x.number()
	case w.r.Type == sigma.ValueCount:
		// Entries never leave the table while it is in use: a count that is down to zero keeps its place by being negative.
		c := &w.e.counts
		s := c.slot(x.val)
		had := c.counts[s]
		live := had
		if had < 0 {
			live = 0
		}
		live += by
		c.vals[s] = x.val
		switch {
		case by > 0 && live == 1:
			c.distinct++
		case live == 0:
			c.distinct--
			live = -1
		}
		c.counts[s] = live
	case w.r.Type.OfRules():
		for m := x.val; m != 0; m &= m - 1 {
			b := bits.TrailingZeros64(m)
			w.e.cnt[b] += by
			if w.e.cnt[b] == 0 {
				w.bits &^= 1 << b
			} else {
				w.bits |= 1 << b
			}
		}
	}
}

// scan looks for the first window that holds and has entry p in it. lo and hi are its entries.
func (e *Engine) scan(r *ruleState, list []entry, p int) (lo, hi int, value float64, ok bool) {
	if r.Type == sigma.EventCount {
		for i := max(0, p-r.need+1); i <= p && i+r.need <= len(list); i++ {
			if j := i + r.need - 1; list[j].at-list[i].at <= r.span {
				return i, j, float64(r.need), true
			}
		}
		return 0, 0, 0, false
	}
	first := p
	for first > 0 && list[first-1].at >= list[p].at-r.span {
		first--
	}
	end := p + 1
	for end < len(list) && list[end].at <= list[p].at+r.span {
		end++
	}
	if r.Type == sigma.ValueCount && end-first < r.need {
		return 0, 0, 0, false
	}
	if r.Type == sigma.TemporalOrdered {
		return e.ordered(r, list[:end], first, p)
	}
	w := e.window(r, list[first:end])
	tail := 0
	for j := range w.list {
		w.add(j, 1)
		for w.list[tail].at < w.list[j].at-r.span {
			w.add(tail, -1)
			tail++
		}
		if first+j < p {
			continue
		}
		value = w.value()
		if w.holds(value) {
			return first + tail, first + j, value, true
		}
	}
	return 0, 0, 0, false
}

func (w *window) value() float64 {
	switch {
	case w.r.Type == sigma.ValueSum:
		return w.sum
	case w.r.Type == sigma.ValueCount:
		return float64(w.e.counts.distinct)
	}
	return float64(bits.OnesCount64(w.bits))
}

func (w *window) holds(value float64) bool {
	if w.r.Expr != nil {
		return evaluate(w.r.Expr, w.bits)
	}
	return w.r.holds(value)
}

// evaluate tells whether an extended condition holds where the rules of mask matched.
func evaluate(x *sigma.Expr, mask uint64) bool {
	switch x.Op {
	case sigma.ExprRef:
		return mask>>x.Ref&1 != 0
	case sigma.ExprNot:
		return !evaluate(x.Kids[0], mask)
	case sigma.ExprAnd:
		return !slices.ContainsFunc(x.Kids, func(k *sigma.Expr) bool { return !evaluate(k, mask) })
	}
	return slices.ContainsFunc(x.Kids, func(k *sigma.Expr) bool { return evaluate(k, mask) })
}

// maxTerms bounds the alternatives of an extended condition of an ordered type.
const maxTerms = 64

// terms writes an extended condition as alternatives: rules that must match, and rules that must not. Nil: too many.
func terms(x *sigma.Expr) [][2]uint64 { return alternatives(x, false) }

func alternatives(x *sigma.Expr, negated bool) [][2]uint64 {
	switch {
	case x.Op == sigma.ExprRef && negated:
		return [][2]uint64{{0, 1 << x.Ref}}
	case x.Op == sigma.ExprRef:
		return [][2]uint64{{1 << x.Ref, 0}}
	case x.Op == sigma.ExprNot:
		return alternatives(x.Kids[0], !negated)
	}
	out := [][2]uint64{}
	if and := (x.Op == sigma.ExprAnd) != negated; and {
		out = append(out, [2]uint64{})
		for _, k := range x.Kids {
			var more [][2]uint64
			for _, a := range out {
				for _, b := range alternatives(k, negated) {
					more = append(more, [2]uint64{a[0] | b[0], a[1] | b[1]})
				}
			}
			if out = more; len(out) > maxTerms {
				return nil
			}
		}
		return out
	}
	for _, k := range x.Kids {
		if out = append(out, alternatives(k, negated)...); len(out) > maxTerms {
			return nil
		}
	}
	return out
}

// ordered looks for the first window that ends with entry p or later and has the rules in their order.
func (e *Engine) ordered(r *ruleState, list []entry, first, p int) (lo, hi int, value float64, ok bool) {
	best := func(want uint64, most int) {
		// chain[k] is the latest begin of a chain of k+1 entries; it grows with the entries.
		n := bits.OnesCount64(want)
		starts := e.starts(n)
		for j := first; j < len(list) && (!ok || j <= hi); j++ {
			full := e.step(starts, want, n, list[j])
			if j < p {
				continue
			}
			from := list[j].at - r.span
			count := 0
			for k := range n {
				if full[k] >= from {
					count = k + 1
				}
			}
			if most > 0 && count == n || most == 0 && r.holds(float64(count)) {
				if !ok || j < hi {
					hi, value, ok = j, float64(count), true
				}
				break
			}
		}
	}
	if r.sets == nil {
		best(1<<len(r.Rules)-1, 0)
	}
	for _, s := range r.sets {
		best(s[0], 1)
	}
	if !ok {
		return 0, 0, 0, false
	}
	for lo = hi; lo > first && list[lo-1].at >= list[hi].at-r.span; {
		lo--
	}
	return lo, hi, value, true
}

// starts returns room for chains over n rules: by last rule and length, the latest begin.
func (e *Engine) starts(n int) []int64 {
	e.chain = slices.Grow(e.chain[:0], n*n+n)[:n*n+n]
	for i := range e.chain {
		e.chain[i] = math.MinInt64
	}
	return e.chain
}

// step takes in one entry and returns, by length less one, the latest begin of any chain so far. An entry is one step of a
// chain at most.
func (e *Engine) step(s []int64, want uint64, n int, x entry) []int64 {
	full := s[n*n:]
	// From the last rule to the first, so that what this entry made is not taken for what was there before it.
	rank := n
	for m := want; m != 0; {
		b := 63 - bits.LeadingZeros64(m)
		m &^= 1 << b
		rank--
		if x.val>>b&1 == 0 {
			continue
		}
		for k := range rank + 1 {
			start := int64(math.MinInt64)
			if k == 0 {
				start = x.at
			} else {
				for q := range rank {
					start = max(start, s[q*n+k-1])
				}
			}
			if start > s[rank*n+k] {
				s[rank*n+k] = start
				full[k] = max(full[k], start)
			}
		}
	}
	return full
}
