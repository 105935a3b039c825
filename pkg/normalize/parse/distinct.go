package parse

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// maxCompared bounds what distinct does for one record, whatever it holds.
const maxCompared = 1 << 20

// distinct gives the cells from n on, siblings of one parser, different names: a name that comes again gets "_2" behind it, then "_3",
// and so on, so that no value hides another.
func (r *Record) distinct(n int) {
	if r.names.distinct() {
		return
	}
	var seen [64]uint64
	compared := 0
	for i := n; i < len(r.Cells); i++ {
		key := r.Cells[i].Key
		if !mark(&seen, key) {
			continue
		}
		again := i + 1 // more than any count so far
		if compared += i - n; compared < maxCompared {
			again = r.times(n, i, key)
		}
		if again > 1 {
			key = r.Memory(func(dst []byte) []byte { return appendInt(append(append(dst, key...), '_'), again) })
			r.Cells[i].Key, r.Cells[i].Name = key, 0
			mark(&seen, key)
		}
	}
}

// times counts for which time the name key is there at cell i.
func (r *Record) times(n, i int, key []byte) int {
	again := 1
	for j := n; j < i; j++ {
		if k := r.Cells[j].Key; bytes.Equal(k, key) || again > 1 && isAgain(k, key) {
			again++
		}
	}
	return again
}

// isAgain tells whether name is key with a number that distinct put behind it.
func isAgain(name, key []byte) bool {
	return len(name) > len(key)+1 && name[len(key)] == '_' && bytes.HasPrefix(name, key) && number(name[len(key)+1:]) > 1
}

// mark notes a name in a set that may take one for another; it tells whether the name may have been there.
func mark(seen *[64]uint64, key []byte) bool {
	// Names differ at their ends; eight bytes of each are a hash good enough for a set that is asked again where it says yes.
	h := uint64(len(key))
	if n := len(key); n >= 8 {
		h ^= binary.LittleEndian.Uint64(key) ^ bits.RotateLeft64(binary.LittleEndian.Uint64(key[n-8:]), 29)
	} else {
		for _, c := range key {
			h = h<<8 ^ h>>56 ^ uint64(c)
		}
	}
	h = h * 0x9E3779B97F4A7C15 >> 52
	had := seen[h>>6]>>(h&63)&1 != 0
	seen[h>>6] |= 1 << (h & 63)
	return had
}
