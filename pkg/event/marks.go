package event

import (
	"encoding/binary"
	"math/bits"
)

const (
	lsb = 0x0101010101010101
	msb = 0x8080808080808080
)

// markWords finds the bytes that matter within a string of JSON: quotes, backslashes and what is below 0x20. Bit i%8 of byte i/8 is
// that of s[i]; eight bytes more than whole blocks of 64 need stand behind them, so that a word can be read from any i on.
// The marks take the place of dst's. high tells whether a byte of s is 0x80 or more.
//
// Found for the whole line at once, the end of a string is a bit to count to, without a branch for each of its bytes.
func markWords(dst, s []byte) (marks []byte, high bool) {
	dst = grow(dst, len(s))
	seen := uint64(0)
	for i := 0; i < len(s)/64; i++ {
		m, h := markBlock((*[64]byte)(s[64*i:]))
		binary.LittleEndian.PutUint64(dst[8*i:], m)
		seen |= h
	}
	if rest := len(s) % 64; rest > 0 {
		var last [64]byte
		fill(&last, s[len(s)-rest:])
		m, h := markBlock(&last)
		binary.LittleEndian.PutUint64(dst[len(dst)-16:], m)
		seen |= h
	}
	return dst, seen&msb != 0
}

func markBlock(s *[64]byte) (marks, seen uint64) {
	for k := 56; k >= 0; k -= 8 {
		x := binary.LittleEndian.Uint64(s[k:])
		seen |= x
		// Each of the three is exact in every byte: nothing is carried from one to the next.
		q := x ^ (lsb * '"')
		b := x ^ (lsb * '\\')
		q = (q&^msb + lsb*0x7f) | q
		b = (b&^msb + lsb*0x7f) | b
		c := (x&^msb + lsb*0x60) | x
		m := ^(q & b & c) & msb
		marks = marks<<8 | m>>7*0x0102040810204080>>56
	}
	return marks, seen
}

// nextMark returns where the first mark from i <= n on is, or n, of n bytes that were marked.
func nextMark(marks []byte, i, n int) int {
	for {
		if m := binary.LittleEndian.Uint64(marks[i>>3:]) >> (i & 7); m != 0 {
			return i + bits.TrailingZeros64(m)
		}
		if i = i&^7 + 64; i >= n {
			return n
		}
	}
}

// fill is s with spaces behind it.
func fill(block *[64]byte, s []byte) {
	for i := copy(block[:], s); i < len(block); i++ {
		block[i] = ' '
	}
}

// grow returns memory for the marks of n bytes.
func grow(marks []byte, n int) []byte {
	n = (n+63)/64*8 + 8
	if cap(marks) < n {
		return make([]byte, n, n+n/2)
	}
	marks = marks[:n]
	clear(marks[n-8:])
	return marks
}
