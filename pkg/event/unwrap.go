package event

import (
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
	p := scanner{s: e.line, nodes: e.nodes[:0], marks: e.marks, wrapped: true, text: dst}
	err = p.line()
	e.nodes, e.marks = p.nodes, p.marks
	if err != nil {
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
	text := slices.Grow(p.text, len(s)-i+32)
	n := len(text)
	for {
		end := p.next(i)
		if end >= len(s) {
			return p.fail(end, "ends within a string")
		}
		n += copyRun(text[n:cap(text)], s, i, end)
		i = end
		switch c := s[i]; {
		case c == '"':
			p.text = text[:n]
			return i + 1
		case c < 0x20:
			return p.fail(i, "control character in a string")
		}
		p.nodes[m].flags |= flagValEsc
		if i+1 < len(s) && (s[i+1] == '"' || s[i+1] == '\\' || s[i+1] == '/') {
			text = append(text[:n], s[i+1])
			i, n = i+2, n+1
			continue
		}
		width := p.escape(i)
		if width == 6 && pair(s[i:]) {
			width = 12
		}
		if width < 0 {
			return -1
		}
		// There is room for it: what an escape says is never longer than it.
		text = AppendUnquoted(text[:n], s[i:i+width])
		i, n = i+width, len(text)
	}
}

// pair tells whether s begins with the escapes of two surrogates that are one character.
func pair(s []byte) bool {
	hi, _ := hex4(s)
	if hi < 0xD800 || hi >= 0xDC00 {
		return false
	}
	lo, ok := hex4(s[6:])
	return ok && lo >= 0xDC00 && lo < 0xE000
}
