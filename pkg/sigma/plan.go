package sigma

import (
	"fmt"
	"math"
	"slices"
)

// fastKind is what an instruction of the fast program does.
type fastKind uint8

const (
	fastSeen fastKind = iota // the scan found the predicate (or one of the group)
	fastLazy                 // evaluate the predicate, once per event, unless none of its guards was seen
	fastTest                 // evaluate what costs nothing: null, exists
	fastAnd
	fastOr
	fastNot
)

// fastInst is an instruction; the kids of and, or and not are [kid, end).
type fastInst struct {
	kind     fastKind
	pred     int32
	kid, end int32
}

// groupFrom is how many alternatives that a scan finds are worth one mark for all of them.
const groupFrom = 8

// never is the cost of what can't wake a rule.
const never = math.MaxFloat64

// witness is a set of predicates and fields of which one must be there for a condition to hold; with its cost: how often
// one of them will be, as far as that can be guessed.
type witness struct {
	preds []int32
	slots []int32
	cost  float64
}

// planner turns the plain program into what runs: scanners per field, witnesses, and an ordered program.
type planner struct {
	ix     *Index
	uses   []int // by predicate: in how many places of the plain program
	groups map[string]int32
}

func (ix *Index) plan() {
	p := &planner{ix: ix, uses: make([]int, len(ix.preds)), groups: map[string]int32{}}
	for _, in := range ix.code {
		if in.kind == isAtom {
			p.uses[in.pred]++
		}
	}
	for id := range ix.preds {
		p.guard(int32(id))
	}
	ix.marks = make([][]int32, len(ix.preds))
	for rule, at := range ix.starts {
		start := int32(len(ix.fast))
		ix.fast = append(ix.fast, fastInst{})
		ix.fastStarts = append(ix.fastStarts, start)
		w := p.emit(at, start)
		p.wake(int32(rule), w)
	}
	for id := range ix.preds {
		for _, g := range ix.preds[id].guards {
			p.mark(g, g)
		}
	}
	p.scanners()
}

// guard finds the literals that must be seen before predicate id is worth evaluating.
func (p *planner) guard(id int32) {
	pr := p.ix.preds[id]
	if pr.eager() {
		return
	}
	var lits []string
	switch pr.op {
	case opRegex:
		lits = literalsOf(pr.re.String())
	case opGlob:
		lits = []string{fold(pr.glob.longest())}
	case opExact, opPrefix, opSuffix, opContains:
		lits = []string{fold(pr.text)}
	}
	for _, l := range lits {
		if l == "" {
			p.ix.preds[id].guards = nil
			return
		}
		g := p.ix.intern(predicate{atom: &atom{op: opContains, text: l}, slot: pr.slot, other: keywordSlot})
		for int(g) >= len(p.uses) {
			p.uses = append(p.uses, 1)
		}
		p.ix.preds[id].guards = append(p.ix.preds[id].guards, g)
	}
}

// mark lets the scan set target when it finds predicate id.
func (p *planner) mark(id, target int32) {
	for int(id) >= len(p.ix.marks) {
		p.ix.marks = append(p.ix.marks, nil)
	}
	if !slices.Contains(p.ix.marks[id], target) {
		p.ix.marks[id] = append(p.ix.marks[id], target)
	}
}

// emit writes the fast form of the plain instruction at into slot to, and returns its witness.
func (p *planner) emit(at, to int32) witness {
	in := p.ix.code[at]
	switch in.kind {
	case isAtom:
		return p.atom(in.pred, to)
	case isNot:
		return p.not(in, to)
	case isOr:
		return p.or(p.flat(at, isOr, nil), to)
	}
	kids := p.flat(at, isAnd, nil)
	first := p.room(fastAnd, len(kids), to)
	type done struct {
		inst fastInst
		cost float64
	}
	best := witness{cost: never}
	var list []done
	for i, k := range kids {
		w := p.emit(k, first+int32(i))
		if w.cost < best.cost {
			best = w
		}
		cost := w.cost
		if p.lazy(first + int32(i)) {
			cost += 1e9 // behind all that is known already
		}
		list = append(list, done{p.ix.fast[first+int32(i)], cost})
	}
	slices.SortStableFunc(list, func(a, b done) int {
		switch {
		case a.cost < b.cost:
			return -1
		case a.cost > b.cost:
			return 1
		}
		return 0
	})
	for i, d := range list {
		p.ix.fast[first+int32(i)] = d.inst
	}
	return best
}

