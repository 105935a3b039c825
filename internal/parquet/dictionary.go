package parquet

// dictionary numbers the distinct values of a column. Its memory is kept from one row group to the next.
type dictionary struct {
	table  []uint32 // backing of slots
	slots  []uint32 // 1 + number of a value, by hash; a power of two
	hashes []uint64
	ends   []uint32 // of each value in bytes
	bytes  []byte
}

const firstSlots = 256

func (d *dictionary) reset() {
	if d.table == nil {
		d.table = make([]uint32, firstSlots)
	}
	// Only as much as is used is cleared: a small file after a big one must not pay for it.
	d.slots = d.table[:firstSlots]
	clear(d.slots)
	d.hashes, d.ends, d.bytes = d.hashes[:0], d.ends[:0], d.bytes[:0]
}

func (d *dictionary) len() int { return len(d.ends) }

func (d *dictionary) value(i uint32) []byte {
	from := uint32(0)
	if i > 0 {
		from = d.ends[i-1]
	}
	return d.bytes[from:d.ends[i]]
}

// number returns the number of v, whose hash is h; a new value gets the next.
func (d *dictionary) number(v []byte, h uint64) uint32 {
	mask := uint64(len(d.slots) - 1)
	at := h & mask
	for ; d.slots[at] != 0; at = (at + 1) & mask {
		if i := d.slots[at] - 1; d.hashes[i] == h && string(d.value(i)) == string(v) {
			return i
		}
	}
	i := uint32(len(d.ends))
	d.bytes = append(d.bytes, v...)
	d.ends = append(d.ends, uint32(len(d.bytes)))
	d.hashes = append(d.hashes, h)
	d.slots[at] = i + 1
	if 2*len(d.ends) > len(d.slots) {
		d.grow()
	}
	return i
}

func (d *dictionary) grow() {
	n := 2 * len(d.slots)
	if len(d.table) < n {
		d.table = make([]uint32, n)
	}
	d.slots = d.table[:n]
	clear(d.slots)
	mask := uint64(n - 1)
	for i, h := range d.hashes {
		at := h & mask
		for d.slots[at] != 0 {
			at = (at + 1) & mask
		}
		d.slots[at] = uint32(i) + 1
	}
}
