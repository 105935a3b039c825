package learn

import (
	"encoding/binary"
	"errors"
)

// maxRow is the longest row: every column's cell with its length.
const maxRow = maxColumns * (maxCell + 2)

var errShort = errors.New("it ends early or a number is too large")

// decoder reads a snapshot; after an error everything that it reads is zero.
type decoder struct {
	b   []byte
	err error

	entries []entry // memory of one key's runs and their rows
	rows    [][]byte
}

func (d *decoder) fail() {
	if d.err == nil {
		d.err = errShort
	}
	d.b = nil
}

func (d *decoder) byte() byte {
	if len(d.b) == 0 {
		d.fail()
		return 0
	}
	c := d.b[0]
	d.b = d.b[1:]
	return c
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

// varint reads a difference of times.
func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 || v < minTime/2 || v > maxTime/2 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

// time reads a time, or noTime.
func (d *decoder) time() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 || v != noTime && (v < minTime || v > maxTime) {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

// count reads a number of things that take size bytes each at least.
func (d *decoder) count(size int) int {
	n := d.uvarint()
	if n > uint64(len(d.b)/size) {
		d.fail()
		return 0
	}
	return int(n)
}

// bytes reads a text of at most limit bytes.
func (d *decoder) bytes(limit int) []byte {
	n := d.count(1)
	if n > limit {
		d.fail()
		return nil
	}
	out := d.b[:n]
	d.b = d.b[n:]
	return out
}

// fact reads the number of a fact in the snapshot and returns that in the configuration, -1: it has it no more.
func (d *decoder) fact(facts []int) int {
	i := d.uvarint()
	if i >= uint64(len(facts)) {
		d.fail()
		return -1
	}
	return facts[i]
}

// fits tells whether a row has exactly the fact's cells.
func (f *fact) fits(row []byte) bool {
	for range f.names {
		n, size := binary.Uvarint(row)
		if size <= 0 || size > 2 || n > maxCell || n > uint64(len(row)-size) {
			return false
		}
		row = row[size+int(n):]
	}
	return len(row) == 0
}
