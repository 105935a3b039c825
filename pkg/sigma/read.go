package sigma

import (
	"bytes"

	"leat/pkg/event"
)

// held is one value of a field; next is the field's next value, or -1.
type held struct {
	texts
	next int32
}

// reading is what one event holds of an index's fields. Its memory is reused from event to event.
type reading struct {
	fields *fieldSet
	all    bool // every value is wanted, for keywords
	epoch  uint32
	vals   []held
	arena  []byte
	key    []byte

	paths   []pathState
	slots   []slotState
	touched []int32 // slots that are there, in the order of the event
	words   int32   // first of all values, or -1
	last    int32   // last of all values
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
	r.vals, r.arena, r.touched = r.vals[:0], r.arena[:0], r.touched[:0]
	r.words, r.last = -1, -1
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
		r.hold(ent.path, r.add(e.ValueAt(n)))
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
	at := int32(-1)
	if ent != nil && ent.path >= 0 {
		at = r.add(v)
		r.hold(ent.path, at)
	}
	if star != nil && star.path >= 0 {
		at = r.add(v)
		r.hold(star.path, at)
	}
	if words {
		r.word(v, at)
	}
}

// members reads an object within an array.
func (r *reading) members(v event.Value, ent, star *entry, words bool) {
	for _, at := range [2]*entry{ent, star} {
		if at == nil {
			continue
		}
		if at.path >= 0 {
			r.hold(at.path, r.add(v))
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

// add puts a value's texts into vals.
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
	n := len(r.arena)
	r.arena = appendFold(r.arena, text)
	r.vals = append(r.vals, held{texts{text, r.arena[n:len(r.arena):len(r.arena)]}, -1})
	return int32(len(r.vals) - 1)
}

// word adds a value to those that keywords look into; at is where its texts already are, or -1.
func (r *reading) word(v event.Value, at int32) {
	if at < 0 {
		at = r.add(v)
	} else {
		// A value has one next: the field's.
		r.vals = append(r.vals, held{r.vals[at].texts, -1})
		at = int32(len(r.vals) - 1)
	}
	if r.last < 0 {
		r.words = at
	} else {
		r.vals[r.last].next = at
	}
	r.last = at
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
		return r.words
	}
	if s := &r.slots[slot]; s.epoch == r.epoch {
		return s.first
	}
	return -1
}

// keywordSlot stands for every value of the event.
const keywordSlot int32 = -1
