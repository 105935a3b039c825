package sigma

import "leat/pkg/event"

// Matcher matches events against an Index. It holds memory that is reused; it is for one goroutine.
type Matcher struct {
	ix   *Index
	r    *reading
	hits []int32
}

// NewMatcher makes a Matcher.
func (ix *Index) NewMatcher() *Matcher {
	return &Matcher{ix: ix, r: newReading(ix.fields, ix.words)}
}

// Match returns the indices of the rules that e, which must have been parsed, matches: in ascending order, valid until
// the next Match.
func (m *Matcher) Match(e *event.Event) []int32 {
	m.r.read(e)
	m.hits = m.hits[:0]
	for i, at := range m.ix.starts {
		if m.eval(at) {
			m.hits = append(m.hits, int32(i))
		}
	}
	return m.hits
}

func (m *Matcher) eval(at int32) bool {
	in := &m.ix.code[at]
	switch in.kind {
	case isAtom:
		return m.holds(&m.ix.preds[in.pred])
	case isNot:
		return !m.eval(in.kid)
	case isAnd:
		for k := in.kid; k < in.end; k++ {
			if !m.eval(k) {
				return false
			}
		}
		return true
	}
	for k := in.kid; k < in.end; k++ {
		if m.eval(k) {
			return true
		}
	}
	return false
}

// holds evaluates a predicate on the event that was read.
func (m *Matcher) holds(p *predicate) bool {
	switch p.op {
	case opExists:
		return m.r.exists(p.slot)
	case opAbsent:
		return !m.r.exists(p.slot)
	case opNull:
		return m.r.first(p.slot) < 0
	case opRef:
		for i := m.r.first(p.slot); i >= 0; i = m.r.vals[i].next {
			for j := m.r.first(p.other); j >= 0; j = m.r.vals[j].next {
				if p.refHolds(m.r.vals[i].texts, m.r.vals[j].texts) {
					return true
				}
			}
		}
		return false
	}
	for i := m.r.first(p.slot); i >= 0; i = m.r.vals[i].next {
		if p.holdsText(m.r.vals[i].texts) {
			return true
		}
	}
	return false
}
