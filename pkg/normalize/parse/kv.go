package parse

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// KV splits key=value pairs (logfmt too). The zero KV reads pairs that are separated by spaces.
type KV struct {
	Pair  byte // between pairs; 0 = space
	Value byte // between key and value; 0 = '='
	// Between stands between pairs, where that is more than one byte; quotes then hold no pairs together.
	Between []byte
}

// Parse adds the pairs of s to the object at parent. Values may be quoted, with \" for a quote within. What stands between
// pairs and is none becomes the value of the key "text". It tells whether there was a pair.
func (k KV) Parse(r *Record, parent int32, s []byte) bool {
	if len(k.Between) > 0 {
		r.names = nil
		return k.between(r, parent, s)
	}
	pair, eq := k.Pair, k.equals()
	if pair == 0 {
		pair = ' '
	}
	found, first := false, len(r.Cells)
	open := byte(0) // a quote that is known not to close any more
	words := -1     // where a run of words that are no pair begins
	r.names.start()
	flush := func(end int) {
		if words >= 0 {
			r.addPair(parent, keyText, trimSpace(s[words:end]))
			words = -1
		}
	}
	for i := 0; i < len(s); {
		for i < len(s) && (s[i] == pair || s[i] <= ' ') {
			i++
		}
		start := i
		// What was a key before, with eq behind it, is one again: its end was found by the steps below.
		if name, number := r.names.guess(); number > 0 && words < 0 && name.at(s, i, eq) {
			r.names.take(number)
			var val []byte
			i += len(name.text) + 1
			val, i = k.value(r, s, i, pair, &open)
			r.addText(parent, s[start:start+len(name.text)], val, number)
			found = true
			continue
		}
		for i < len(s) && s[i] != eq && s[i] != pair && s[i] != '"' {
			i++
		}
		if i == len(s) || s[i] != eq {
			for i < len(s) && s[i] != pair {
				i++
			}
			if words < 0 && start < i {
				words = start
			}
			continue
		}
		flush(start)
		key := trimSpace(s[start:i])
		i++
		var val []byte
		val, i = k.value(r, s, i, pair, &open)
		if len(key) > 0 {
			r.addPair(parent, key, val)
			found = true
		}
	}
	flush(len(s))
	r.distinct(first)
	return found
}

func (k KV) equals() byte {
	if k.Value == 0 {
		return '='
	}
	return k.Value
}

var keyText = []byte("text")

// value reads the value at s[i] and returns the offset behind it.
func (k KV) value(r *Record, s []byte, i int, pair byte, open *byte) ([]byte, int) {
	if i < len(s) && (s[i] == '"' || s[i] == '\'') && s[i] != *open {
		q := s[i]
		escaped := false
		for j := either(s, i+1, q, '\\'); j < len(s); j = either(s, j+1, q, '\\') {
			switch {
			case s[j] == '\\' && j+1 < len(s):
				escaped = escaped || s[j+1] == q || s[j+1] == '\\'
				j++
			case s[j] == q && (j+1 == len(s) || s[j+1] == pair || s[j+1] <= ' ' || s[j+1] == ','):
				val := s[i+1 : j]
				if escaped {
					val = r.unescape(val, q)
				}
				return val, j + 1
			}
		}
		*open = q // else a line full of them would be read again for each
		if rest := s[i+1:]; bytes.IndexByte(rest, q) < 0 && bytes.IndexByte(rest, k.equals()) < 0 {
			// A cut line: its last value goes to the end.
			return trimSpace(rest), len(s)
		}
	}
	end := either(s, i, pair, pair)
	return trimSpace(s[i:end]), end
}

// either returns where the first a or b from s[i] on is, or len(s). Values are short: eight bytes at once beat a call of bytes.IndexByte.
func either(s []byte, i int, a, b byte) int {
	const lsb, msb = 0x0101010101010101, 0x8080808080808080
	for as, bs := lsb*uint64(a), lsb*uint64(b); i+8 <= len(s); i += 8 {
		x := binary.LittleEndian.Uint64(s[i:])
		p, q := x^as, x^bs
		// The lowest mark is exact.
		if m := ((p-lsb)&^p | (q-lsb)&^q) & msb; m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
	}
	for ; i < len(s) && s[i] != a && s[i] != b; i++ {
	}
	return min(i, len(s))
}

// unescape decodes \q and \\; other backslashes stay, as in Windows paths.
func (r *Record) unescape(s []byte, q byte) []byte {
	start := len(r.mem)
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && (s[i+1] == q || s[i+1] == '\\') {
			i++
		}
		r.mem = append(r.mem, s[i])
	}
	return r.mem[start:len(r.mem):len(r.mem)]
}

func trimSpace(s []byte) []byte {
	for len(s) > 0 && s[0] <= ' ' {
		s = s[1:]
	}
	for len(s) > 0 && s[len(s)-1] <= ' ' {
		s = s[:len(s)-1]
	}
	return s
}
