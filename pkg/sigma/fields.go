package sigma

import (
	"math/bits"
	"strings"
)

// Mapper tells where events keep the field that a rule names.
type Mapper interface {
	// Paths returns the places of a rule's field, as the keys from the event's root down, best first: the first place that
	// holds a value is the field. The key "*" stands for any key.
	Paths(ls LogSource, field string) [][]string
}

// Direct is the Mapper that takes a field's name as it stands: as a key, and where it has dots as nested keys too.
type Direct struct{}

// Paths returns the field as one key, and as nested keys.
func (Direct) Paths(_ LogSource, field string) [][]string {
	if !strings.Contains(field, ".") {
		return [][]string{{field}}
	}
	return [][]string{{field}, strings.Split(field, ".")}
}

// use says that a path is one of the places of a slot; a lower rank goes first.
type use struct{ slot, rank int32 }

// fieldSet is every field of an index: slots (a field at its places) and the tree of all places.
type fieldSet struct {
	root  level
	uses  [][]use  // by path
	names []string // by slot
	slots map[string]int32
	paths map[string]int32
}

func newFieldSet() *fieldSet {
	return &fieldSet{slots: map[string]int32{}, paths: map[string]int32{}}
}

// slot returns the slot of a field at these places.
func (f *fieldSet) slot(field string, places [][]string) int32 {
	var id strings.Builder
	for _, p := range places {
		id.WriteString(strings.Join(p, "\x00") + "\x01")
	}
	if s, ok := f.slots[id.String()]; ok {
		return s
	}
	s := int32(len(f.names))
	f.slots[id.String()] = s
	f.names = append(f.names, field)
	for rank, p := range places {
		at := f.path(p)
		f.uses[at] = append(f.uses[at], use{s, int32(rank)})
	}
	return s
}

func (f *fieldSet) path(keys []string) int32 {
	id := strings.Join(keys, "\x00")
	if p, ok := f.paths[id]; ok {
		return p
	}
	p := int32(len(f.uses))
	f.paths[id] = p
	f.uses = append(f.uses, nil)
	l := &f.root
	for i, k := range keys {
		e := l.add(k)
		if i == len(keys)-1 {
			e.path = p
			break
		}
		if e.next == nil {
			e.next = &level{}
		}
		l = e.next
	}
	return p
}

// level is one object level of the tree of places: a hash table by key.
type level struct {
	table []*entry // a power of two in size; collisions go on linearly
	count int
	star  *entry
}

type entry struct {
	key  string
	path int32 // or -1
	next *level
}

func (l *level) add(key string) *entry {
	if key == "*" {
		if l.star == nil {
			l.star = &entry{key: key, path: -1}
		}
		return l.star
	}
	if e := l.find([]byte(key)); e != nil {
		return e
	}
	if l.count*4 >= len(l.table) {
		old := l.table
		l.table = make([]*entry, max(16, 2*len(old)))
		for _, e := range old {
			if e != nil {
				l.put(e)
			}
		}
	}
	e := &entry{key: key, path: -1}
	l.put(e)
	l.count++
	return e
}

func (l *level) put(e *entry) {
	mask := uint32(len(l.table) - 1)
	h := hashKey([]byte(e.key)) & mask
	for l.table[h] != nil {
		h = (h + 1) & mask
	}
	l.table[h] = e
}

func (l *level) find(key []byte) *entry {
	if len(l.table) == 0 {
		return nil
	}
	mask := uint32(len(l.table) - 1)
	for h := hashKey(key) & mask; ; h = (h + 1) & mask {
		e := l.table[h]
		if e == nil || e.key == string(key) {
			return e
		}
	}
}

// hashKey tells apart the names that fields have: by length, first, middle and last characters.
func hashKey(k []byte) uint32 {
	n := len(k)
	if n == 0 {
		return 0
	}
	h := uint32(n)
	h = h*0x9E3779B1 + uint32(k[0])
	h = h*0x9E3779B1 + uint32(k[n-1])
	h = h*0x9E3779B1 + uint32(k[n/2])
	h = h*0x9E3779B1 + uint32(k[n/4])
	h = h*0x9E3779B1 + uint32(k[n-1-n/4])
	return bits.RotateLeft32(h*0x85EBCA6B, 15)
}
