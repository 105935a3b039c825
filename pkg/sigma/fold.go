package sigma

import (
	"encoding/binary"
	"unicode"
	"unicode/utf8"
)

// foldRune returns the one character that stands for all that differ from r by case alone (Unicode simple case folding;
// the Kelvin sign folds to k).
func foldRune(r rune) rune {
	if r < utf8.RuneSelf {
		if 'A' <= r && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	if 'A' <= least && least <= 'Z' {
		least += 'a' - 'A'
	}
	return least
}

const (
	lows  = 0x0101010101010101
	highs = 0x8080808080808080
)

// appendFold appends s with its case folded. Bytes that are not UTF-8 stay as they are.
func appendFold(dst, s []byte) []byte {
	n := len(dst)
	dst = append(dst, s...)
	t := dst[n:]
	i := 0
	for ; i+8 <= len(t); i += 8 {
		x := binary.LittleEndian.Uint64(t[i:])
		if x&highs != 0 {
			return appendFoldWide(dst[:n+i], s[i:])
		}
		// The high bit of each byte from A to Z, moved to where it makes the letter small.
		upper := (x + (0x80-'A')*lows) &^ (x + (0x80-'Z'-1)*lows) & highs
		binary.LittleEndian.PutUint64(t[i:], x|upper>>2)
	}
	for ; i < len(t); i++ {
		if c := t[i]; c-'A' < 26 {
			t[i] = c | 0x20
		} else if c >= utf8.RuneSelf {
			return appendFoldWide(dst[:n+i], s[i:])
		}
	}
	return dst
}

func appendFoldWide(dst, s []byte) []byte {
	for len(s) > 0 {
		r, n := utf8.DecodeRune(s)
		if r == utf8.RuneError && n == 1 {
			dst = append(dst, s[0])
		} else {
			dst = utf8.AppendRune(dst, foldRune(r))
		}
		s = s[n:]
	}
	return dst
}

func fold(s string) string { return string(appendFold(nil, []byte(s))) }