// flat returns the kids of the instruction at, those of kids of the same kind included.
func (p *planner) flat(at int32, kind nodeKind, kids []int32) []int32 {
	in := p.ix.code[at]
	if in.kind != kind {
		return append(kids, at)
	}
	for k := in.kid; k < in.end; k++ {
		kids = p.flat(k, kind, kids)
	}
	return kids
}

func (p *planner) room(kind fastKind, n int, to int32) int32 {
	first := int32(len(p.ix.fast))
	p.ix.fast = append(p.ix.fast, make([]fastInst, n)...)
	p.ix.fast[to] = fastInst{kind: kind, kid: first, end: first + int32(n)}
	return first
}

// lazy tells whether the instruction, or one below it, may evaluate something.
func (p *planner) lazy(at int32) bool {
	in := p.ix.fast[at]
	switch in.kind {
	case fastLazy:
		return true
	case fastAnd, fastOr, fastNot:
		for k := in.kid; k < in.end; k++ {
			if p.lazy(k) {
				return true
			}
		}
	}
	return false
}

func (p *planner) not(in inst, to int32) witness {
	first := p.room(fastNot, 1, to)
	p.emit(in.kid, first)
	w := witness{cost: never}
	if kid := p.ix.code[in.kid]; kid.kind == isAtom {
		if pr := &p.ix.preds[kid.pred]; (pr.op == opNull || pr.op == opAbsent) && pr.slot != keywordSlot {
			w = p.present(pr.slot)
		}
	}
	return w
}

func (p *planner) or(kids []int32, to int32) witness {
	var scanned, rest []int32
	for _, k := range kids {
		if in := p.ix.code[k]; in.kind == isAtom && p.ix.preds[in.pred].eager() {
			scanned = append(scanned, in.pred)
		} else {
			rest = append(rest, k)
		}
	}
	if len(scanned) < groupFrom {
		scanned, rest = nil, kids
	}
	n := len(rest)
	if scanned != nil {
		n++
	}
	first := p.room(fastOr, n, to)
	var all witness
	if scanned != nil {
		all.add(p.group(scanned, first))
		first++
	}
	for i, k := range rest {
		all.add(p.emit(k, first+int32(i)))
	}
	return all
}

func (w *witness) add(o witness) {
	if w.cost == never || o.cost == never {
		*w = witness{cost: never}
		return
	}
	w.preds, w.slots, w.cost = append(w.preds, o.preds...), append(w.slots, o.slots...), w.cost+o.cost
}

// group makes one predicate of many that a scan finds.
func (p *planner) group(preds []int32, to int32) witness {
	slices.Sort(preds)
	preds = slices.Compact(preds)
	key := fmt.Sprint(preds)
	id, ok := p.groups[key]
	if !ok {
		id = int32(len(p.ix.preds))
		p.groups[key] = id
		p.ix.preds = append(p.ix.preds, predicate{atom: &atom{op: opGroup}, slot: keywordSlot, other: keywordSlot})
		p.uses = append(p.uses, 1)
		for _, q := range preds {
			p.mark(q, id)
		}
	}
	p.ix.fast[to] = fastInst{kind: fastSeen, pred: id}
	w := witness{preds: []int32{id}}
	for _, q := range preds {
		w.cost += p.cost(q)
	}
	return w
}

