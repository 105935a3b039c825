package event

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

var pathOriginal = MustPath("event.original")

// Unwrap is Parse for a line that ingest may have wrapped: one pass checks the line and decodes the text of its
// event.original, which is most of it, into dst. ok is false where the line has no such text; err is Parse's.
func (e *Event) Unwrap(dst []byte) (text []byte, ok bool, err error) {
	if e.parsed || e.record != nil {
		if err := e.Parse(); err != nil {
			return dst, false, err
		}
		v := e.Get(pathOriginal)
		if v.Kind != String {
			return dst, false, nil
		}
		return AppendUnquoted(dst, v.Raw[1:len(v.Raw)-1]), true, nil
	}
	if len(e.line) > maxSize {
		return dst, false, e.Parse()
	}
	p := scanner{s: e.line, nodes: e.nodes[:0], wrapped: true, text: dst}
	err = p.line()
	if e.nodes = p.nodes; err != nil {
		e.nodes = e.nodes[:0]
		return dst, false, err
	}
	e.parsed = true
	// Of several members of one name the first counts.
	return p.text, p.member > 0 && e.Lookup(pathOriginal) == Node(p.member), nil
}

// isOriginal tells whether the value at i, of the member with that key in the object n, is the text of event.original.
func (p *scanner) isOriginal(i int, n int32, key []byte) bool {
	if string(key) != "original" || p.member > 0 || i >= len(p.s) || p.s[i] != '"' {
		return false
	}
	nd := &p.nodes[n]
	return string(p.s[nd.key0:nd.key1]) == "event"
}

// original scans the string at s[i] for the member m, as value does, and appends its text to p.text.
func (p *scanner) original(i int, m int32) int {
	s := p.s
	p.nodes[m].kind, p.member = String, m
	i++
	text := slices.Grow(p.text, len(s)-i+8)
	n := len(text)
	for i < len(s) {
		if i+8 <= len(s) {
			x := binary.LittleEndian.Uint64(s[i:])
			binary.LittleEndian.PutUint64(text[n:n+8], x)
			q := x ^ (lsb * '"')
			b := x ^ (lsb * '\\')
			mask := ((q - lsb) &^ q) | ((b - lsb) &^ b) | ((x - lsb*0x20) &^ x)
			if mask &= msb; mask == 0 {
				p.hi |= x & msb
				i, n = i+8, n+8
				continue
			}
			k := bits.TrailingZeros64(mask) >> 3 // the lowest marked byte is exact
			p.hi |= x & msb & (1<<(8*uint(k)) - 1)
			i, n = i+k, n+k
		}
		switch c := s[i]; {
		case c == '"':
			p.text = text[:n]
			return i + 1
		case c == '\\':
			p.nodes[m].flags |= flagValEsc
			if i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\' || s[i+1] == '/') {
				text = append(text[:n], s[i+1])
				i, n = i+2, n+1
				continue
			}
			width := p.escape(i)
			if width < 0 {
				return -1
			}
			// There is room for it: what an escape says is never longer than it.
			text = AppendUnquoted(text[:n], s[i:i+width])
			i, n = i+width, len(text)
		case c < 0x20:
			return p.fail(i, "control character in a string")
		default:
			p.hi |= uint64(c) & 0x80
			text = append(text[:n], c)
			i, n = i+1, n+1
		}
	}
	return p.fail(i, "ends within a string")
}

// escape checks the escape at s[i] and returns its length, that of both halves for a pair of surrogates, or -1.
func (p *scanner) escape(i int) int {
	s := p.s
	if i+1 >= len(s) {
		return p.fail(i, "ends within a string")
	}
	switch s[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		r, ok := hex4(s[i:])
		if !ok {
			return p.fail(i, `bad \u escape`)
		}
		if r >= 0xD800 && r < 0xDC00 {
			if lo, ok := hex4(s[i+6:]); ok && lo >= 0xDC00 && lo < 0xE000 {
				return 12
			}
		}
		return 6
	}
	return p.fail(i, "bad escape")
}
