package parquet

import (
	"encoding/binary"
	"math"
)

// What decides between a dictionary and plain values, and where a page ends.
const (
	dictionaryTrial = 2048    // values after which a dictionary must have paid: half of them seen before
	dictionaryBytes = 1 << 20 // of distinct values
	pageBytes       = 1 << 20 // of plain values
	bloomLength     = 64      // mean bytes of a value above which nobody looks for it as a whole
	boundLength     = 256     // bytes of a value above which it is no bound
)

// column gathers one leaf's values of a row group.
type column struct {
	*leaf
	rows    bitmap   // in which there is a value; of a list, also an empty one
	counts  []uint32 // of a list: texts of each row that has one
	n       int      // values
	dict    dictionary
	numbers []uint32 // values by the dictionary
	plain   []byte   // values as Parquet's PLAIN has them (a boolean as a byte)
	isPlain bool     // plain holds the values, not numbers
	bloom   bool     // hashes of plain values are kept
	hashes  []uint64
	lo, hi  []byte // bounds of plain values
	levels  []uint8
}

func (c *column) reset() {
	c.rows, c.counts, c.numbers, c.plain, c.hashes = c.rows[:0], c.counts[:0], c.numbers[:0], c.plain[:0], c.hashes[:0]
	c.n, c.bloom = 0, false
	c.isPlain = c.kind == Time || c.kind == Float || c.kind == Bool
	c.dict.reset()
}

// add takes a value and returns how many bytes of memory it takes.
func (c *column) add(v []byte) int {
	before := len(c.plain)
	if c.isPlain {
		c.addPlain(v)
		if c.bloom {
			c.hashes = append(c.hashes, hash64(v))
		}
		return len(c.plain) - before
	}
	c.numbers = append(c.numbers, c.dict.number(v, hash64(v)))
	c.n++
	if c.n%dictionaryTrial == 0 && 2*c.dict.len() > c.n || len(c.dict.bytes) > dictionaryBytes {
		c.abandon()
	}
	return len(c.plain) - before + 4
}

// abandon gives the dictionary up.
func (c *column) abandon() {
	c.isPlain = true
	c.bloom = len(c.dict.bytes) < bloomLength*c.dict.len()
	if c.bloom {
		c.hashes = append(c.hashes, c.dict.hashes...)
	}
	c.n = 0
	for _, i := range c.numbers {
		c.addPlain(c.dict.value(i))
	}
	c.numbers = c.numbers[:0]
}

func (c *column) addPlain(v []byte) {
	if c.kind == Text || c.kind == Texts {
		c.plain = binary.LittleEndian.AppendUint32(c.plain, uint32(len(v)))
	}
	c.plain = append(c.plain, v...)
	c.bound(v, c.n == 0)
	c.n++
}

func (c *column) bound(v []byte, first bool) {
	switch {
	case first:
		c.lo, c.hi = append(c.lo[:0], v...), append(c.hi[:0], v...)
	case c.less(v, c.lo):
		c.lo = append(c.lo[:0], v...)
	case c.less(c.hi, v):
		c.hi = append(c.hi[:0], v...)
	}
}

// bounds returns the least and the greatest value; ok is false where there is none, or none of use.
func (c *column) bounds() (lo, hi []byte, ok bool) {
	if !c.isPlain {
		for i := range c.dict.len() {
			c.bound(c.dict.value(uint32(i)), i == 0)
		}
	}
	if c.n == 0 || c.kind == Bool || len(c.lo) > boundLength || len(c.hi) > boundLength {
		return nil, nil, false
	}
	if c.kind == Float {
		// Parquet wants the bounds to hold for both zeros.
		if math.Float64frombits(binary.LittleEndian.Uint64(c.lo)) == 0 {
			c.lo[7] = 0x80
		}
	}
	return c.lo, c.hi, true
}

// less compares two values as Parquet orders their type.
func (c *column) less(a, b []byte) bool {
	switch c.kind {
	case Int, Time:
		return int64(binary.LittleEndian.Uint64(a)) < int64(binary.LittleEndian.Uint64(b))
	case Float:
		return math.Float64frombits(binary.LittleEndian.Uint64(a)) < math.Float64frombits(binary.LittleEndian.Uint64(b))
	default:
		return string(a) < string(b)
	}
}
