package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Types of Thrift's compact protocol.
const (
	typeTrue   = 1
	typeFalse  = 2
	typeByte   = 3
	typeI16    = 4
	typeI32    = 5
	typeI64    = 6
	typeDouble = 7
	typeBinary = 8
	typeList   = 9
	typeSet    = 10
	typeMap    = 11
	typeStruct = 12
)

var errThrift = errors.New("damaged footer")

// decoder walks over a value of the compact protocol. After a fault err is set and every read gives zero.
type decoder struct {
	b   []byte
	i   int
	err error
}

func (d *decoder) fail() {
	if d.err == nil {
		d.err = fmt.Errorf("%w at byte %d", errThrift, d.i)
	}
	d.i = len(d.b)
}

func (d *decoder) byte() byte {
	if d.i >= len(d.b) {
		d.fail()
		return 0
	}
	d.i++
	return d.b[d.i-1]
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b[min(d.i, len(d.b)):])
	if n <= 0 {
		d.fail()
		return 0
	}
	d.i += n
	return v
}

// int reads a zigzag integer of any width.
func (d *decoder) int() int64 {
	v := d.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

func (d *decoder) bytes(n uint64) []byte {
	if n > uint64(len(d.b)-d.i) {
		d.fail()
		return nil
	}
	d.i += int(n)
	return d.b[d.i-int(n) : d.i]
}

func (d *decoder) binary() []byte { return d.bytes(d.uvarint()) }

// list reads a list's header.
func (d *decoder) list() (n int, elem byte) {
	h := d.byte()
	size := uint64(h >> 4)
	if size == 15 {
		size = d.uvarint()
	}
	if size > uint64(len(d.b)-d.i) {
		// Every element takes at least one byte.
		d.fail()
		return 0, 0
	}
	return int(size), h & 15
}

// fields calls f for each field of a struct; f reads its value, or skips it.
func (d *decoder) fields(f func(id int16, typ byte)) {
	id := int16(0)
	for d.err == nil {
		h := d.byte()
		if h == 0 {
			return
		}
		if h>>4 != 0 {
			id += int16(h >> 4)
		} else {
			id = int16(d.int())
		}
		f(id, h&15)
	}
}

const maxNesting = 32

func (d *decoder) skip(typ byte) { d.skipTo(typ, 0) }

func (d *decoder) skipTo(typ byte, depth int) {
	if depth > maxNesting {
		d.fail()
		return
	}
	switch typ {
	case typeTrue, typeFalse:
	case typeByte:
		d.byte()
	case typeI16, typeI32, typeI64:
		d.uvarint()
	case typeDouble:
		d.bytes(8)
	case typeBinary:
		d.binary()
	case typeList, typeSet:
		n, elem := d.list()
		for ; n > 0 && d.err == nil; n-- {
			if elem == typeTrue || elem == typeFalse {
				d.byte() // a boolean in a list has a byte of its own
				continue
			}
			d.skipTo(elem, depth+1)
		}
	case typeMap:
		n := d.uvarint()
		if n == 0 {
			return
		}
		kv := d.byte()
		for ; n > 0 && d.err == nil; n-- {
			d.skipTo(kv>>4, depth+1)
			d.skipTo(kv&15, depth+1)
		}
	case typeStruct:
		d.fields(func(_ int16, t byte) { d.skipTo(t, depth+1) })
	default:
		d.fail()
	}
}

// encoder appends values of the compact protocol. Fields of a struct are written in the order of their ids.
type encoder struct {
	b    []byte
	last []int16 // of the structs that are open
}

func (e *encoder) begin() { e.last = append(e.last, 0) }

func (e *encoder) end() {
	e.b = append(e.b, 0)
	e.last = e.last[:len(e.last)-1]
}

// field writes a field's header; the ids here differ by less than 16.
func (e *encoder) field(id int16, typ byte) {
	top := len(e.last) - 1
	e.b = append(e.b, byte(id-e.last[top])<<4|typ)
	e.last[top] = id
}

func (e *encoder) int(v int64) { e.b = binary.AppendUvarint(e.b, uint64(v<<1)^uint64(v>>63)) }

func (e *encoder) i32(id int16, v int64) { e.field(id, typeI32); e.int(v) }
func (e *encoder) i64(id int16, v int64) { e.field(id, typeI64); e.int(v) }

func (e *encoder) text(s string) {
	e.b = binary.AppendUvarint(e.b, uint64(len(s)))
	e.b = append(e.b, s...)
}

func (e *encoder) list(n int, elem byte) {
	if n < 15 {
		e.b = append(e.b, byte(n)<<4|elem)
		return
	}
	e.b = append(e.b, 15<<4|elem)
	e.b = binary.AppendUvarint(e.b, uint64(n))
}