func (p *planner) atom(id, to int32) witness {
	pr := &p.ix.preds[id]
	switch pr.op {
	case opExists, opPresent:
		p.ix.fast[to] = fastInst{kind: fastTest, pred: id}
		if pr.slot == keywordSlot {
			return witness{cost: never}
		}
		return p.present(pr.slot)
	case opNull, opAbsent:
		p.ix.fast[to] = fastInst{kind: fastTest, pred: id}
		return witness{cost: never}
	}
	if pr.eager() {
		p.mark(id, id)
		p.ix.fast[to] = fastInst{kind: fastSeen, pred: id}
		return witness{preds: []int32{id}, cost: p.cost(id)}
	}
	p.ix.fast[to] = fastInst{kind: fastLazy, pred: id}
	if pr.guards == nil {
		if pr.slot == keywordSlot {
			return witness{cost: never}
		}
		return p.present(pr.slot)
	}
	w := witness{preds: pr.guards}
	for _, g := range pr.guards {
		w.cost += p.cost(g)
	}
	return w
}

func (p *planner) present(slot int32) witness {
	return witness{slots: []int32{slot}, cost: 50}
}

// cost guesses how often events hold a predicate that the scan finds: the shorter its text and the more rules ask for
// it, the more often.
func (p *planner) cost(id int32) float64 {
	pr := &p.ix.preds[id]
	n := float64(len(pr.text)) + 0.5
	base := 1 / n
	switch pr.op {
	case opContains:
		base = 2 / n / n
		if pr.slot == keywordSlot {
			base *= 4
		}
	case opExact:
		if n < 6 {
			base = 0.3 // numbers and flags
		}
	}
	return base * (1 + math.Sqrt(float64(p.uses[id])))
}

// wake notes by what a rule becomes a candidate.
func (p *planner) wake(rule int32, w witness) {
	ix := p.ix
	if w.cost == never {
		ix.always = append(ix.always, rule)
		return
	}
	for _, q := range w.preds {
		for int(q) >= len(ix.wakes) {
			ix.wakes = append(ix.wakes, nil)
		}
		if !slices.Contains(ix.wakes[q], rule) {
			ix.wakes[q] = append(ix.wakes[q], rule)
		}
	}
	for _, s := range w.slots {
		for int(s) >= len(ix.slotWakes) {
			ix.slotWakes = append(ix.slotWakes, nil)
		}
		if !slices.Contains(ix.slotWakes[s], rule) {
			ix.slotWakes[s] = append(ix.slotWakes[s], rule)
		}
	}
}

// scanners files every predicate that a scan finds under its field.
func (p *planner) scanners() {
	ix := p.ix
	ix.marks = append(ix.marks, make([][]int32, len(ix.preds)-len(ix.marks))...)
	ix.wakes = append(ix.wakes, make([][]int32, len(ix.preds)-len(ix.wakes))...)
	ix.slotWakes = append(ix.slotWakes, make([][]int32, len(ix.fields.names)-len(ix.slotWakes))...)
	needles := make([][]gramRef, len(ix.fields.names)+1)
	ix.scan = make([]scanner, len(ix.fields.names)+1)
	for id := range ix.preds {
		pr := &ix.preds[id]
		if !pr.eager() || len(ix.marks[id]) == 0 {
			continue
		}
		at := pr.slot + 1
		if pr.op == opContains {
			needles[at] = append(needles[at], gramRef{text: pr.text, id: int32(id)})
		} else {
			ix.scan[at].anchors.add(pr.op, pr.text, int32(id))
		}
	}
	for at, list := range needles {
		if len(list) > 0 {
			ix.scan[at].grams = newGrams(list)
		}
	}
}

// scanner is what is looked for in one field.
type scanner struct {
	anchors anchors
	grams   *grams
}

// eager tells whether the scan of the field's folded text finds the predicate.
func (p *predicate) eager() bool { return p.op <= opContains && !p.cased }
