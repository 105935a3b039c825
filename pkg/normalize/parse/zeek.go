package parse

import (
	"bytes"

	"leat/pkg/event"
)

// ZeekType is what a column of Zeek's TSV logs holds, as far as JSON tells types apart.
type ZeekType uint8

// The types; ZeekList is added to that of a set's or vector's elements.
const (
	ZeekText   ZeekType = iota // string, addr, subnet, enum, ...
	ZeekNumber                 // time, interval, double, count, int, port
	ZeekBool                   // T and F
	ZeekList   ZeekType = 1 << 7
)

// ParseZeekType reads a type as the line #types has it, such as "count" or "set[string]".
func ParseZeekType(s []byte) ZeekType {
	if i := bytes.IndexByte(s, '['); i > 0 && s[len(s)-1] == ']' {
		return ParseZeekType(s[i+1:len(s)-1]) | ZeekList
	}
	switch string(s) {
	case "time", "interval", "double", "count", "int", "port":
		return ZeekNumber
	case "bool":
		return ZeekBool
	}
	return ZeekText
}

// ZeekTSV reads the rows of Zeek's logs in ASCII (Zeek's LogAscii writer): columns with types, as a log's header lines name them.
type ZeekTSV struct {
	Names         [][]byte
	Types         []ZeekType
	Separator     byte   // 0 = tab
	ListSeparator byte   // 0 = comma
	Unset         []byte // nil = "-"
	Empty         []byte // nil = "(empty)"
	// Guessed says that no header line told the columns: a row with a value that is not of its column's type has others.
	Guessed bool
}

var zeekUnset, zeekEmpty = []byte("-"), []byte("(empty)")

// Columns tells how many columns the row s has.
func (z *ZeekTSV) Columns(s []byte) int { return bytes.Count(s, []byte{z.separator()}) + 1 }

func (z *ZeekTSV) separator() byte {
	if z.Separator == 0 {
		return '\t'
	}
	return z.Separator
}

// Parse adds the columns of the row s to the object at parent, with the values that Zeek's JSON has: numbers, booleans and lists as
// such. What is unset is not there. It is false where the row has no columns, more than there are names, or others than those guessed.
func (z *ZeekTSV) Parse(r *Record, parent int32, s []byte) bool {
	s = bytes.TrimRight(s, "\r\n")
	if n := z.Columns(s); n < 2 || n > len(z.Names) {
		return false
	}
	unset, empty := z.Unset, z.Empty
	if unset == nil {
		unset = zeekUnset
	}
	if empty == nil {
		empty = zeekEmpty
	}
	sep, i, first := z.separator(), 0, len(r.Cells)
	for done := false; !done; i++ {
		val := s
		if at := bytes.IndexByte(s, sep); at >= 0 {
			val, s = s[:at], s[at+1:]
		} else {
			done = true
		}
		if bytes.Equal(val, unset) {
			continue
		}
		t := ZeekText
		if i < len(z.Types) {
			t = z.Types[i]
		}
		if bytes.Equal(val, empty) {
			val = nil
		}
		if z.Guessed && !t.holds(val) {
			return false
		}
		r.Add(parent, z.cell(r, z.Names[i], val, t))
	}
	r.distinct(first)
	return true
}

// holds tells whether val can be of type t; what lists hold is not looked at.
func (t ZeekType) holds(val []byte) bool {
	switch t {
	case ZeekNumber:
		return isNumber(val)
	case ZeekBool:
		return string(val) == "T" || string(val) == "F"
	}
	return true
}

func (z *ZeekTSV) cell(r *Record, name, val []byte, t ZeekType) Cell {
	if t&ZeekList != 0 {
		list := r.Memory(func(dst []byte) []byte { return z.list(dst, val, t&^ZeekList) })
		return Cell{Key: name, Val: list, Kind: event.Array, JSON: true}
	}
	switch t {
	case ZeekNumber:
		if isNumber(val) {
			return Cell{Key: name, Val: val, Kind: event.Number, JSON: true}
		}
	case ZeekBool:
		if string(val) == "T" {
			return Cell{Key: name, Val: jsonTrue, Kind: event.True, JSON: true}
		}
		if string(val) == "F" {
			return Cell{Key: name, Val: jsonFalse, Kind: event.False, JSON: true}
		}
	}
	return Cell{Key: name, Val: r.unzeek(val), Kind: event.String}
}

var jsonTrue, jsonFalse = []byte("true"), []byte("false")

// list appends the JSON list of a set's or vector's elements.
func (z *ZeekTSV) list(dst, val []byte, t ZeekType) []byte {
	sep := z.ListSeparator
	if sep == 0 {
		sep = ','
	}
	dst = append(dst, '[')
	for n := 0; len(val) > 0; n++ {
		el := val
		if at := bytes.IndexByte(val, sep); at >= 0 {
			el, val = val[:at], val[at+1:]
		} else {
			val = nil
		}
		if n > 0 {
			dst = append(dst, ',')
		}
		switch {
		case t == ZeekNumber && isNumber(el):
			dst = append(dst, el...)
		case t == ZeekBool && string(el) == "T":
			dst = append(dst, jsonTrue...)
		case t == ZeekBool && string(el) == "F":
			dst = append(dst, jsonFalse...)
		default:
			// A list is short, and few have escapes.
			dst = event.AppendString(dst, appendUnzeek(nil, el))
		}
	}
	return append(dst, ']')
}

var hexEscape = []byte(`\x`)

// unzeek decodes \xHH, with which Zeek writes its separators and what can't be printed. Bytes beyond ASCII stay escaped.
func (r *Record) unzeek(s []byte) []byte {
	if !bytes.Contains(s, hexEscape) {
		return s
	}
	return r.Memory(func(dst []byte) []byte { return appendUnzeek(dst, s) })
}

// Unescape decodes \xHH in what a header line of Zeek's has, such as the separator \x09.
func Unescape(s []byte) []byte { return appendUnzeek(nil, s) }

func appendUnzeek(dst, s []byte) []byte {
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) && s[i+1] == 'x' {
			hi, lo := hexDigit(s[i+2]), hexDigit(s[i+3])
			if hi >= 0 && hi < 8 && lo >= 0 {
				dst = append(dst, byte(hi<<4|lo))
				i += 3
				continue
			}
		}
		dst = append(dst, s[i])
	}
	return dst
}

// isNumber tells whether s is a number of JSON (RFC 8259, section 6).
func isNumber(s []byte) bool {
	i := 0
	digits := func() bool {
		from := i
		for i < len(s) && s[i]-'0' < 10 {
			i++
		}
		return i > from
	}
	if i < len(s) && s[i] == '-' {
		i++
	}
	zero := i < len(s) && s[i] == '0'
	if from := i; !digits() || zero && i-from > 1 {
		return false
	}
	if i < len(s) && s[i] == '.' {
		if i++; !digits() {
			return false
		}
	}
	if i < len(s) && s[i]|0x20 == 'e' {
		if i++; i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		if !digits() {
			return false
		}
	}
	return i == len(s)
}
