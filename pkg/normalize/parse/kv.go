package parse

import "bytes"

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
		return k.between(r, parent, s)
	}
	pair, eq := k.Pair, k.equals()
	if pair == 0 {
		pair = ' '
	}
	found, first := false, len(r.Cells)
	open := byte(0) // a quote that is known not to close any more
	words := -1     // where a run of words that are no pair begins
	flush := func(end int) {
		if words >= 0 {
			r.AddText(parent, keyText, trimSpace(s[words:end]))
			words = -1
		}
	}
	for i := 0; i < len(s); {
		for i < len(s) && (s[i] == pair || s[i] <= ' ') {
			i++
		}
		start := i
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
			r.AddText(parent, key, val)
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
		for j := i + 1; j < len(s); j++ {
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
	start := i
	for i < len(s) && s[i] != pair {
		i++
	}
	return trimSpace(s[start:i]), i
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
