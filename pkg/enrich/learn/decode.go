package learn

import (
	"encoding/binary"
	"errors"

	"leat/internal/snapshot"
)

// maxRow is the longest row: every column's cell with its length.
const maxRow = maxColumns * (maxCell + 2)

var errShort = errors.New("it ends early or a number is too large")

// decoder reads a snapshot; after an error everything that it reads is zero.
type decoder struct {
	snapshot.Reader
	entries []entry // memory of one key's runs and their rows
	rows    [][]byte
}

// varint reads a difference of times.
func (d *decoder) varint() int64 {
	v := d.Varint()
	if v < minTime/2 || v > maxTime/2 {
		d.Fail()
		return 0
	}
	return v
}

// time reads a time, or noTime.
func (d *decoder) time() int64 {
	v := d.Varint()
	if v != noTime && (v < minTime || v > maxTime) {
		d.Fail()
		return 0
	}
	return v
}

// bytes reads a text of at most limit bytes.
func (d *decoder) bytes(limit int) []byte {
	n := d.Count(1)
	if n > limit {
		d.Fail()
		return nil
	}
	return d.Take(n)
}

// fact reads the number of a fact in the snapshot and returns that in the configuration, -1: it has it no more.
func (d *decoder) fact(facts []int) int {
	i := d.Uvarint()
	if i >= uint64(len(facts)) {
		d.Fail()
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
