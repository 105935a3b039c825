package normalize

// literals finds, in one pass over a text, which of many literals are in it: each is filed under three of its bytes,
// and a bit set of all such triples lets most of the text by.
type literals struct {
	bits  [1 << 10]uint64 // by 16 bits of the triple's hash
	table map[uint32][]literal
}

// literal is one of them.
type literal struct {
	text string
	at   int // where in it the three bytes stand
	n    int32
}

// add files the number n under lit. Literals shorter than three bytes can't be filed: false.
func (l *literals) add(lit string, n int32) bool {
	if len(lit) < 3 {
		return false
	}
	if l.table == nil {
		l.table = map[uint32][]literal{}
	}
	best, rarest, at := uint32(0), -1, 0
	for i := 0; i+3 <= len(lit); i++ {
		t := uint32(lit[i]) | uint32(lit[i+1])<<8 | uint32(lit[i+2])<<16
		if r := rarity(lit[i : i+3]); r > rarest {
			best, rarest, at = t, r, i
		}
	}
	for _, have := range l.table[best] {
		if have.n == n && have.text == lit {
			return true
		}
	}
	l.table[best] = append(l.table[best], literal{lit, at, n})
	h := hashTriple(best)
	l.bits[h>>6] |= 1 << (h & 63)
	return true
}

// rarity guesses how seldom a text holds these bytes: punctuation and capitals are seldom in log lines, small vowels not.
func rarity(s string) int {
	n := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c == ' ' || c == 'e' || c == 'a' || c == 'i' || c == 'o' || c == 't' || c == 'n' || c == 'r' || c == 's':
		case c-'a' < 26:
			n += 2
		case c-'0' < 10:
			n++
		default:
			n += 3
		}
	}
	return n
}

func hashTriple(t uint32) uint32 { return t * 0x9E3779B1 >> 16 }

// scan lets to try the number of every literal that is in s.
func (l *literals) scan(s []byte, to *choice) {
	if len(s) < 3 || l.table == nil {
		return
	}
	t := uint32(s[0])<<8 | uint32(s[1])<<16
	for i, c := range s[2:] {
		t = t>>8 | uint32(c)<<16
		if h := hashTriple(t); l.bits[h>>6]>>(h&63)&1 != 0 {
			for _, x := range l.table[t] {
				if from := i - x.at; from >= 0 && from+len(x.text) <= len(s) && string(s[from:from+len(x.text)]) == x.text {
					to.try(x.n)
				}
			}
		}
	}
}
