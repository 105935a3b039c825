package sigma

import (
	"errors"
	"net/netip"
)

// Index is any number of rules, compiled to be matched at once. It is immutable and may be shared.
type Index struct {
	rules  []*Rule
	fields *fieldSet
	words  bool
	preds  []predicate
	code   []inst
	starts []int32 // by rule: its root in code
	ids    map[predKey]int32

	// What follows is made by plan.
	fast       []fastInst
	fastStarts []int32
	marks      [][]int32 // by predicate that a scan found: the predicates that this makes true
	wakes      [][]int32 // by predicate: the rules that become candidates
	slotWakes  [][]int32 // by slot
	always     []int32   // rules that are candidates for every event
	scan       []scanner // by slot + 1; the first is that of keywords
}

// predicate is an atom at the places of its field.
type predicate struct {
	*atom
	slot, other int32
	guards      [][]int32 // sets of which one each must be seen before evaluating pays
}

// inst is a node of a compiled condition: an atom with its predicate, or kids that lie side by side.
type inst struct {
	kind     nodeKind
	pred     int32
	kid, end int32
}

// NewIndex compiles rules; m maps their fields (nil: Direct). A match is told as an index into rules.
func NewIndex(rules []*Rule, m Mapper) (*Index, error) {
	if m == nil {
		m = Direct{}
	}
	ix := &Index{rules: rules, fields: newFieldSet(), ids: map[predKey]int32{}}
	c := &compiler{ix: ix, mapper: m, slots: map[sourceField]int32{}}
	for _, r := range rules {
		if r.root == nil {
			return nil, errors.New("compile: a rule that ParseFile did not make")
		}
		ix.starts = append(ix.starts, c.rule(r))
	}
	ix.plan()
	ix.ids = nil // of use while compiling alone
	return ix, nil
}

// Rules returns the rules in the order of their indices.
func (ix *Index) Rules() []*Rule { return ix.rules }

type compiler struct {
	ix     *Index
	mapper Mapper
	source LogSource
	slots  map[sourceField]int32
}

// sourceField is a field as rules of one log source name it.
type sourceField struct {
	source LogSource
	field  string
}

func (c *compiler) rule(r *Rule) int32 {
	c.source = r.LogSource
	at := int32(len(c.ix.code))
	c.ix.code = append(c.ix.code, inst{})
	c.node(r.root, at)
	return at
}

func (c *compiler) node(n *node, at int32) {
	if n.kind == isAtom {
		c.ix.code[at] = inst{kind: isAtom, pred: c.predicate(n.atom)}
		return
	}
	kid := int32(len(c.ix.code))
	end := kid + int32(len(n.kids))
	c.ix.code = append(c.ix.code, make([]inst, len(n.kids))...)
	c.ix.code[at] = inst{kind: n.kind, kid: kid, end: end}
	for i, k := range n.kids {
		c.node(k, kid+int32(i))
	}
}

func (c *compiler) slot(field string) int32 {
	if field == "" {
		c.ix.words = true
		return keywordSlot
	}
	key := sourceField{c.source, field}
	s, ok := c.slots[key]
	if !ok {
		s = c.ix.fields.slot(field, c.mapper.Paths(c.source, field))
		c.slots[key] = s
	}
	return s
}

func (c *compiler) predicate(a *atom) int32 {
	p := predicate{atom: a, slot: c.slot(a.field), other: keywordSlot}
	if a.op == opRef {
		p.other = c.slot(a.ref)
	}
	return c.ix.intern(p)
}

// predKey is what makes two predicates the same.
type predKey struct {
	slot, other    int32
	op, refOp      op
	cased          bool
	num            float64
	prefix         netip.Prefix
	cmp            string
	text, glob, re string
}

// intern returns the id of a predicate; equal ones have the same.
func (ix *Index) intern(p predicate) int32 {
	key := predKey{
		slot: p.slot, other: p.other, op: p.op, refOp: p.refOp, cased: p.cased, num: p.num, prefix: p.prefix, cmp: p.cmp,
		text: p.text,
	}
	if p.op == opGlob {
		key.glob = p.glob.source()
	}
	if p.re != nil {
		key.re = p.re.String()
	}
	if id, ok := ix.ids[key]; ok {
		return id
	}
	id := int32(len(ix.preds))
	ix.ids[key] = id
	ix.preds = append(ix.preds, p)
	return id
}
