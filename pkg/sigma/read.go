package sigma

import (
	"bytes"

	"leat/pkg/event"
)

// held is one value of a field; next is the field's next value, or -1.
type held struct {
	texts
	next   int32
	object bool // an object as its JSON text, which is none of the values that keywords look into
}

// valueEnd stands behind each value in folds. No UTF-8 text has it, so that what is found in folds lies within one value.
const valueEnd = 0xFF

// reading is what one event holds of an index's fields. Its memory is reused from event to event.
type reading struct {
	fields *fieldSet
	all    bool // every value is wanted, for keywords
	epoch  uint32
	vals   []held
	folds  []byte // the folded texts of all values that are no objects, one behind the other
	arena  []byte
	key    []byte

	paths   []pathState
	slots   []slotState
	touched []int32 // slots that are there, in the order of the event
}

type pathState struct {
	epoch       uint32
	first, last int32
}

type slotState struct {
	epoch uint32
	rank  int32
	first int32 // its first value, or -1 where it is null
}

func newReading(f *fieldSet, all bool) *reading {
	return &reading{fields: f, all: all, paths: make([]pathState, len(f.uses)), slots: make([]slotState, len(f.names))}
}

// read takes in an event that was parsed.
func (r *reading) read(e *event.Event) {
	if r.epoch++; r.epoch == 0 {
		clear(r.paths)
		clear(r.slots)
		r.epoch = 1
	}
	r.vals, r.folds, r.arena, r.touched = r.vals[:0], r.folds[:0], r.arena[:0], r.touched[:0]
	if n := e.Root(); n != event.None {
		r.object(e, n, &r.fields.root)
	}
}

// object reads the members of the object at n; l is nil where no field lies below.
func (r *reading) object(e *event.Event, n event.Node, l *level) {
	for i := e.First(n); i != event.None; i = e.Next(i) {
		kind := e.KindAt(i)
		var ent, star *entry
		if l != nil {
			ent, star = r.find(l, e.Key(i)), l.star
		}
		if kind == event.Object {
			r.down(e, i, ent)
			if star != nil {
				r.down(e, i, star)
			}
			if r.all && (ent == nil || ent.next == nil) && star == nil {
				r.object(e, i, nil)
			}
			continue
		}
		if ent == nil && star == nil && !r.all {
			continue
		}
		r.value(e.ValueAt(i), ent, star, r.all)
	}
}

func (r *reading) find(l *level, key []byte) *entry {
	ent := l.find(key)
	if ent == nil && bytes.IndexByte(key, ' ') >= 0 {
		// The taxonomy's names are the log's without their spaces.
		r.key = r.key[:0]
		for _, c := range key {
			if c != ' ' {
				r.key = append(r.key, c)
			}
		}
		ent = l.find(r.key)
	}
	return ent
}

// down goes into the object at n, which is at ent.
func (r *reading) down(e *event.Event, n event.Node, ent *entry) {
	if ent == nil {
		return
	}
	if ent.path >= 0 {
		r.hold(ent.path, r.addObject(e.ValueAt(n)))
	}
	if ent.next != nil {
		r.object(e, n, ent.next)
	}
}

// value reads a value that is no object of the tape: a scalar, an array, or what lies in an array.
func (r *reading) value(v event.Value, ent, star *entry, words bool) {
	switch v.Kind {
	case event.Array:
		for el := range v.Elements {
			r.value(el, ent, star, words)
		}
		return
	case event.Object:
		r.members(v, ent, star, words)
		return
	case event.Null:
		if ent != nil && ent.path >= 0 {
			r.hold(ent.path, -1)
		}
		return
	}
	held := false
	for _, at := range [2]*entry{ent, star} {
		if at != nil && at.path >= 0 {
			r.hold(at.path, r.add(v))
			held = true
		}
	}
	if words && !held {
		r.add(v)
	}
}

// members reads an object within an array.
func (r *reading) members(v event.Value, ent, star *entry, words bool) {
	for _, at := range [2]*entry{ent, star} {
		if at == nil {
			continue
		}
		if at.path >= 0 {
			r.hold(at.path, r.addObject(v))
		}
		if at.next == nil {
			continue
		}
		for key, val := range v.Members {
			r.value(val, r.find(at.next, key), at.next.star, false)
		}
	}
	if words {
		for _, val := range v.Members {
			r.value(val, nil, nil, true)
		}
	}
}

// add puts the texts of a value that is no object into vals.
func (r *reading) add(v event.Value) int32 {
	text := v.Raw
	if v.Kind == event.String {
		text = v.Raw[1 : len(v.Raw)-1]
		if v.Escaped() {
			n := len(r.arena)
			r.arena = event.AppendUnquoted(r.arena, text)
			text = r.arena[n:len(r.arena):len(r.arena)]
		}
	}
	n := len(r.folds)
	r.folds = appendFold(r.folds, text)
	end := len(r.folds)
	r.folds = append(r.folds, valueEnd)
	r.vals = append(r.vals, held{texts: texts{text, r.folds[n:end:end]}, next: -1})
	return int32(len(r.vals) - 1)
}

// addObject puts the text of an object into vals.
func (r *reading) addObject(v event.Value) int32 {
	n := len(r.arena)
	r.arena = appendFold(r.arena, v.Raw)
	r.vals = append(r.vals, held{texts: texts{v.Raw, r.arena[n:len(r.arena):len(r.arena)]}, next: -1, object: true})
	return int32(len(r.vals) - 1)
}

// hold notes that path has the value at, or null where at is -1.
func (r *reading) hold(path, at int32) {
	p := &r.paths[path]
	if p.epoch != r.epoch {
		*p = pathState{r.epoch, -1, -1}
	}
	if at >= 0 {
		if p.last >= 0 {
			r.vals[p.last].next = at
		} else {
			p.first = at
		}
		p.last = at
	}
	for _, u := range r.fields.uses[path] {
		s := &r.slots[u.slot]
		if s.epoch != r.epoch {
			*s = slotState{r.epoch, 1 << 30, -1}
			r.touched = append(r.touched, u.slot)
		}
		if p.first >= 0 && u.rank < s.rank {
			s.rank, s.first = u.rank, p.first
		}
	}
}

// exists tells whether the slot's field is there, be it null.
func (r *reading) exists(slot int32) bool { return r.slots[slot].epoch == r.epoch }

// first returns the slot's first value, or -1 where there is none or it is null. slot is keywordSlot for all values.
func (r *reading) first(slot int32) int32 {
	if slot == keywordSlot {
		return r.word(0)
	}
	if s := &r.slots[slot]; s.epoch == r.epoch {
		return s.first
	}
	return -1
}

// next returns the value behind i in the same slot, or -1.
func (r *reading) next(slot, i int32) int32 {
	if slot == keywordSlot {
		return r.word(i + 1)
	}
	return r.vals[i].next
}

// word returns the first value from i on that is no object, or -1.
func (r *reading) word(i int32) int32 {
	for ; int(i) < len(r.vals); i++ {
		if !r.vals[i].object {
			return i
		}
	}
	return -1
}

// keywordSlot stands for every value of the event.
const keywordSlot int32 = -1
