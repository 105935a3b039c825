package sigma

import (
	"bytes"
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
//   - One of four to six is filed under two neighbouring grams of three bytes, and every second position is asked.
//   - A shorter one is filed under itself, or two bytes of it, and every position is asked. While there are few short
//     needles two bytes are enough to tell all of them apart, and one pass does.
//
// Unlike an Aho-Corasick automaton the steps do not wait for each other, and what they read stays in the first caches
// however many needles there are: docs/design/detect-index.md has the measurement.
type grams struct {
	long, mid, tri, pair gramTable
	few                  []gramRef // looked for one by one
}

const (
	// longNeedle and midNeedle are the least lengths of needles that longStride and midStride positions apart find.
	longNeedle, longWidth, longStride = 7, 4, 4
	midNeedle, midWidth, midStride    = 4, 3, 2
	// fewNeedles is up to how many short needles are cheaper looked for one by one.
	fewNeedles = 2
	// pairNeedles is up to how many short needles two bytes of each are rare enough in texts.
	pairNeedles = 48
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
	tail uint32 // the last four bytes, or three or two: compared first, because they lie here
	mask uint32 // of the bytes of a shorter text's tail
}

const gramHash = 0x9E3779B1

func newGrams(needles []gramRef) *grams {
	g := &grams{}
	var long, mid, tri, pair []gramRef
	for _, n := range needles {
		n.tail, n.mask = tailOf(n.text)
		switch l := len(n.text); {
		case l == 1:
			g.few = append(g.few, n)
		case l == 2:
			pair = append(pair, n)
		case l < midNeedle:
			tri = append(tri, n)
		case l < longNeedle:
			mid = append(mid, n)
		default:
			long = append(long, n)
		}
	}
	switch short := len(pair) + len(tri); {
	case short == 0:
	case short+len(mid) <= fewNeedles:
		g.few, pair, tri, mid = slices.Concat(g.few, pair, tri, mid), nil, nil, nil
	case short+len(mid) <= pairNeedles:
		pair, tri, mid = slices.Concat(pair, tri, mid), nil, nil
	case short <= pairNeedles:
		pair, tri = slices.Concat(pair, tri), nil
	}
	g.long.build(long, needles, longWidth, longStride)
	g.mid.build(mid, needles, midWidth, midStride)
	g.tri.build(tri, needles, 3, 1)
	g.pair.build(pair, needles, 2, 1)
	return g
}

// tailOf returns the last four bytes of s as they are read at four bytes before its end; mask is of those that s has.
func tailOf(s string) (tail, mask uint32) {
	n := min(len(s), 4)
	for i := range n {
		shift := 8 * (4 - n + i)
		tail |= uint32(s[len(s)-n+i]) << shift
		mask |= 0xFF << shift
	}
	return tail, mask
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
	count := countGrams(all, width)
	list := make([]uint64, 0, len(needles)*n) // gram, offset and needle, so that grams sort
	for at := range needles {
		r := &needles[at]
		best, least := 0, uint32(1<<31)
		for i := 0; i+width+n-1 <= len(r.text); i++ {
			sum := uint32(0)
			for k := range n {
				sum += count.of(gramAt(r.text, i+k, width))
			}
			if sum < least {
				best, least = i, sum
			}
		}
		for k := range n {
			list = append(list, uint64(gramAt(r.text, best+k, width))<<32|uint64(at)<<2|uint64(k))
		}
		r.off = int32(best)
	}
	slices.Sort(list)
	t.file(list, needles)
}

// file makes the filter and the table of the grams in list, which is sorted.
func (t *gramTable) file(list []uint64, needles []gramRef) {
	distinct := 0
	for i := range list {
		if i == 0 || list[i]>>32 != list[i-1]>>32 {
			distinct++
		}
	}
	// One bit in about 32 is set; of very many, one in 16, which fits into the first cache.
	perGram := 32
	if distinct > 1<<13 {
		perGram = 16
	}
	size := max(uint(bits.Len(uint(distinct*perGram-1))), 8)
	t.shift = 32 - size
	t.filter = make([]uint64, 1<<(size-6))
	t.mask = 1<<bits.Len(uint(distinct*2)) - 1
	t.slots = make([]gramSlot, t.mask+1)
	t.refs = make([]gramRef, 0, len(list))
	for i := 0; i < len(list); {
		g := uint32(list[i] >> 32)
		h := g * gramHash
		t.filter[h>>t.shift>>6] |= 1 << (h >> t.shift & 63)
		at := h >> 7 & t.mask
		for t.slots[at].end != 0 {
			at = (at + 1) & t.mask
		}
		first := int32(len(t.refs))
		for ; i < len(list) && uint32(list[i]>>32) == g; i++ {
			r := needles[uint32(list[i])>>2]
			r.off += int32(list[i] & 3)
			t.refs = append(t.refs, r)
		}
		t.slots[at] = gramSlot{g, first, int32(len(t.refs))}
	}
}

// gramCounts is how often grams are there, roughly: grams whose hashes are the same count together.
type gramCounts struct {
	by    []uint32
	shift uint
}

func countGrams(needles []gramRef, width int) *gramCounts {
	total := 0
	for _, r := range needles {
		total += len(r.text)
	}
	size := min(uint(bits.Len(uint(total)))+1, 20)
	c := &gramCounts{make([]uint32, 1<<size), 32 - size}
	mask := uint32(1)<<(8*width) - 1 // of four bytes: all
	for _, r := range needles {
		x := uint32(0)
		for i := range len(r.text) {
			x = x>>8 | uint32(r.text[i])<<24
			if i+1 >= width {
				c.by[x>>(32-8*width)&mask*gramHash>>c.shift]++
			}
		}
	}
	return c
}

func (c *gramCounts) of(gram uint32) uint32 { return c.by[gram*gramHash>>c.shift] }

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
		for i := 0; i+longWidth <= len(s); i += longStride {
			x := binary.LittleEndian.Uint32(s[i:])
			h := x * gramHash >> shift
			if f[h>>6]&(1<<(h&63)) != 0 {
				g.long.check(s, i, x, m)
			}
		}
	}
	g.mid.scanMid(s, m)
	g.tri.scanNarrow(s, 3, m)
	g.pair.scanNarrow(s, 2, m)
	for i := range g.few {
		n := &g.few[i]
		if m.wasHit(n.id) {
			continue
		}
		if len(n.text) == 1 && bytes.IndexByte(s, n.text[0]) >= 0 || len(n.text) > 1 && strings.Contains(unsafeString(s), n.text) {
			m.hit(n.id)
		}
	}
}

// scanMid asks every second position for grams of three bytes.
func (t *gramTable) scanMid(s []byte, m *Matcher) {
	f := t.filter
	if len(f) == 0 {
		return
	}
	shift := t.shift & 31
	i := 0
	for ; i+4 <= len(s); i += midStride {
		x := binary.LittleEndian.Uint32(s[i:]) & 0xFFFFFF
		h := x * gramHash >> shift
		if f[h>>6]&(1<<(h&63)) != 0 {
			t.check(s, i, x, m)
		}
	}
	if i+midWidth == len(s) {
		t.check(s, i, uint32(s[i])|uint32(s[i+1])<<8|uint32(s[i+2])<<16, m)
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
		begin := i - int(n.off)
		end := begin + len(n.text)
		if begin < 0 || end > len(s) || end >= 4 && binary.LittleEndian.Uint32(s[end-4:])&n.mask != n.tail {
			continue
		}
		if !m.wasHit(n.id) && string(s[begin:end]) == n.text {
			m.hit(n.id)
		}
	}
}
