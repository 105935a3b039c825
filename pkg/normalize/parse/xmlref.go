package parse

import (
	"bytes"
	"unicode/utf8"
)

func (r *Record) textXML(t xmlToken) []byte {
	if t.cdata {
		return t.text
	}
	return r.unescapeXML(t.text)
}

// unescapeXML decodes the predefined entities and character references; any other stays as it stands.
func (r *Record) unescapeXML(s []byte) []byte {
	i := bytes.IndexByte(s, '&')
	if i < 0 {
		return s
	}
	return r.Memory(func(dst []byte) []byte {
		for i >= 0 {
			dst = append(dst, s[:i]...)
			s = s[i:]
			c, n := reference(s)
			if n > 0 {
				dst = utf8.AppendRune(dst, c)
			} else {
				dst, n = append(dst, '&'), 1
			}
			s = s[n:]
			i = bytes.IndexByte(s, '&')
		}
		return append(dst, s...)
	})
}

// reference decodes the reference that s begins with; n is its length, 0 where it is none that XML 1.0 allows.
func reference(s []byte) (c rune, n int) {
	end := bytes.IndexByte(s[:min(len(s), 12)], ';')
	if end < 2 {
		return 0, 0
	}
	switch name := string(s[1:end]); name {
	case "lt":
		return '<', end + 1
	case "gt":
		return '>', end + 1
	case "amp":
		return '&', end + 1
	case "quot":
		return '"', end + 1
	case "apos":
		return '\'', end + 1
	}
	if s[1] != '#' {
		return 0, 0
	}
	digits, base := s[2:end], rune(10)
	if len(digits) > 0 && digits[0] == 'x' {
		digits, base = digits[1:], 16
	}
	for _, d := range digits {
		v := hexDigit(d)
		if v < 0 || rune(v) >= base || c > utf8.MaxRune {
			return 0, 0
		}
		c = c*base + rune(v)
	}
	if len(digits) == 0 || c < ' ' && c != '\t' && c != '\n' && c != '\r' || !utf8.ValidRune(c) {
		return 0, 0
	}
	return c, end + 1
}

func hexDigit(c byte) int {
	switch {
	case c-'0' < 10:
		return int(c - '0')
	case c|0x20-'a' < 6:
		return int(c|0x20-'a') + 10
	}
	return -1
}
