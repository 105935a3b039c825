package sigma

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"strings"
)

// grams finds which of many needles lie in a text. Each needle is filed under grams of its that are rare among all
// needles. Scanning asks a bitmap, which mostly says no, for the gram at a position; behind a yes stands a hash table of
// grams, and behind that the comparison with the needles themselves.
//
//   - A needle of seven bytes or more is filed under four neighbouring grams of four bytes. One of them begins at a
//     multiple of four wherever the needle lies, so only every fourth position is asked.
//   - A shorter one is filed under one gram of four, three or two bytes, and every position is asked. While there are
//     few of them two bytes are enough to tell them apart, and one pass does.
//
// Unlike an Aho-Corasick automaton the steps do not wait for each other, and what they read stays in the first caches
// however many needles there are: docs/design/detect-index.md has the measurement.
type grams struct {
	long, mid, tri, pair gramTable
	few                  []gramRef // looked for one by one
}

// stride is how far apart the positions are that are asked for long needles.
const stride = 4

const (
	// fewNeedles is up to how many short needles are cheaper looked for one by one.
	fewNeedles = 3
	// pairNeedles is up to how many short needles two bytes of each are rare enough in texts.
	pairNeedles = 128
)

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
	var by [4][]gramRef // pair, tri, mid, long
	for _, n := range needles {
		switch l := len(n.text); {
		case l == 1:
			g.few = append(g.few, n)
		case l < 4:
			by[l-2] = append(by[l-2], n)
		case l < 4+stride-1:
			by[2] = append(by[2], n)
		default:
			by[3] = append(by[3], n)
		}
	}
	if len(by[0])+len(by[1])+len(by[2]) <= pairNeedles {
		by[0], by[1], by[2] = slices.Concat(by[0], by[1], by[2]), nil, nil
	}
	for i := range 3 {
		if len(by[i]) <= fewNeedles {
			g.few = append(g.few, by[i]...)
			by[i] = nil
		}
	}
	g.long.build(by[3], needles, 4, stride)
	g.mid.build(by[2], needles, 4, 1)
	g.tri.build(by[1], needles, 3, 1)
	g.pair.build(by[0], needles, 2, 1)
	return g
}

func gramAt(s string, i, width int) uint32 {
	x := uint32(0)
	for k := range width {
		x |= uint32(s[i+k]) << (8 * k)
	}
	return x
}

// build files needles under n neighbouring grams each. How many of all needles have a gram is the best guess at how
// often texts have it.
func (t *gramTable) build(needles, all []gramRef, width, n int) {
	if len(needles) == 0 {
		return
	}
	count := map[uint32]int{}
	for _, r := range all {
		for i := 0; i+width <= len(r.text); i++ {
			count[gramAt(r.text, i, width)]++
		}
	}
	by := map[uint32][]gramRef{}
	var order []uint32
	for _, r := range needles {
		best, least := 0, 1<<30
		for i := 0; i+width+n-1 <= len(r.text); i++ {
			sum := 0
			for k := range n {
				sum += count[gramAt(r.text, i+k, width)]
			}
			if sum < least {
				best, least = i, sum
			}
		}
		for k := range n {
			r.off = int32(best + k)
			g := gramAt(r.text, best+k, width)
			if by[g] == nil {
				order = append(order, g)
			}
			by[g] = append(by[g], r)
		}
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
	if f := g.long.filter; len(f) > 0 {
		shift := g.long.shift & 31
		for i := 0; i+4 <= len(s); i += stride {
			x := binary.LittleEndian.Uint32(s[i:])
			h := x * gramHash >> shift
			if f[h>>6]&(1<<(h&63)) != 0 {
				g.long.check(s, i, x, m)
			}
		}
	}
	if f := g.mid.filter; len(f) > 0 {
		shift := g.mid.shift & 31
		for i := 0; i+4 <= len(s); i++ {
			x := binary.LittleEndian.Uint32(s[i:])
			h := x * gramHash >> shift
			if f[h>>6]&(1<<(h&63)) != 0 {
				g.mid.check(s, i, x, m)
			}
		}
	}
	g.tri.scanNarrow(s, 3, m)
	g.pair.scanNarrow(s, 2, m)
	for i := range g.few {
		n := &g.few[i]
		if !m.wasHit(n.id) && strings.Contains(unsafeString(s), n.text) {
			m.hit(n.id)
		}
	}
}

// scanNarrow asks every position for grams of two or three bytes.
func (t *gramTable) scanNarrow(s []byte, width int, m *Matcher) {
	f := t.filter
	if len(f) == 0 || len(s) < width {
		return
	}
	shift := t.shift & 31
	up := uint(8 * (width - 1))
	x := uint32(0)
	for _, c := range s[:width-1] {
		x = x>>8 | uint32(c)<<up
	}
	for i, c := range s[width-1:] {
		x = x>>8 | uint32(c)<<up
		h := x * gramHash >> shift
		if f[h>>6]&(1<<(h&63)) != 0 {
			t.check(s, i, x, m)
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
