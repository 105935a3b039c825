// Package snapshot reads the bytes in which a stage keeps what it remembers: numbers of variable length (encoding/binary),
// and texts with their length before them. They come from a disk and may be damaged: nothing is believed that the bytes left
// can't hold.
//
// It does not know what the bytes mean, and writes none: encoding/binary appends them.
package snapshot

import "encoding/binary"

// Reader reads bytes from their beginning. After an error everything that it reads is zero.
type Reader struct {
	// B is what is left, and Err the first error.
	B   []byte
	Err error

	short error
}

// New returns a reader of b whose error, where the bytes end early or a number is too large, is short.
func New(b []byte, short error) Reader { return Reader{B: b, short: short} }

// Fail ends the reading.
func (r *Reader) Fail() {
	if r.Err == nil {
		r.Err = r.short
	}
	r.B = nil
}

// Byte reads a byte.
func (r *Reader) Byte() byte {
	if len(r.B) == 0 {
		r.Fail()
		return 0
	}
	c := r.B[0]
	r.B = r.B[1:]
	return c
}

// Uvarint reads a number.
func (r *Reader) Uvarint() uint64 {
	v, n := binary.Uvarint(r.B)
	if n <= 0 {
		r.Fail()
		return 0
	}
	r.B = r.B[n:]
	return v
}

// Varint reads a number that may be negative.
func (r *Reader) Varint() int64 {
	v, n := binary.Varint(r.B)
	if n <= 0 {
		r.Fail()
		return 0
	}
	r.B = r.B[n:]
	return v
}

// Count reads a number of things that take size bytes each at least.
func (r *Reader) Count(size int) int {
	n := r.Uvarint()
	if n > uint64(len(r.B)/size) {
		r.Fail()
		return 0
	}
	return int(n)
}

// Take reads n bytes. They lie in what New was given.
func (r *Reader) Take(n int) []byte {
	if n < 0 || n > len(r.B) {
		r.Fail()
		return nil
	}
	out := r.B[:n]
	r.B = r.B[n:]
	return out
}

// Bytes reads a text with its length.
func (r *Reader) Bytes() []byte { return r.Take(r.Count(1)) }
