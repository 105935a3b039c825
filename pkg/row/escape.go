package row

import (
	"bytes"
	"strconv"
	"unicode/utf16"
)

// sub is U+001A SUBSTITUTE as JSON writes it: the sign that something stands for what could not be there.
const sub = `\u001a`

// escapeRest appends the JSON text s, changed so that every JSON reader takes it: in its strings, NUL and halves of surrogate
// pairs become U+001A and four hexadecimal digits, and U+001A is doubled; a number beyond a double's range becomes the string of
// U+001A, n, and the number. The space between tokens is dropped.
func escapeRest(dst, s []byte) []byte {
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '"':
			dst, i = escapeText(dst, s, i+1)
		case c == '-' || c-'0' < 10:
			end := i + 1
			big := false
			for end < len(s) && (s[end]-'0' < 10 || s[end] == '.' || s[end] == '-' || s[end] == '+' || s[end]|0x20 == 'e') {
				big = big || s[end]|0x20 == 'e'
				end++
			}
			if (big || end-i > 300) && infinite(s[i:end]) {
				dst = append(dst, `"`+sub+`n`...)
				dst = append(dst, s[i:end]...)
				dst = append(dst, '"')
			} else {
				dst = append(dst, s[i:end]...)
			}
			i = end
		case c <= ' ':
			i++
		default:
			dst = append(dst, c)
			i++
		}
	}
	return dst
}

func infinite(number []byte) bool {
	_, err := strconv.ParseFloat(string(number), 64)
	return err != nil
}

// escapeText goes on behind a string's first quote at s[i-1], and returns the place behind its last.
func escapeText(dst, s []byte, i int) ([]byte, int) {
	start := i - 1
	for {
		for s[i] != '"' && s[i] != '\\' {
			i++
		}
		if s[i] == '"' {
			return append(dst, s[start:i+1]...), i + 1
		}
		if s[i+1] != 'u' {
			i += 2
			continue
		}
		switch r, n := escaped(s[i:]); {
		case r == 0x1a:
			dst = append(append(dst, s[start:i]...), sub+sub...)
			i += n
			start = i
		case r == 0 || n == 6 && utf16.IsSurrogate(r):
			dst = append(append(dst, s[start:i]...), sub...)
			// The four digits are left to be copied.
			start = i + 2
			i += n
		default:
			i += n
		}
	}
}

// unescapeRest undoes what quoteRest changed (s is the text, not quoted). A U+001A that begins none of its escapes stays.
func unescapeRest(dst, s []byte) []byte {
	if !bytes.Contains(s, []byte(sub)) && !bytes.Contains(s, []byte(`\u001A`)) {
		return append(dst, s...)
	}
	for {
		i := bytes.IndexByte(s, '\\')
		if i < 0 || i+2 > len(s) {
			return append(dst, s...)
		}
		n := 2
		if s[i+1] == 'u' {
			n = min(6, len(s)-i)
		}
		esc, after := s[i:i+n], s[i+n:]
		dst = append(dst, s[:i]...)
		switch {
		case n < 6 || string(esc[2:5]) != "001" || esc[5]|0x20 != 'a':
			dst = append(dst, esc...)
		case bytes.HasPrefix(after, []byte(sub)):
			dst = append(dst, sub...)
			after = after[len(sub):]
		case len(after) > 1 && after[0] == 'n' && len(dst) > 0 && dst[len(dst)-1] == '"':
			end := bytes.IndexByte(after, '"')
			if end < 0 {
				return append(append(dst, esc...), after...)
			}
			dst = append(dst[:len(dst)-1], after[1:end]...)
			after = after[end+1:]
		case len(after) >= 4:
			dst = append(dst, '\\', 'u')
			dst = append(dst, after[:4]...)
			after = after[4:]
		default:
			dst = append(dst, esc...)
		}
		s = after
	}
}
