package parse

import "leat/pkg/event"

// CSV splits one line of separated values into named columns.
type CSV struct {
	Separator byte // 0 = ','
	Columns   [][]byte
	// By is the number, from 1, of the column whose text chooses the names of all columns in Types; 0 = none does. Columns then
	// names those up to it, and the columns of a text that Types does not have.
	By    int
	Types map[string][][]byte
}

// Parse adds the columns of s to the object at parent; a column named "-" or "" is skipped, those behind the last name are
// named column_N. Fields may be quoted (RFC 4180).
func (c CSV) Parse(r *Record, parent int32, s []byte) bool {
	sep := c.Separator
	if sep == 0 {
		sep = ','
	}
	// Blanks in front of the line are no part of its first field.
	for len(s) > 0 && s[0] == ' ' && sep != ' ' {
		s = s[1:]
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
		if n+1 == c.By {
			if names, ok := c.Types[string(val)]; ok {
				c.Columns = names
			}
		}
		if len(val) > 0 && !c.skips(n) {
			r.Add(parent, Cell{Key: c.column(r, n), Val: val, Kind: event.String})
		}
		if i >= len(s) {
			return n > 0
		}
		s = s[i+1:]
	}
}

// skips tells whether column n, from 0, is one that nobody wants.
func (c CSV) skips(n int) bool {
	return n < len(c.Columns) && (len(c.Columns[n]) == 0 || len(c.Columns[n]) == 1 && c.Columns[n][0] == '-')
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
