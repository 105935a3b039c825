package directory

import (
	"encoding/binary"
	"strings"
)

// object is one entry of the directory. Its values are packed into one string, since a million of them must fit into memory.
type object struct {
	id string // objectGUID or entryUUID as the server writes it; where there is none, the DN in lower case
	dn string
	// packed holds for each attribute with values: its number, how many values, and each with its length.
	packed string
}

// values are an object's values by the number of their attribute.
type values [][]string

// pack is the reverse of unpack.
func pack(v values) string {
	var b []byte
	for code, list := range v {
		if len(list) == 0 {
			continue
		}
		b = binary.AppendUvarint(b, uint64(code))
		b = binary.AppendUvarint(b, uint64(len(list)))
		for _, s := range list {
			b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
		}
	}
	return string(b)
}

// unpack fills v, which has room for all attributes, with the values of o. It returns false where packed is damaged.
func (o *object) unpack(v values) bool {
	for i := range v {
		v[i] = v[i][:0]
	}
	r := reader{o.packed}
	for r.s != "" {
		code, ok := r.number(len(v) - 1)
		n, ok2 := r.number(len(r.s))
		if !ok || !ok2 {
			return false
		}
		for range n {
			s, ok := r.text()
			if !ok {
				return false
			}
			v[code] = append(v[code], s)
		}
	}
	return true
}

// first returns the first value of an attribute, or nothing.
func (v values) first(code int) string {
	if len(v[code]) == 0 {
		return ""
	}
	return v[code][0]
}

// reader takes packed numbers and texts apart, whatever they hold.
type reader struct{ s string }

// number takes a number from 0 to max.
func (r *reader) number(max int) (int, bool) {
	var n uint64
	for i := 0; i < len(r.s) && i < 9; i++ {
		n |= uint64(r.s[i]&0x7f) << (7 * i)
		if r.s[i] < 0x80 {
			r.s = r.s[i+1:]
			return int(n), max >= 0 && n <= uint64(max)
		}
	}
	return 0, false
}

func (r *reader) text() (string, bool) {
	n, ok := r.number(len(r.s))
	if !ok || n > len(r.s) {
		return "", false
	}
	s := r.s[:n]
	r.s = r.s[n:]
	return s, true
}

// change is what the server told of an object. Values of an attribute that is not named stay as they are, unless whole.
type change struct {
	id, dn  string
	deleted bool
	// named says which attributes the change speaks of; v has their values, none where the attribute was emptied.
	named []bool
	v     values
}

// objects are the entries that are known, by their id.
type objects map[string]*object

// apply brings the objects to where the changes lead, and returns whether that made a difference. whole: a change tells all
// of its object. A moved container takes along all that lies in it, of which servers say nothing.
func (all objects) apply(changes []change, whole bool, attrs int) bool {
	changed := false
	moved := map[string]string{} // DN in lower case: where it went
	touched := make(map[string]bool, len(changes))
	v := make(values, attrs)
	for i := range changes {
		c := &changes[i]
		touched[c.id] = true
		old := all[c.id]
		if c.deleted {
			if old != nil {
				delete(all, c.id)
				changed = true
			}
			continue
		}
		next := &object{id: c.id, dn: c.dn}
		if old == nil || whole {
			next.packed = pack(c.v)
		} else {
			old.unpack(v)
			for code, named := range c.named {
				if named {
					v[code] = c.v[code]
				}
			}
			next.packed = pack(v)
			// unpack appends to what it finds: the change's own lists stay the change's.
			clear(v)
		}
		if old != nil && old.dn != next.dn {
			moved[strings.ToLower(old.dn)] = next.dn
		}
		if old == nil || *old != *next {
			all[c.id] = next
			changed = true
		}
	}
	if len(moved) > 0 {
		all.follow(moved, touched)
	}
	return changed
}

// follow renames what lies below moved entries. What the server itself told of has its new name already.
func (all objects) follow(moved map[string]string, told map[string]bool) {
	for id, o := range all {
		if told[id] {
			continue
		}
		for up := parent(o.dn); up != ""; up = parent(up) {
			if to, ok := moved[strings.ToLower(up)]; ok {
				all[id] = &object{id: id, dn: o.dn[:len(o.dn)-len(up)] + to, packed: o.packed}
				break
			}
		}
	}
}
