package event

import "unicode/utf8"

const hexDigits = "0123456789abcdef"

// AppendString appends s as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD:
// where they must survive, escape them first (EscapeText).
func AppendString[T string | []byte](dst []byte, s T) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
			if r != utf8.RuneError || n > 1 {
				i += n
				continue
			}
			dst = append(dst, s[start:i]...)
			dst = append(dst, "\uFFFD"...)
			i++
			start = i
			continue
		}
		dst = append(dst, s[start:i]...)
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

// NeedsEscape tells whether raw bytes can't be carried as a JSON string that every reader takes:
// they hold a NUL or are not UTF-8.
func NeedsEscape(raw []byte) bool {
	for _, c := range raw {
		if c == 0 {
			return true
		}
	}
	return !utf8.Valid(raw)
}

// EscapeText appends raw with each backslash doubled and each NUL and each byte that is not UTF-8 as \xNN.
// UnescapeText gives the same bytes again. An event that carries such a text says so with leat.escaped: true.
func EscapeText(dst, raw []byte) []byte {
	for i := 0; i < len(raw); {
		c := raw[i]
		switch {
		case c == '\\':
			dst = append(dst, '\\', '\\')
			i++
		case c == 0:
			dst = append(dst, `\x00`...)
			i++
		case c < utf8.RuneSelf:
			dst = append(dst, c)
			i++
		default:
			r, n := utf8.DecodeRune(raw[i:])
			if r == utf8.RuneError && n == 1 {
				dst = append(dst, '\\', 'x', hexDigits[c>>4], hexDigits[c&15])
			} else {
				dst = append(dst, raw[i:i+n]...)
			}
			i += n
		}
	}
	return dst
}

// UnescapeText appends the bytes that EscapeText was given.
func UnescapeText(dst, text []byte) []byte {
	for i := 0; i < len(text); i++ {
		c := text[i]
		if c != '\\' || i+1 >= len(text) {
			dst = append(dst, c)
			continue
		}
		if text[i+1] == 'x' && i+3 < len(text) {
			dst = append(dst, unhex(text[i+2])<<4|unhex(text[i+3]))
			i += 3
			continue
		}
		dst = append(dst, text[i+1])
		i++
	}
	return dst
}

func unhex(c byte) byte {
	if c >= 'a' {
		return c - 'a' + 10
	}
	return c - '0'
}

// AppendRecord appends the wrapped form of a raw record's text as the members
// `"original":"…"` (for the object event), and tells whether it had to be escaped.
func AppendRecord(dst, raw []byte) (out []byte, escaped bool) {
	dst = append(dst, `"original":`...)
	if NeedsEscape(raw) {
		return AppendString(dst, EscapeText(nil, raw)), true
	}
	return AppendString(dst, raw), false
}
