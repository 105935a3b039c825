package sigma

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// grams finds which of many needles lie in a text. Each needle is filed under one gram of its, the rarest among all
// needles: four bytes of it, or two where it is shorter than four. Scanning asks a bitmap, which mostly says no, for each
// position; behind a yes stands a hash table of grams, and behind that the comparison with the needles themselves.
//
// Unlike an Aho-Corasick automaton the steps do not wait for each other, and what they read stays in the first cache
// however many needles there are: see docs/design/detect-index.md for the measurement.
type grams struct {
	long, short gramTable
	single      []gramRef
}

// gramTable is the grams of one width.
type gramTable struct {
	filter []uint64
	shift  uint // of a hash to a bit of filter
	slots  []gramSlot
	mask   uint32
	refs   []gramRef
}

// gramSlot is a gram and its refs[first:end]; end 0 is an empty slot.
type gramSlot struct {
	gram       uint32
	first, end int32
}

// gramRef is a needle that has a gram at off.
type gramRef struct {
	text string
	off  int32
	id   int32
}

const gramHash = 0x9E3779B1

func newGrams(needles []gramRef) *grams {
	g := &grams{}
	var long, short []gramRef
	for _, n := range needles {
		switch len(n.text) {
		case 1:
			g.single = append(g.single, n)
		case 2, 3:
			short = append(short, n)
		default:
			long = append(long, n)
		}
	}
	g.long.build(long, 4)
	g.short.build(short, 2)
	return g
}

func gramAt(s string, i, width int) uint32 {
	if width == 2 {
		return uint32(s[i]) | uint32(s[i+1])<<8
	}
	return uint32(s[i]) | uint32(s[i+1])<<8 | uint32(s[i+2])<<16 | uint32(s[i+3])<<24
}

func (t *gramTable) build(needles []gramRef, width int) {
	if len(needles) == 0 {
		return
	}
	// How many needles a gram is in is the best guess at how often texts have it.
	count := map[uint32]int{}
	for _, n := range needles {
		for i := 0; i+width <= len(n.text); i++ {
			count[gramAt(n.text, i, width)]++
		}
	}
	by := map[uint32][]gramRef{}
	var order []uint32
	for _, n := range needles {
		best := 0
		for i := 1; i+width <= len(n.text); i++ {
			if count[gramAt(n.text, i, width)] < count[gramAt(n.text, best, width)] {
				best = i
			}
		}
		n.off = int32(best)
		g := gramAt(n.text, best, width)
		if by[g] == nil {
			order = append(order, g)
		}
		by[g] = append(by[g], n)
	}
	// One bit in about 32 is set.
	size := uint(bits.Len(uint(len(by)*32 - 1)))
	size = max(size, 8)
	t.shift = 32 - size
	t.filter = make([]uint64, 1<<(size-6))
	t.mask = 1<<bits.Len(uint(len(by)*2)) - 1
	t.slots = make([]gramSlot, t.mask+1)
	for _, g := range order {
		h := g * gramHash
		t.filter[h>>t.shift>>6] |= 1 << (h >> t.shift & 63)
		at := h >> 7 & t.mask
		for t.slots[at].end != 0 {
			at = (at + 1) & t.mask
		}
		first := int32(len(t.refs))
		t.refs = append(t.refs, by[g]...)
		t.slots[at] = gramSlot{g, first, int32(len(t.refs))}
	}
}

// find returns the needles under gram x.
func (t *gramTable) find(x uint32) []gramRef {
	for at := x * gramHash >> 7 & t.mask; ; at = (at + 1) & t.mask {
		s := &t.slots[at]
		if s.end == 0 {
			return nil
		}
		if s.gram == x {
			return t.refs[s.first:s.end]
		}
	}
}

// scan calls hit for the needles in s; for one that is there several times, several times perhaps.
func (g *grams) scan(s []byte, m *Matcher) {
	if f := g.long.filter; len(f) > 0 && len(s) >= 4 {
		shift := g.long.shift & 31
		for i := 0; i+4 <= len(s); i++ {
			x := binary.LittleEndian.Uint32(s[i:])
			h := x * gramHash >> shift
			if f[h>>6]&(1<<(h&63)) != 0 {
				g.long.check(s, i, x, m)
			}
		}
	}
	if f := g.short.filter; len(f) > 0 && len(s) >= 2 {
		shift := g.short.shift & 31
		for i := 0; i+2 <= len(s); i++ {
			x := uint32(binary.LittleEndian.Uint16(s[i:]))
			h := x * gramHash >> shift
			if f[h>>6]&(1<<(h&63)) != 0 {
				g.short.check(s, i, x, m)
			}
		}
	}
	for i := range g.single {
		if n := &g.single[i]; bytes.IndexByte(s, n.text[0]) >= 0 {
			m.hit(n.id)
		}
	}
}

func (t *gramTable) check(s []byte, i int, x uint32, m *Matcher) {
	refs := t.find(x)
	for j := range refs {
		n := &refs[j]
		if m.wasHit(n.id) {
			continue
		}
		begin := i - int(n.off)
		if end := begin + len(n.text); begin >= 0 && end <= len(s) && string(s[begin:end]) == n.text {
			m.hit(n.id)
		}
	}
}
