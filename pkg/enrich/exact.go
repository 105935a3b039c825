package enrich

import "hash/maphash"

// exact is a hash table from key to row: open addressing over pointer-free slots.
type exact struct {
	seed  maphash.Seed
	slots []exactSlot // the number of slots is a power of two
	keys  []byte
	count int
}

type exactSlot struct {
	hash  uint32
	row   int32 // 1 + row; 0 = free
	start uint32
	size  uint32
}

func newExact(rows int) *exact {
	size := 16
	for size < rows*2 {
		size *= 2
	}
	return &exact{seed: maphash.MakeSeed(), slots: make([]exactSlot, size)}
}

// find returns the row of key, or -1.
func (x *exact) find(key []byte) int {
	h := maphash.Bytes(x.seed, key)
	mask := uint64(len(x.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		s := &x.slots[i]
		if s.row == 0 {
			return -1
		}
		if s.hash == uint32(h>>32) && string(x.keys[s.start:s.start+s.size]) == string(key) {
			return int(s.row - 1)
		}
	}
}

// insert adds key for row, unless it is there: then it returns the row that has it.
func (x *exact) insert(key []byte, row int) (had int) {
	if had = x.find(key); had >= 0 {
		return had
	}
	if (x.count+1)*4 > len(x.slots)*3 {
		x.grow()
	}
	start := len(x.keys)
	x.keys = append(x.keys, key...)
	h := maphash.Bytes(x.seed, key)
	x.place(exactSlot{hash: uint32(h >> 32), row: int32(row) + 1, start: uint32(start), size: uint32(len(key))}, h)
	x.count++
	return -1
}

func (x *exact) place(s exactSlot, h uint64) {
	mask := uint64(len(x.slots) - 1)
	i := h & mask
	for x.slots[i].row != 0 {
		i = (i + 1) & mask
	}
	x.slots[i] = s
}

func (x *exact) grow() {
	old := x.slots
	x.slots = make([]exactSlot, 2*len(old))
	for _, s := range old {
		if s.row != 0 {
			x.place(s, maphash.Bytes(x.seed, x.keys[s.start:s.start+s.size]))
		}
	}
}
