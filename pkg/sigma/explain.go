package sigma

import "unicode/utf8"

// Clause is one comparison of a rule and what the event had for it.
type Clause struct {
	Detection string // the name of the search it stands in
	Field     string // empty for keywords
	Modifiers string // contains|all
	Want      string // the rule's value
	Have      string // the event's value, cut at 1 KiB; the one that matched, or else the first
	Present   bool   // the event has the field, with a value that is not null
	Held      bool
	// Negated is true where the clause stands below an odd number of nots.
	Negated bool
}

// maxShown is how much of a value a clause shows.
const maxShown = 1 << 10

// Matched returns the clauses of rule i that made it match the event that Match saw last: those that held and are not
// negated, one for each list of alternatives.
func (m *Matcher) Matched(i int32) []Clause {
	x := explainer{m: m, why: true, atom: m.known}
	x.node(m.ix.rules[i].root, m.ix.starts[i], "", false)
	return x.out
}

// Explain returns every clause of rule i with what the event that Match saw last had for it, and whether the rule matched.
func (m *Matcher) Explain(i int32) (clauses []Clause, matched bool) {
	x := explainer{m: m, atom: m.plain}
	x.node(m.ix.rules[i].root, m.ix.starts[i], "", false)
	return x.out, m.eval(m.ix.starts[i], m.plain)
}

type explainer struct {
	m   *Matcher
	why bool // only what made the rule match
	// atom tells whether a predicate holds: by the index where only the reasons of a match are wanted, which the index
	// has found, and else without it.
	atom func(id int32) bool
	out  []Clause
}

func (x *explainer) node(n *node, at int32, name string, negated bool) {
	if n.name != "" {
		name = n.name
	}
	if x.why && (negated || !x.m.eval(at, x.atom)) {
		return
	}
	in := &x.m.ix.code[at]
	switch n.kind {
	case isAtom:
		x.out = append(x.out, x.clause(in.pred, n.atom, name, negated))
	case isNot:
		x.node(n.kids[0], in.kid, name, !negated)
	default:
		for i, k := range n.kids {
			x.node(k, in.kid+int32(i), name, negated)
			if x.why && n.kind == isOr && x.m.eval(in.kid+int32(i), x.atom) {
				return
			}
		}
	}
}

func (x *explainer) clause(id int32, a *atom, name string, negated bool) Clause {
	p := &x.m.ix.preds[id]
	c := Clause{Detection: name, Field: a.field, Modifiers: a.mods, Want: a.shown, Held: x.atom(id), Negated: negated}
	r := x.m.r
	show := r.first(p.slot)
	c.Present = show >= 0
	if p.slot == keywordSlot {
		show = -1 // not one of many values without a reason
	}
	if c.Held && p.op <= opTime && p.op != opRef && p.op != opNull && p.op != opAbsent {
		for i := r.first(p.slot); i >= 0; i = r.next(p.slot, i) {
			if p.holdsText(r.vals[i].texts) {
				show = i
				break
			}
		}
	}
	if show >= 0 {
		c.Have = cut(r.vals[show].text)
	}
	return c
}

func cut(s []byte) string {
	if len(s) <= maxShown {
		return string(s)
	}
	n := maxShown
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return string(s[:n])
}
