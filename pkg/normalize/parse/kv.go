package parse

import "leat/pkg/event"

// KV splits key=value pairs (logfmt too). The zero KV reads pairs that are separated by spaces.
type KV struct {
	Pair  byte // between pairs; 0 = space
	Value byte // between key and value; 0 = '='
}

// Parse adds the pairs of s to the object at parent. Values may be quoted, with \" for a quote within. What stands between
// pairs and is none becomes the value of the key "text". It tells whether there was a pair.
func (k KV) Parse(r *Record, parent int32, s []byte) bool {
	pair, eq := k.Pair, k.Value
	if pair == 0 {
		pair = ' '
	}
	if eq == 0 {
		eq = '='
	}
	found := false
	for i := 0; i < len(s); {
		for i < len(s) && (s[i] == pair || s[i] == ' ' || s[i] == '\t') {
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
			if start < i {
				r.AddText(parent, keyText, trimSpace(s[start:i]))
			}
			continue
		}
		key := trimSpace(s[start:i])
		i++
		var val []byte
		val, i = k.value(r, s, i, pair)
		if len(key) > 0 {
			r.AddText(parent, key, val)
			found = true
		}
	}
	return found
}

var keyText = []byte("text")

// value reads the value at s[i] and returns the offset behind it.
func (k KV) value(r *Record, s []byte, i int, pair byte) ([]byte, int) {
	if i < len(s) && (s[i] == '"' || s[i] == '\'') {
		q := s[i]
		escaped := false
		for j := i + 1; j < len(s); j++ {
			switch {
			case s[j] == '\\' && j+1 < len(s):
				escaped = escaped || s[j+1] == q || s[j+1] == '\\'
				j++
			case s[j] == q && (j+1 == len(s) || s[j+1] == pair || s[j+1] == ' ' || s[j+1] == ','):
				val := s[i+1 : j]
				if escaped {
					val = r.unescape(val, q)
				}
				return val, j + 1
			}
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

// CSV splits one line of separated values into named columns.
type CSV struct {
	Separator byte // 0 = ','
	Columns   [][]byte
}

// Parse adds the columns of s to the object at parent; a column named "-" or "" is skipped, those behind the last name are
// named column_N. Fields may be quoted (RFC 4180).
func (c CSV) Parse(r *Record, parent int32, s []byte) bool {
	sep := c.Separator
	if sep == 0 {
		sep = ','
	}
	for n := 0; ; n++ {
		var val []byte
		i := 0
		if len(s) > 0 && s[0] == '"' {
			val, i = r.quotedField(s, sep)
		} else {
			for i < len(s) && s[i] != sep {
				i++
			}
			val = s[:i]
		}
		if len(val) > 0 {
			r.Add(parent, Cell{Key: c.column(r, n), Val: val, Kind: event.String})
		}
		if i >= len(s) {
			return n > 0
		}
		s = s[i+1:]
	}
}

func (c CSV) column(r *Record, n int) []byte {
	if n < len(c.Columns) {
		return c.Columns[n]
	}
	start := len(r.mem)
	r.mem = append(r.mem, "column_"...)
	r.mem = appendInt(r.mem, n+1)
	return r.mem[start:len(r.mem):len(r.mem)]
}

func (r *Record) quotedField(s []byte, sep byte) (val []byte, end int) {
	doubled := false
	for j := 1; j < len(s); j++ {
		if s[j] != '"' {
			continue
		}
		if j+1 < len(s) && s[j+1] == '"' {
			doubled = true
			j++
			continue
		}
		if j+1 == len(s) || s[j+1] == sep {
			if !doubled {
				return s[1:j], j + 1
			}
			start := len(r.mem)
			for k := 1; k < j; k++ {
				r.mem = append(r.mem, s[k])
				if s[k] == '"' {
					k++
				}
			}
			return r.mem[start:len(r.mem):len(r.mem)], j + 1
		}
	}
	// An unclosed quote is a quote like any other byte.
	i := 0
	for i < len(s) && s[i] != sep {
		i++
	}
	return s[:i], i
}

func appendInt(dst []byte, n int) []byte {
	if n >= 10 {
		dst = appendInt(dst, n/10)
	}
	return append(dst, byte('0'+n%10))
}
