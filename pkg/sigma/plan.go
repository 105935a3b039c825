package sigma

import (
	"fmt"
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
		for _, set := range ix.preds[id].guards {
			for _, g := range set {
				p.mark(g, g)
			}
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
	var sets [][]string
	switch pr.op {
	case opRegex:
		sets = literalsOf(pr.re.String())
	case opGlob:
		for _, q := range pr.glob {
			if q.kind == literal && telling(q.text) {
				sets = append(sets, []string{fold(q.text)})
			}
		}
	case opExact, opPrefix, opSuffix, opContains:
		if pr.text != "" {
			sets = [][]string{{fold(pr.text)}}
		}
	}
	for _, set := range sets {
		var guards []int32
		for _, l := range set {
			g := p.ix.intern(predicate{atom: &atom{op: opContains, text: l}, slot: pr.slot, other: keywordSlot})
			for int(g) >= len(p.uses) {
				p.uses = append(p.uses, 1)
			}
			guards = append(guards, g)
		}
		p.ix.preds[id].guards = append(p.ix.preds[id].guards, guards)
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
	best := witness{cost: never}
	for _, set := range pr.guards {
		w := witness{preds: set}
		for _, g := range set {
			w.cost += p.cost(g)
		}
		if w.cost < best.cost {
			best = w
		}
	}
	return best
}
