package parse

import (
	"bytes"

	"leat/pkg/event"
)

// W3C reads the rows of logs in the W3C's extended format (WD-logfile-960323), whose columns the line #Fields names: with spaces or tabs
// between them, values with spaces in quotes. Microsoft's Exchange writes commas.
type W3C struct {
	Names  [][]byte
	Commas bool
}

// Columns tells how many columns the row s has.
func (w *W3C) Columns(s []byte) int {
	n := 0
	w.each(s, func([]byte) bool { n++; return true })
	return n
}

// Parse adds the columns of the row s to the object at parent; "-" is no value. It is false where there are more columns than names.
func (w *W3C) Parse(r *Record, parent int32, s []byte) bool {
	i, ok, first := 0, true, len(r.Cells)
	w.each(s, func(val []byte) bool {
		if i == len(w.Names) {
			ok = false
			return false
		}
		if string(val) != "-" && len(val) > 0 {
			r.Add(parent, Cell{Key: w.Names[i], Val: val, Kind: event.String})
		}
		i++
		return true
	})
	r.distinct(first)
	return ok && i > 1
}

// each calls f with each column.
func (w *W3C) each(s []byte, f func(val []byte) bool) {
	s = bytes.TrimRight(s, "\r\n")
	sep := byte(' ')
	if w.Commas {
		sep = ','
	} else if bytes.IndexByte(s, '\t') >= 0 {
		sep = '\t'
	} else {
		s = bytes.TrimRight(s, " ")
	}
	for {
		n := bytes.IndexByte(s, sep)
		if n < 0 {
			n = len(s)
		}
		val := s[:n]
		if len(s) > 1 && s[0] == '"' {
			if end := closingQuote(s, sep); end > 0 {
				n, val = end+1, s[1:end]
			}
		}
		if !f(val) || n >= len(s) {
			return
		}
		s = s[n+1:]
	}
}

// closingQuote returns where the quoted value that s begins with ends: at a quote with a separator or nothing behind it; else -1.
func closingQuote(s []byte, sep byte) int {
	for i := 1; i < len(s); i++ {
		if s[i] == '"' && (i+1 == len(s) || s[i+1] == sep) {
			return i
		}
	}
	return -1
}
