package dimension

import (
	"errors"
	"math"

	"github.com/zeebo/xxh3"
)

// exact is a hash table from key to row, or to a list of rows: open addressing over arrays without pointers, which lie in
// a mapped file as they lie in memory.
type exact struct {
	seed  uint64   // keys come from outside: nobody shall choose them so that they collide
	slots []uint64 // the upper half of the hash above 1 + the key's number; 0 = free. Their number is a power of two
	// Of each key.
	entries []keyEntry
	keys    []byte
}

// keyEntry is where a key ends in keys, and its row.
type keyEntry struct{ end, row uint32 }

func newExact(keys int, seed uint64) *exact {
	size := 16
	for size*3 < keys*4 {
		size *= 2
	}
	return &exact{seed: seed, slots: make([]uint64, size)}
}

func (x *exact) key(n uint32) []byte {
	start := uint32(0)
	if n > 0 {
		start = x.entries[n-1].end
	}
	return x.keys[start:x.entries[n].end]
}

// find returns the number of key, or -1.
func (x *exact) find(key []byte) int {
	h := xxh3.HashSeed(key, x.seed)
	mask := uint64(len(x.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		s := x.slots[i]
		if s == 0 {
			return -1
		}
		if s>>32 == h>>32 && string(x.key(uint32(s)-1)) == string(key) {
			return int(uint32(s) - 1)
		}
	}
}

var errManyKeys = errors.New("more keys than 32 bits can number")

// insert adds key for row, unless it is there. It returns the key's number, and whether it is new.
func (x *exact) insert(key []byte, row uint32) (number int, fresh bool, err error) {
	if number = x.find(key); number >= 0 {
		return number, false, nil
	}
	if (len(x.entries)+1)*4 > len(x.slots)*3 {
		x.grow()
	}
	if len(x.keys)+len(key) > math.MaxUint32 || len(x.entries) >= math.MaxUint32-1 {
		return -1, false, errManyKeys
	}
	x.keys = append(x.keys, key...)
	x.entries = append(x.entries, keyEntry{uint32(len(x.keys)), row})
	x.place(uint32(len(x.entries)), xxh3.HashSeed(key, x.seed))
	return len(x.entries) - 1, true, nil
}

func (x *exact) place(number uint32, h uint64) {
	mask := uint64(len(x.slots) - 1)
	i := h & mask
	for x.slots[i] != 0 {
		i = (i + 1) & mask
	}
	x.slots[i] = h>>32<<32 | uint64(number)
}

func (x *exact) grow() {
	x.slots = make([]uint64, 2*len(x.slots))
	for n := range x.entries {
		x.place(uint32(n)+1, xxh3.HashSeed(x.key(uint32(n)), x.seed))
	}
}
