package intel

import "strings"

// next reads a token: a string literal, a word (also an object path), an operator or a bracket.
func (p *patternParser) next() error {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
	p.quoted = false
	if p.at == len(p.text) {
		p.tok = ""
		return nil
	}
	start := p.at
	switch c := p.text[p.at]; {
	case c == '\'':
		return p.literal()
	case strings.IndexByte("[](),", c) >= 0:
		p.at++
	case strings.IndexByte("=!<>", c) >= 0:
		for p.at < len(p.text) && strings.IndexByte("=!<>", p.text[p.at]) >= 0 {
			p.at++
		}
	default:
		if err := p.word(); err != nil {
			return err
		}
	}
	p.tok = p.text[start:p.at]
	return nil
}

// word skips a keyword, number or object path; a path may have quoted parts and indices: file:hashes.'SHA-256', a:b[*].c.
func (p *patternParser) word() error {
	path := false
	for p.at < len(p.text) {
		switch c := p.text[p.at]; {
		case c == ':':
			path = true
		case c == '\'' && path && p.text[p.at-1] == '.':
			end := strings.IndexByte(p.text[p.at+1:], '\'')
			if end < 0 {
				return p.expected("the end of a quoted property")
			}
			p.at += end + 1
		case c == '[' && path:
			end := strings.IndexByte(p.text[p.at:], ']')
			if end < 0 {
				return p.expected("]")
			}
			p.at += end
		case c == '\'' && !path: // t'2026-…', h'…', b'…' are constants
			if err := p.literal(); err != nil {
				return err
			}
			p.quoted = false
			return nil
		case strings.IndexByte(" \t\r\n[](),=!<>'", c) >= 0:
			return nil
		}
		p.at++
	}
	return nil
}

// literal reads a string in single quotes; \' and \\ are its escapes.
func (p *patternParser) literal() error {
	var out strings.Builder
	out.WriteByte('\'')
	for p.at++; p.at < len(p.text); p.at++ {
		switch c := p.text[p.at]; c {
		case '\\':
			if p.at++; p.at == len(p.text) {
				return p.expected("the end of a text")
			}
			out.WriteByte(p.text[p.at])
		case '\'':
			p.at++
			p.tok, p.quoted = out.String(), true
			return nil
		default:
			out.WriteByte(c)
		}
	}
	return p.expected("the end of a text")
}
