package intel

import (
	"bytes"
	"hash/maphash"
	"math/bits"
)

// index finds rows by the kind and canonical text of their value. It is an open table of eight bytes a slot: 32 bits of the hash and the
// row's number plus one. A look-up of what is not there costs one line of memory, nearly always, and none of the rows.
type index struct {
	// key returns what a row is found by.
	key   func(row uint32) (Kind, []byte)
	seed  maphash.Seed // makes flooding a chain impossible for who writes the feed
	slots []uint64
	used  int
}

// newIndex makes an index with room for n rows.
func newIndex(n int, key func(row uint32) (Kind, []byte)) *index {
	return &index{key: key, seed: maphash.MakeSeed(), slots: make([]uint64, n+n/2+8)}
}

func (x *index) hash(kind Kind, value []byte) uint64 {
	return (maphash.Bytes(x.seed, value) ^ uint64(kind)) * 0x9e3779b97f4a7c15
}

// slot is where a hash belongs: its upper bits choose the place, its lower half is the tag.
func (x *index) slot(h uint64) uint64 {
	at, _ := bits.Mul64(h, uint64(len(x.slots)))
	return at
}

// find returns the row of a value.
func (x *index) find(kind Kind, value []byte) (row uint32, ok bool) {
	if x.used == 0 {
		return 0, false
	}
	return x.probe(x.hash(kind, value), kind, value)
}

func (x *index) probe(h uint64, kind Kind, value []byte) (row uint32, ok bool) {
	for at := x.slot(h); ; {
		s := x.slots[at]
		if s == 0 {
			return 0, false
		}
		if uint32(s>>32) == uint32(h) {
			row := uint32(s) - 1
			if k, v := x.key(row); k == kind && bytes.Equal(v, value) {
				return row, true
			}
		}
		if at++; at == uint64(len(x.slots)) {
			at = 0
		}
	}
}

// insert adds a row that is not there yet. Rows of one index are numbered in the order of their coming, or it was made with room for all.
func (x *index) insert(row uint32) {
	if 3*x.used >= 2*len(x.slots) {
		x.grow()
	}
	kind, value := x.key(row)
	x.place(x.hash(kind, value), row)
}

func (x *index) place(h uint64, row uint32) {
	at := x.slot(h)
	for x.slots[at] != 0 {
		if at++; at == uint64(len(x.slots)) {
			at = 0
		}
	}
	x.slots[at] = h<<32 | uint64(row+1)
	x.used++
}

func (x *index) grow() {
	old := x.slots
	*x = *newIndex(max(2*len(old), 1<<10), x.key)
	for _, s := range old {
		if s != 0 {
			kind, value := x.key(uint32(s) - 1)
			x.place(x.hash(kind, value), uint32(s)-1)
		}
	}
}
