package normalize

import (
	"bytes"

	"leat/pkg/event"
)

// A source writes the same names in the same order over and over. A shape is such a run of names, with what followed from them
// the last time: the mapping, what must be asked again before it can be taken, and the cells of its sources. Comparing names costs less
// than looking each of them up in two tables.
type shape struct {
	names  []byte  // one behind the other
	ends   []int32 // of each in names
	hint   string
	plan   *plan
	sign   signRef   // of the plan, where it asked for more than names; else none
	rivals []signRef // signs that would have counted for more, and did not show then
	slots  []slotCell
	below  []tableCell
}

type slotCell struct{ slot, cell int32 }

// tableCell is an object with sources below it.
type tableCell struct {
	table *pathTable
	cell  int32
}

const (
	maxShapes     = 64
	maxShapeNames = 128
	maxRivals     = 16
)

// shapes are those seen, by a hash of their names' lengths; a new one takes the place of an old one.
type shapes struct {
	by   [maxShapes]*shape
	last *shape
}

// find returns the shape of the record, or nil, and its hash.
func (s *shapes) find(obj *event.Event, hint string) (*shape, uint32) {
	if s.last != nil && s.last.fits(obj, hint) {
		return s.last, 0
	}
	h := uint32(0)
	for n := obj.First(obj.Root()); n != event.None; n = obj.Next(n) {
		h = h*31 + uint32(len(obj.RawKey(n)))
	}
	h ^= h >> 16
	if sh := s.by[h%maxShapes]; sh != nil && sh != s.last && sh.fits(obj, hint) {
		s.last = sh
		return sh, h
	}
	return nil, h
}

func (s *shape) fits(obj *event.Event, hint string) bool {
	if s.hint != hint {
		return false
	}
	i, at := 0, int32(0)
	for n := obj.First(obj.Root()); n != event.None; n = obj.Next(n) {
		if i == len(s.ends) || !bytes.Equal(obj.RawKey(n), s.names[at:s.ends[i]]) {
			return false
		}
		at = s.ends[i]
		i++
	}
	return i == len(s.ends)
}

// holds tells whether the record that look saw, which has the shape, still finds its plan: what recognise asked beyond names says the same.
func (r *runner) holds(s *shape) bool {
	if s.sign.plan != nil && !r.shows(s.sign, false) {
		return false
	}
	for _, ref := range s.rivals {
		if r.shows(ref, false) {
			return false
		}
	}
	return true
}

// learn keeps the record's shape, for which p was chosen, and c tells why.
func (s *shapes) learn(obj *event.Event, hint string, h uint32, p *plan, c *choice) {
	sh := s.by[h%maxShapes]
	if sh == nil {
		sh = &shape{}
	}
	*sh = shape{names: sh.names[:0], ends: sh.ends[:0], hint: string(append([]byte(nil), hint...)), plan: p, rivals: sh.rivals[:0], slots: sh.slots[:0], below: sh.below[:0]}
	s.last = nil
	if c.best.plan != nil && !c.best.sign.namesOnly() {
		sh.sign = c.best
	}
	for _, n := range c.asked {
		if ref := c.x.signs[n]; ref != c.best && ref.beats(c.best) {
			sh.rivals = append(sh.rivals, ref)
		}
	}
	if len(sh.rivals) > maxRivals {
		s.by[h%maxShapes] = nil
		return
	}
	taken := make(map[int32]bool, p.slots)
	for n := obj.First(obj.Root()); n != event.None; n = obj.Next(n) {
		if len(sh.ends) == maxShapeNames {
			s.by[h%maxShapes] = nil
			return
		}
		key := obj.RawKey(n)
		sh.names = append(sh.names, key...)
		sh.ends = append(sh.ends, int32(len(sh.names)))
		k := p.paths.keys.get(key)
		if k < 0 {
			continue
		}
		cell := int32(len(sh.ends)) // the record itself is cell 0
		if slot := p.paths.slot[k]; slot >= 0 && !taken[slot] {
			taken[slot] = true
			sh.slots = append(sh.slots, slotCell{slot, cell})
		}
		if p.paths.next[k] != nil {
			sh.below = append(sh.below, tableCell{p.paths.next[k], cell})
		}
	}
	s.by[h%maxShapes], s.last = sh, sh
}

// choose returns the plan for the record that look saw, or nil (see recognise).
func (r *runner) choose(x *index, hint string) *plan {
	r.shape = nil
	row, weak := r.byHeader(x, hint)
	if row != nil && !weak {
		return made(row)
	}
	if !r.isObj || r.hasHead {
		if p := r.recognise(x, hint); p != nil {
			row = p
		}
		return made(row)
	}
	sh, h := r.shapes.find(r.obj, hint)
	if sh != nil && r.holds(sh) {
		r.shape = sh
		return sh.plan
	}
	p := made(r.recognise(x, hint))
	if p != nil && sh == nil {
		r.shapes.learn(r.obj, hint, h, p, &r.choice)
		r.shape = r.shapes.last
	}
	return p
}

// place finds the record's cells for the plan's sources.
func (r *runner) place(p *plan) {
	if r.shape == nil || !p.flat {
		r.resolve(&p.paths, 0)
		return
	}
	for _, s := range r.shape.slots {
		r.cells[s.slot] = s.cell
	}
	for _, b := range r.shape.below {
		if r.rec.Cells[b.cell].Kind == event.Object {
			r.resolve(b.table, b.cell)
		}
	}
}

// flatJSON tells whether the record's members become the cells from 1 on, in their order, and nothing else does.
func (p *plan) flatJSON() bool {
	return len(p.steps) == 1 && (p.steps[0].kind == stepJSON || p.steps[0].kind == stepZeek) && p.steps[0].from == nil && p.steps[0].into == nil && len(p.each) == 0
}
