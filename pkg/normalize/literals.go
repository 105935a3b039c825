package normalize

import "encoding/binary"

// literals finds, in one pass over a text, which of many literals are in it. It looks at three bytes from every second offset on: each
// literal is filed under two of its triples, one for either parity of the offset at which it may stand, and a bit set of all
// such triples lets most of the text by.
type literals struct {
	bits  [1 << 10]uint64 // by 16 bits of the triple's hash
	pairs [1 << 10]uint64 // by the pair itself: see short
	slots []literalSlot   // by hash, with open addressing
	n     int
	short []literal // literals of three bytes: at an odd offset, only their last two bytes are the beginning of what is looked at
}

type literalSlot struct {
	triple uint32
	list   []literal
}

// literal is one of them.
type literal struct {
	text string
	at   int // where in it the bytes stand under which it is filed
	n    int32
}

// add files the number n under lit. Literals shorter than three bytes can't be filed: false.
func (l *literals) add(lit string, n int32) bool {
	if len(lit) < 3 {
		return false
	}
	for parity := range 2 {
		best, rarest, at := uint32(0), -1, 0
		for i := parity; i+3 <= len(lit); i += 2 {
			if r := rarity(lit[i : i+3]); r > rarest {
				best, rarest, at = triple(lit[i:]), r, i
			}
		}
		if rarest < 0 {
			pair := pairOf(lit[1:])
			l.pairs[pair>>6] |= 1 << (pair & 63)
			l.short = append(l.short, literal{lit, 1, n})
			continue
		}
		h := hashTriple(best)
		l.bits[h>>6] |= 1 << (h & 63)
		l.file(best, literal{lit, at, n})
	}
	return true
}

func triple(s string) uint32 { return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 }

func pairOf(s string) uint32 { return uint32(s[0]) | uint32(s[1])<<8 }

// file puts x under t, and makes room for it.
func (l *literals) file(t uint32, x literal) {
	if 4*(l.n+1) > len(l.slots) {
		old := l.slots
		l.slots, l.n = make([]literalSlot, max(64, 2*len(old))), 0
		for _, s := range old {
			for _, y := range s.list {
				l.file(s.triple, y)
			}
		}
	}
	s := l.slot(t)
	if s.list == nil {
		s.triple = t
		l.n++
	}
	for _, have := range s.list {
		if have == x {
			return
		}
	}
	s.list = append(s.list, x)
}

// slot is that of t, or the empty one where it would be.
func (l *literals) slot(t uint32) *literalSlot {
	mask := uint32(len(l.slots) - 1)
	for h := hashTriple(t); ; h++ {
		if s := &l.slots[h&mask]; s.triple == t || s.list == nil {
			return s
		}
	}
}

// rarity guesses how seldom a text holds these bytes: capitals and most signs are seldom in log lines; small vowels, and what separates
// names, values and numbers, are not.
func rarity(s string) int {
	n := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == ' ' || c == 'e' || c == 'a' || c == 'i' || c == 'o' || c == 't' || c == 'n' || c == 'r' || c == 's':
		case c-'0' < 10 || c == '=' || c == '"' || c == ',' || c == ':' || c == '.' || c == '-' || c == '/':
			n++
		case c-'a' < 26:
			n += 2
		default:
			n += 3
		}
	}
	return n
}

func hashTriple(t uint32) uint32 { return t * 0x9E3779B1 >> 16 }

// scan lets to try the number of every literal that is in s.
func (l *literals) scan(s []byte, to *choice) {
	if len(l.slots) == 0 && l.short == nil {
		return
	}
	i := 0
	for ; i+4 <= len(s); i += 2 {
		t := binary.LittleEndian.Uint32(s[i:]) & 0xffffff
		if h := hashTriple(t); l.bits[h>>6]>>(h&63)&1 != 0 {
			try(l.slot(t).list, s, i, to)
		}
		if p := t & 0xffff; l.pairs[p>>6]>>(p&63)&1 != 0 {
			try(l.short, s, i, to)
		}
	}
	if rest := s[i:]; len(rest) >= 2 {
		try(l.short, s, i, to)
		if len(rest) == 3 && len(l.slots) > 0 {
			try(l.slot(uint32(rest[0])|uint32(rest[1])<<8|uint32(rest[2])<<16).list, s, i, to)
		}
	}
}

// try lets to try those of the list that are in s, where the bytes at i are those under which they are filed.
func try(list []literal, s []byte, i int, to *choice) {
	for j := range list {
		x := &list[j]
		if from := i - x.at; from >= 0 && from+len(x.text) <= len(s) && string(s[from:from+len(x.text)]) == x.text {
			to.try(x.n)
		}
	}
}
