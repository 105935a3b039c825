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
	// Strings and slices both begin with the pointer to their bytes; a switch over the two costs more than quoting a short text.
	return appendString(dst, unsafe.Slice(*(**byte)(unsafe.Pointer(&s)), len(s)))
}

// longString is from how many bytes on marks cost less than the branches that they save.
const longString = 192

// plainString is up to how many bytes a text is first taken for one without escapes.
const plainString = 128

// appendString appends s as a JSON string.
func appendString(dst, s []byte) []byte {
	if len(s) <= plainString && cap(dst)-len(dst) >= plainString+10 {
		if n := quotePlain(dst[len(dst):len(dst)+plainString+10], s); n > 0 {
			return dst[:len(dst)+n]
		}
	}
	dst = append(slices.Grow(dst, len(s)+len(s)/4+16), '"')
	if len(s) >= longString {
		dst, s = appendMarked(dst, s)
	}
	return appendShort(dst, s)
}

// quotePlain writes s, of at most plainString bytes, and its quotes to dst and returns how many bytes that are; 0 where something in s is
// not plain ASCII or needs an escape. It looks at words, also at the last bytes of s, so that a short text is two or three steps.
func quotePlain(dst, s []byte) int {
	dst = dst[:plainString+10]
	n, seen := len(s), uint64(0)
	dst[0] = '"'
	switch {
	case n >= 8:
		for i := 0; i < n-8; i += 8 {
			x := binary.LittleEndian.Uint64(s[i:])
			seen |= special(x)
			binary.LittleEndian.PutUint64(dst[1+i:], x)
		}
		x := binary.LittleEndian.Uint64(s[n-8:])
		seen |= special(x)
		binary.LittleEndian.PutUint64(dst[n-7:], x)
	case n >= 4:
		head, tail := binary.LittleEndian.Uint32(s), binary.LittleEndian.Uint32(s[n-4:])
		seen = special(uint64(head) | uint64(tail)<<32)
		binary.LittleEndian.PutUint32(dst[1:], head)
		binary.LittleEndian.PutUint32(dst[n-3:], tail)
	case n > 0:
		// The first, the middle and the last byte are all there are.
		a, b, c := s[0], s[n>>1], s[n-1]
		seen = special(uint64(a) | uint64(b)<<8 | uint64(c)<<16 | 0x3030303030<<24)
		dst[1], dst[1+n>>1], dst[n] = a, b, c
	}
	if seen != 0 {
		return 0
	}
	dst[n+1] = '"'
	return n + 2
}

// special is not 0 where a byte of x needs an escape or is not ASCII; its lowest mark is exact.
func special(x uint64) uint64 {
	q := x ^ (lsb * '"')
	b := x ^ (lsb * '\\')
	return (((q - lsb) &^ q) | ((b - lsb) &^ b) | ((x - lsb*0x20) &^ x) | x) & msb
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
			n := len(dst)
			binary.LittleEndian.PutUint64(dst[n:n+8], x)
			if m := special(x); m != 0 {
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
