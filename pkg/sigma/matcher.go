package sigma

import (
	"slices"

	"leat/pkg/event"
)

// Matcher matches events against an Index. It holds memory that is reused; it is for one goroutine.
type Matcher struct {
	ix    *Index
	r     *reading
	now   uint32   // twice the number of the event
	state []uint32 // by predicate: now+1 where it is known to hold, now where it is known not to
	found []uint32 // by predicate: now where the scan has found it
	woken []uint32 // by rule: now where it is a candidate
	cands []int32
	hits  []int32

	counts []*RuleCount // by rule; nil: nothing is counted
}

// NewMatcher makes a Matcher.
func (ix *Index) NewMatcher() *Matcher {
	return &Matcher{
		ix: ix, r: newReading(ix.fields, ix.words),
		state: make([]uint32, len(ix.preds)), found: make([]uint32, len(ix.preds)), woken: make([]uint32, len(ix.rules)),
	}
}

// Match returns the indices of the rules that e, which must have been parsed, matches: in ascending order, valid until
// the next Match.
func (m *Matcher) Match(e *event.Event) []int32 {
	m.hits = m.hits[:0]
	if len(m.ix.rules) == 0 {
		return m.hits
	}
	m.r.read(e)
	if m.now += 2; m.now == 0 {
		clear(m.state)
		clear(m.found)
		clear(m.woken)
		m.now = 2
	}
	m.cands = append(m.cands[:0], m.ix.always...)
	for _, slot := range m.r.touched {
		m.wake(m.ix.slotWakes[slot])
		m.look(&m.ix.scan[slot+1], m.r.slots[slot].first)
	}
	m.words(&m.ix.scan[0])
	if m.counts != nil {
		m.counted()
	} else {
		for _, rule := range m.cands {
			if m.run(m.ix.fastStarts[rule]) {
				m.hits = append(m.hits, rule)
			}
		}
	}
	slices.Sort(m.hits)
	return m.hits
}

// look scans the values of a field.
func (m *Matcher) look(s *scanner, first int32) {
	for i := first; i >= 0; i = m.r.vals[i].next {
		text := m.r.vals[i].folded
		s.anchors.scan(text, m)
		if s.grams != nil {
			s.grams.scan(text, m)
		}
	}
}

// words scans all values for keywords: in one piece for what may lie anywhere in a value.
func (m *Matcher) words(s *scanner) {
	if s.grams != nil {
		s.grams.scan(m.r.folds, m)
	}
	if !s.anchors.empty() {
		for i := m.r.word(0); i >= 0; i = m.r.word(i + 1) {
			s.anchors.scan(m.r.vals[i].folded, m)
		}
	}
}

func (m *Matcher) wasHit(id int32) bool { return m.found[id] == m.now }

// hit notes that the scan has found predicate id.
func (m *Matcher) hit(id int32) {
	if m.found[id] == m.now {
		return
	}
	m.found[id] = m.now
	for _, t := range m.ix.marks[id] {
		if m.state[t] != m.now+1 {
			m.state[t] = m.now + 1
			m.wake(m.ix.wakes[t])
		}
	}
}

func (m *Matcher) wake(rules []int32) {
	for _, r := range rules {
		if m.woken[r] != m.now {
			m.woken[r] = m.now
			m.cands = append(m.cands, r)
		}
	}
}

// run evaluates an instruction of the fast program.
func (m *Matcher) run(at int32) bool {
	in := &m.ix.fast[at]
	switch in.kind {
	case fastSeen:
		return m.state[in.pred] == m.now+1
	case fastLazy:
		return m.lazy(in.pred)
	case fastTest:
		return m.holds(&m.ix.preds[in.pred])
	case fastNot:
		return !m.run(in.kid)
	case fastAnd:
		for k := in.kid; k < in.end; k++ {
			if !m.run(k) {
				return false
			}
		}
		return true
	}
	for k := in.kid; k < in.end; k++ {
		if m.run(k) {
			return true
		}
	}
	return false
}

// lazy evaluates a predicate once per event.
func (m *Matcher) lazy(id int32) bool {
	switch m.state[id] {
	case m.now + 1:
		return true
	case m.now:
		return false
	}
	p := &m.ix.preds[id]
	ok := true
	for _, set := range p.guards {
		if ok = m.anySeen(set); !ok {
			break
		}
	}
	ok = ok && m.holds(p)
	m.state[id] = m.now
	if ok {
		m.state[id]++
	}
	return ok
}

// known tells whether a predicate holds, by what the scan found or was evaluated before where that is enough.
func (m *Matcher) known(id int32) bool {
	p := &m.ix.preds[id]
	switch {
	case p.eager():
		if len(m.ix.marks[id]) > 0 {
			return m.wasHit(id)
		}
		return m.holds(p)
	case p.op == opNull || p.op == opExists || p.op == opAbsent || p.op == opPresent:
		return m.holds(p)
	}
	return m.lazy(id)
}

func (m *Matcher) anySeen(set []int32) bool {
	for _, g := range set {
		if m.state[g] == m.now+1 {
			return true
		}
	}
	return false
}

// eval evaluates an instruction of the plain program, as the rule is written; atom tells whether a predicate holds.
func (m *Matcher) eval(at int32, atom func(id int32) bool) bool {
	in := &m.ix.code[at]
	switch in.kind {
	case isAtom:
		return atom(in.pred)
	case isNot:
		return !m.eval(in.kid, atom)
	case isAnd:
		for k := in.kid; k < in.end; k++ {
			if !m.eval(k, atom) {
				return false
			}
		}
		return true
	}
	for k := in.kid; k < in.end; k++ {
		if m.eval(k, atom) {
			return true
		}
	}
	return false
}

// plain tells whether a predicate holds, without the index.
func (m *Matcher) plain(id int32) bool { return m.holds(&m.ix.preds[id]) }

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
		for i := m.r.first(p.slot); i >= 0; i = m.r.next(p.slot, i) {
			for j := m.r.first(p.other); j >= 0; j = m.r.next(p.other, j) {
				if p.refHolds(m.r.vals[i].texts, m.r.vals[j].texts) {
					return true
				}
			}
		}
		return false
	}
	for i := m.r.first(p.slot); i >= 0; i = m.r.next(p.slot, i) {
		if p.holdsText(m.r.vals[i].texts) {
			return true
		}
	}
	return false
}
