package parquet

import (
	"encoding/binary"
	"math/bits"
)

// bitmap has a bit for each row. It may be shorter than the rows: what is missing is 0.
type bitmap []byte

func (b *bitmap) set(row int) {
	for len(*b) <= row>>3 {
		*b = append(*b, 0)
	}
	(*b)[row>>3] |= 1 << (row & 7)
}

func (b bitmap) has(row int) bool { return row>>3 < len(b) && b[row>>3]&(1<<(row&7)) != 0 }

func (b bitmap) count() (n int) {
	for _, c := range b {
		n += bits.OnesCount8(c)
	}
	return n
}

// join adds o's bits.
func (b *bitmap) join(o bitmap) {
	for len(*b) < len(o) {
		*b = append(*b, 0)
	}
	for i, c := range o {
		(*b)[i] |= c
	}
}

// levels are a column's repetition or definition levels: all the same, or a list.
type levels struct {
	list []uint8 // nil: n times same
	same uint8
	n    int
}

func (l *levels) of(i int) uint8 {
	if l.list == nil {
		return l.same
	}
	return l.list[i]
}

// appendTo appends levels i up to j as a page of version 1 has them: four bytes of length, and the RLE hybrid.
func (l *levels) appendTo(dst []byte, i, j, highest int) []byte {
	if l.list == nil {
		return appendRun(dst, int64(j-i), int(l.same))
	}
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	dst = appendHybrid(dst, l.list[i:j], bits.Len(uint(highest)))
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst
}

// shortestRun is how many equal values are worth a run of their own.
const shortestRun = 16

// appendHybrid appends values of at most eight bits as runs where they repeat, and packed in groups of eight where they don't.
func appendHybrid(dst []byte, v []uint8, width int) []byte {
	for i := 0; i < len(v); {
		run := runOf(v[i:])
		if run >= shortestRun || run == len(v)-i {
			dst = binary.AppendUvarint(dst, uint64(run)<<1)
			dst = append(dst, v[i])
			i += run
			continue
		}
		start := i
		for i += 8; i < len(v); i += 8 {
			if run := runOf(v[i:]); run >= shortestRun || run == len(v)-i {
				break
			}
		}
		groups := (min(i, len(v)) - start + 7) / 8
		dst = binary.AppendUvarint(dst, uint64(groups)<<1|1)
		var acc uint64
		n := 0
		for k := start; k < start+8*groups; k++ {
			if k < len(v) {
				acc |= uint64(v[k]) << n
			}
			for n += width; n >= 8; n -= 8 {
				dst = append(dst, byte(acc))
				acc >>= 8
			}
		}
	}
	return dst
}

func runOf(v []uint8) int {
	n := 1
	for n < len(v) && v[n] == v[0] {
		n++
	}
	return n
}

// appendPacked appends numbers below 1<<width as one packed run.
func appendPacked(dst []byte, v []uint32, width int) []byte {
	groups := (len(v) + 7) / 8
	dst = binary.AppendUvarint(dst, uint64(groups)<<1|1)
	end := len(dst) + groups*width
	var acc uint64
	n := 0
	for _, x := range v {
		acc |= uint64(x) << n
		for n += width; n >= 8; n -= 8 {
			dst = append(dst, byte(acc))
			acc >>= 8
		}
	}
	if n > 0 {
		dst = append(dst, byte(acc))
	}
	for len(dst) < end {
		dst = append(dst, 0)
	}
	return dst
}

// appendRun appends n times the level v as a page of version 1 has its levels: four bytes of length, and one run of the RLE hybrid.
func appendRun(dst []byte, n int64, v int) []byte {
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	dst = binary.AppendUvarint(dst, uint64(n)<<1)
	dst = append(dst, byte(v))
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst
}
