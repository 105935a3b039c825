package tui

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxMarks is how many combining marks one character keeps: more would run over the lines above.
const maxMarks = 2

// clean makes a text of an event harmless for a terminal, and hidden characters visible: control characters become their
// pictures (␛ for ESC), what turns the direction of text, joins or hides becomes its number (<202E>), bytes that are not
// UTF-8 become U+FFFD. A tab becomes a space. The result has no byte below 0x20 and no C1 control.
func clean(s string) string {
	if plainASCII(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	marks := 0
	for _, r := range s {
		if unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Me, r) {
			if marks++; marks > maxMarks || isSelector(r) {
				continue
			}
			b.WriteRune(r)
			continue
		}
		marks = 0
		writeClean(&b, r)
	}
	return b.String()
}

func writeClean(b *strings.Builder, r rune) {
	switch {
	case r == '\t':
		b.WriteByte(' ')
	case r < 0x20:
		b.WriteRune(0x2400 + r)
	case r == 0x7f:
		b.WriteRune(0x2421)
	case r < 0x7f:
		b.WriteByte(byte(r))
	case r < 0xa0, unicode.Is(unicode.Cf, r), r == 0x2028, r == 0x2029, r == 0x115f, r == 0x1160, r == 0x3164, r == 0xffa0, r >= 0xe0000 && r < 0xf0000:
		b.WriteByte('<')
		const digits = "0123456789ABCDEF"
		started := false
		for shift := 20; shift >= 0; shift -= 4 {
			if d := r >> shift & 15; d != 0 || started || shift <= 12 {
				started = true
				b.WriteByte(digits[d])
			}
		}
		b.WriteByte('>')
	default:
		b.WriteRune(r)
	}
}

// isSelector tells whether r is a variation selector, which changes a width that terminals don't agree on.
func isSelector(r rune) bool { return r >= 0xfe00 && r <= 0xfe0f }

func plainASCII(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x7f {
			return false
		}
	}
	return true
}

// clip bounds a text before anything is done with it.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "…"
}
