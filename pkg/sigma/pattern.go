package sigma

import (
	"strings"
	"unicode/utf8"
)

// partKind is what one part of a pattern stands for.
type partKind uint8

const (
	literal partKind = iota
	any0             // *: any run of characters
	any1             // ?: one character
	holder           // %name%: to be replaced by expand
)

type part struct {
	kind partKind
	text string // literal's text or holder's name
}

// pattern is a value of a rule: text with wildcards.
type pattern []part

// parsePattern reads a value as the specification's appendix on wildcards and escapes says: a backslash takes its
// meaning from a following *, ? or backslash, and is itself in front of anything else.
func parsePattern(s string) pattern {
	var p pattern
	var lit strings.Builder
	flush := func() {
		if lit.Len() > 0 {
			p = append(p, part{literal, lit.String()})
			lit.Reset()
		}
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s) && (s[i+1] == '*' || s[i+1] == '?' || s[i+1] == '\\'):
			i++
			lit.WriteByte(s[i])
		case c == '*':
			flush()
			p = append(p, part{kind: any0})
		case c == '?':
			flush()
			p = append(p, part{kind: any1})
		default:
			lit.WriteByte(c)
		}
	}
	flush()
	return p.tidy()
}

// tidy joins neighbouring literals and neighbouring stars.
func (p pattern) tidy() pattern {
	var out pattern
	for _, q := range p {
		n := len(out) - 1
		switch {
		case q.kind == literal && q.text == "":
		case n >= 0 && q.kind == literal && out[n].kind == literal:
			out[n].text += q.text
		case n >= 0 && q.kind == any0 && out[n].kind == any0:
		default:
			out = append(out, q)
		}
	}
	return out
}

// plain returns the text of a pattern without wildcards.
func (p pattern) plain() (string, bool) {
	switch {
	case len(p) == 0:
		return "", true
	case len(p) == 1 && p[0].kind == literal:
		return p[0].text, true
	}
	return "", false
}

// source returns the pattern as a rule would write it.
func (p pattern) source() string {
	var b strings.Builder
	for _, q := range p {
		switch q.kind {
		case any0:
			b.WriteByte('*')
		case any1:
			b.WriteByte('?')
		case holder:
			b.WriteString("%" + q.text + "%")
		default:
			for i := 0; i < len(q.text); i++ {
				c := q.text[i]
				if c == '*' || c == '?' || c == '\\' && i+1 < len(q.text) && strings.IndexByte(`*?\`, q.text[i+1]) >= 0 ||
					c == '\\' && i+1 == len(q.text) {
					b.WriteByte('\\')
				}
				b.WriteByte(c)
			}
		}
	}
	return b.String()
}

// shape names what kind of comparison p is and gives its literal; opGlob for all that is no simple one.
func (p pattern) shape() (op, string) {
	if s, ok := p.plain(); ok {
		return opExact, s
	}
	switch {
	case len(p) == 1 && p[0].kind == any0:
		return opPresent, ""
	case len(p) == 2 && p[0].kind == literal && p[1].kind == any0:
		return opPrefix, p[0].text
	case len(p) == 2 && p[0].kind == any0 && p[1].kind == literal:
		return opSuffix, p[1].text
	case len(p) == 3 && p[0].kind == any0 && p[1].kind == literal && p[2].kind == any0:
		return opContains, p[1].text
	}
	return opGlob, ""
}

// match tells whether p is the whole of s. It goes back to the last star only, so it is quadratic at worst.
func (p pattern) match(s []byte) bool {
	i, at := 0, 0       // part of p, byte of s
	star, mark := -1, 0 // the last star, and where in s it ends
	for {
		if i == len(p) {
			if at == len(s) {
				return true
			}
		} else {
			switch q := p[i]; q.kind {
			case any0:
				if i == len(p)-1 {
					return true
				}
				star, mark = i, at
				i++
				continue
			case any1:
				if at < len(s) {
					at += runeLen(s[at:])
					i++
					continue
				}
			default:
				if len(s)-at >= len(q.text) && string(s[at:at+len(q.text)]) == q.text {
					at += len(q.text)
					i++
					continue
				}
			}
		}
		if star < 0 || mark >= len(s) {
			return false
		}
		mark += runeLen(s[mark:])
		i, at = star+1, mark
	}
}

func runeLen(s []byte) int {
	if s[0] < utf8.RuneSelf {
		return 1
	}
	_, n := utf8.DecodeRune(s)
	return n
}
