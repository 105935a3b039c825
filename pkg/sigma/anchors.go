package sigma

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// anchors finds which of many texts a value is, begins with, or ends with. Beginnings and ends are filed by length: under
// as many bytes as the largest power of two, up to 32, that they have. Of those the eight that tell most are the key:
// the last of a beginning, the first of an end.
type anchors struct {
	exact    anchorTable
	prefixes []anchorTable
	suffixes []anchorTable
}

// anchorTable is texts by key: a bitmap that mostly says no, and a hash table behind it.
type anchorTable struct {
	size    int // of the beginning or end; of exact, the longest
	pending []anchorRef
	filter  []uint64
	shift   uint
	slots   []anchorSlot
	mask    uint32
	refs    []anchorRef
}

// anchorSlot is a key and its refs[first:end]; end 0 is an empty slot.
type anchorSlot struct {
	key        uint64
	first, end int32
}

type anchorRef struct {
	text string
	id   int32
	key  uint64
}

func (a *anchors) empty() bool {
	return len(a.exact.refs)+len(a.exact.pending)+len(a.prefixes)+len(a.suffixes) == 0
}

// add notes a text; build makes the tables of all.
func (a *anchors) add(o op, text string, id int32) {
	switch o {
	case opExact:
		a.exact.size = max(a.exact.size, len(text))
		a.exact.pending = append(a.exact.pending, anchorRef{text, id, exactKey([]byte(text))})
	case opPrefix:
		t := class(&a.prefixes, len(text))
		t.pending = append(t.pending, anchorRef{text, id, prefixKey([]byte(text), t.size)})
	case opSuffix:
		t := class(&a.suffixes, len(text))
		t.pending = append(t.pending, anchorRef{text, id, suffixKey([]byte(text), t.size)})
	}
}

func class(list *[]anchorTable, n int) *anchorTable {
	size := 1
	for size*2 <= min(n, 32) {
		size *= 2
	}
	for i := range *list {
		if (*list)[i].size == size {
			return &(*list)[i]
		}
	}
	*list = append(*list, anchorTable{size: size})
	return &(*list)[len(*list)-1]
}

func (a *anchors) build() {
	a.exact.build()
	for i := range a.prefixes {
		a.prefixes[i].build()
	}
	for i := range a.suffixes {
		a.suffixes[i].build()
	}
}

func (t *anchorTable) build() {
	if len(t.pending) == 0 {
		return
	}
	slices.SortStableFunc(t.pending, func(a, b anchorRef) int {
		switch {
		case a.key < b.key:
			return -1
		case a.key > b.key:
			return 1
		}
		return 0
	})
	n := uint(len(t.pending))
	size := max(uint(bits.Len(n*16-1)), 6)
	t.shift = 32 - size
	t.filter = make([]uint64, 1<<(size-6))
	t.mask = 1<<bits.Len(n*2) - 1
	t.slots = make([]anchorSlot, t.mask+1)
	t.refs, t.pending = t.pending, nil
	for i := 0; i < len(t.refs); {
		key, first := t.refs[i].key, i
		for i < len(t.refs) && t.refs[i].key == key {
			i++
		}
		h := anchorHash(key)
		t.filter[h>>t.shift>>6] |= 1 << (h >> t.shift & 63)
		at := h & t.mask
		for t.slots[at].end != 0 {
			at = (at + 1) & t.mask
		}
		t.slots[at] = anchorSlot{key, int32(first), int32(i)}
	}
}

func anchorHash(key uint64) uint32 { return uint32(key * 0x9E3779B97F4A7C15 >> 32) }

// find returns the texts under key.
func (t *anchorTable) find(key uint64) []anchorRef {
	h := anchorHash(key)
	if f := h >> (t.shift & 31); t.filter[f>>6]&(1<<(f&63)) == 0 {
		return nil
	}
	for at := h & t.mask; ; at = (at + 1) & t.mask {
		s := &t.slots[at]
		if s.end == 0 {
			return nil
		}
		if s.key == key {
			return t.refs[s.first:s.end]
		}
	}
}

// exactKey is of the whole of s: its length, first and last bytes.
func exactKey(s []byte) uint64 {
	n := len(s)
	if n < 8 {
		return bytesKey(s) ^ uint64(n)<<56
	}
	return binary.LittleEndian.Uint64(s)*0x9E3779B97F4A7C15 ^ binary.LittleEndian.Uint64(s[n-8:]) ^ uint64(n)
}

// prefixKey is of the first size bytes of s, which has as many.
func prefixKey(s []byte, size int) uint64 {
	if size >= 8 {
		return binary.LittleEndian.Uint64(s[size-8:])
	}
	return bytesKey(s[:size])
}

// suffixKey is of the last size bytes of s, which has as many.
func suffixKey(s []byte, size int) uint64 {
	if size >= 8 {
		return binary.LittleEndian.Uint64(s[len(s)-size:])
	}
	return bytesKey(s[len(s)-size:])
}

// bytesKey is up to seven bytes as they are.
func bytesKey(s []byte) uint64 {
	x := uint64(0)
	for _, c := range s {
		x = x<<8 | uint64(c)
	}
	return x
}

func (a *anchors) scan(s []byte, m *Matcher) {
	if len(a.exact.refs) > 0 && len(s) <= a.exact.size {
		refs := a.exact.find(exactKey(s))
		for i := range refs {
			if string(s) == refs[i].text {
				m.hit(refs[i].id)
			}
		}
	}
	for i := range a.prefixes {
		t := &a.prefixes[i]
		if len(s) < t.size {
			continue
		}
		refs := t.find(prefixKey(s, t.size))
		for j := range refs {
			if r := &refs[j]; len(s) >= len(r.text) && string(s[:len(r.text)]) == r.text {
				m.hit(r.id)
			}
		}
	}
	for i := range a.suffixes {
		t := &a.suffixes[i]
		if len(s) < t.size {
			continue
		}
		refs := t.find(suffixKey(s, t.size))
		for j := range refs {
			if r := &refs[j]; len(s) >= len(r.text) && string(s[len(s)-len(r.text):]) == r.text {
				m.hit(r.id)
			}
		}
	}
}
