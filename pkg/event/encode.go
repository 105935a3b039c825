package event

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
	"unicode/utf8"
	"unsafe"
)

const hexDigits = "0123456789abcdef"

// AppendString appends s as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD:
// where they must survive, escape them first (EscapeText).
func AppendString[T string | []byte](dst []byte, s T) []byte {
	switch v := any(s).(type) {
	case string:
		return appendString(dst, unsafe.Slice(unsafe.StringData(v), len(v)))
	case []byte:
		return appendString(dst, v)
	}
	return dst
}

// longString is from how many bytes on marks cost less than the branches that they save.
const longString = 192

// appendString appends s as a JSON string.
func appendString(dst, s []byte) []byte {
	dst = append(slices.Grow(dst, len(s)+len(s)/4+16), '"')
	if len(s) >= longString {
		dst, s = appendMarked(dst, s)
	}
	return appendShort(dst, s)
}

// appendMarked appends the text of s, as far as it is ASCII by whole pieces, and returns what is left.
func appendMarked(dst, s []byte) (out, rest []byte) {
	var memory [4096/8 + 8]byte
	for len(s) > 0 {
		piece := s[:min(len(s), 4096)]
		marks, high := mark(memory[:0], piece)
		if high {
			break
		}
		for i := 0; ; i++ {
			end := nextMark(marks, i, len(piece))
			if cap(dst)-len(dst) < end-i+32 {
				dst = slices.Grow(dst, len(s)-i+len(s)/4+32)
			}
			n := len(dst)
			n += copyRun(dst[n:cap(dst)], piece, i, end)
			dst = dst[:n]
			if i = end; i == len(piece) {
				break
			}
			dst = appendEscape(dst, piece[i])
		}
		s = s[len(piece):]
	}
	return dst, s
}

// appendShort appends the text of s and the quote behind it. It copies eight bytes in one step, also those behind the first that
// needs an escape: it is written over them. The lowest marked byte of the mask is exact, the ones above may not be.
func appendShort(dst, s []byte) []byte {
	for i := 0; ; {
		for i+8 <= len(s) {
			if cap(dst)-len(dst) < 8 {
				dst = slices.Grow(dst, len(s)-i+16)
			}
			x := binary.LittleEndian.Uint64(s[i:])
			q := x ^ (lsb * '"')
			b := x ^ (lsb * '\\')
			m := ((q - lsb) &^ q) | ((b - lsb) &^ b) | ((x - lsb*0x20) &^ x) | x
			n := len(dst)
			binary.LittleEndian.PutUint64(dst[n:n+8], x)
			if m &= msb; m != 0 {
				k := bits.TrailingZeros64(m) >> 3
				i, dst = i+k, dst[:n+k]
				break
			}
			i, dst = i+8, dst[:n+8]
		}
		for i < len(s) && s[i] >= 0x20 && s[i] < utf8.RuneSelf && s[i] != '"' && s[i] != '\\' {
			dst = append(dst, s[i])
			i++
		}
		if i == len(s) {
			return append(dst, '"')
		}
		if c := s[i]; c < utf8.RuneSelf {
			dst = appendEscape(dst, c)
			i++
			continue
		}
		r, n := utf8.DecodeRune(s[i:])
		if r == utf8.RuneError && n == 1 {
			dst = append(dst, "\uFFFD"...)
		} else {
			dst = append(dst, s[i:i+n]...)
		}
		i += n
	}
}

// copyRun copies s[i:end] to dst, which has room for 15 bytes more: runs between escapes are short, and words copied beyond their
// end cost less than a call. It returns end-i.
func copyRun(dst, s []byte, i, end int) int {
	n := 0
	for ; i+16 <= len(s); i, n = i+16, n+16 {
		*(*[16]byte)(dst[n:]) = [16]byte(s[i:])
		if end-i <= 16 {
			return n + end - i
		}
	}
	return n + copy(dst[n:], s[i:end])
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}

// NeedsEscape tells whether raw bytes can't be carried as a JSON string that every reader takes:
// they hold a NUL or are not UTF-8.
func NeedsEscape(raw []byte) bool {
	return bytes.IndexByte(raw, 0) >= 0 || !utf8.Valid(raw)
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
