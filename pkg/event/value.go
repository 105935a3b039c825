package event

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Kind is the type of a JSON value.
type Kind uint8

// The kinds. Missing is the zero Kind: no value is there, which is not the same as null.
const (
	Missing Kind = iota
	Null
	False
	True
	Number
	String
	Object
	Array
)

var kindNames = [...]string{"missing", "null", "false", "true", "number", "string", "object", "array"}

// String returns the kind's name as JSON Schema would say it.
func (k Kind) String() string { return kindNames[k] }

// Value is one JSON value as it stands in the line.
// It is valid as long as the event that it was read from is not reset.
type Value struct {
	// Raw is the value's JSON text; a string's includes its quotes.
	Raw  []byte
	Kind Kind
	esc  bool
}

// ValueOf wraps raw, which must be one valid JSON value without surrounding space.
func ValueOf(raw []byte) Value {
	if len(raw) == 0 {
		return Value{}
	}
	v := Value{Raw: raw, Kind: kindOf(raw[0])}
	v.esc = v.Kind == String && bytes.IndexByte(raw, '\\') >= 0
	return v
}

func kindOf(c byte) Kind {
	switch c {
	case '"':
		return String
	case '{':
		return Object
	case '[':
		return Array
	case 't':
		return True
	case 'f':
		return False
	case 'n':
		return Null
	}
	return Number
}

// Exists tells whether there is a value (null is one).
func (v Value) Exists() bool { return v.Kind != Missing }

// Escaped tells whether v is a string with escape sequences, so that Text must decode it.
func (v Value) Escaped() bool { return v.esc }

// Text returns the value's text: a string decoded, every other value as its JSON text, nothing for Missing and null.
// It returns a span of the event where no decoding is needed, and else appends to scratch[:0].
func (v Value) Text(scratch []byte) []byte {
	switch v.Kind {
	case String:
		if !v.esc {
			return v.Raw[1 : len(v.Raw)-1]
		}
		return AppendUnquoted(scratch[:0], v.Raw[1:len(v.Raw)-1])
	case Missing, Null:
		return nil
	}
	return v.Raw
}

// String is Text as a string; it allocates.
func (v Value) String() string { return string(v.Text(nil)) }

// Is tells whether v is a string that decodes to s.
func (v Value) Is(s string) bool {
	if v.Kind != String {
		return false
	}
	if !v.esc {
		return string(v.Raw[1:len(v.Raw)-1]) == s
	}
	return string(AppendUnquoted(nil, v.Raw[1:len(v.Raw)-1])) == s
}

// Int returns a number (or a string of digits) as an integer, and whether it is exactly one.
func (v Value) Int() (int64, bool) {
	t := v.Raw
	switch v.Kind {
	case Number:
	case String:
		t = v.Raw[1 : len(v.Raw)-1]
	default:
		return 0, false
	}
	n, err := strconv.ParseInt(string(t), 10, 64)
	return n, err == nil
}

// Float returns a number (or a string that reads as one) as a float, and whether it is one.
func (v Value) Float() (float64, bool) {
	t := v.Raw
	switch v.Kind {
	case Number:
	case String:
		t = v.Raw[1 : len(v.Raw)-1]
	default:
		return 0, false
	}
	f, err := strconv.ParseFloat(string(t), 64)
	return f, err == nil
}

// Elements calls yield for each element of an array, in order, until yield returns false.
// Any other value that exists is its own only element.
func (v Value) Elements(yield func(Value) bool) {
	if v.Kind != Array {
		if v.Kind != Missing {
			yield(v)
		}
		return
	}
	s := v.Raw
	for i := skipSpace(s, 1); i < len(s) && s[i] != ']'; {
		end := skipValue(s, i)
		if !yield(ValueOf(s[i:end])) {
			return
		}
		i = skipSpace(s, end)
		if i < len(s) && s[i] == ',' {
			i = skipSpace(s, i+1)
		}
	}
}

// Members calls yield with the raw key (decoded only where it has escapes) and value of each member of an object.
func (v Value) Members(yield func(key []byte, val Value) bool) {
	if v.Kind != Object {
		return
	}
	s := v.Raw
	for i := skipSpace(s, 1); i < len(s) && s[i] == '"'; {
		end := skipValue(s, i)
		key := s[i+1 : end-1]
		if bytes.IndexByte(key, '\\') >= 0 {
			key = AppendUnquoted(nil, key)
		}
		i = skipSpace(s, skipSpace(s, end)+1)
		end = skipValue(s, i)
		if !yield(key, ValueOf(s[i:end])) {
			return
		}
		i = skipSpace(s, end)
		if i < len(s) && s[i] == ',' {
			i = skipSpace(s, i+1)
		}
	}
}

// Member returns an object's first member of that name.
func (v Value) Member(name string) (found Value) {
	v.Members(func(key []byte, val Value) bool {
		if string(key) == name {
			found = val
			return false
		}
		return true
	})
	return found
}

func skipSpace(s []byte, i int) int {
	for i < len(s) && (s[i] == ' ' || s[i] == '\t' || s[i] == '\r' || s[i] == '\n') {
		i++
	}
	return i
}

// skipValue returns the end of the valid JSON value at s[i].
func skipValue(s []byte, i int) int {
	depth := 0
	for i < len(s) {
		switch s[i] {
		case '"':
			i++
			for i < len(s) && s[i] != '"' {
				if s[i] == '\\' {
					i++
				}
				i++
			}
			i++
			if depth == 0 {
				return min(i, len(s))
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i
			}
			depth--
			if depth == 0 {
				return i + 1
			}
		case ',', ' ', '\t', '\r', '\n', ':':
			if depth == 0 {
				return i
			}
		}
		i++
	}
	return len(s)
}

// AppendUnquoted appends the decoded text of a JSON string's contents (without its quotes) to dst.
// A lone surrogate, which UTF-8 can't say, becomes U+FFFD.
func AppendUnquoted(dst, s []byte) []byte {
	// What an escape says is never longer than it, so there is always room for the eight bytes that are copied in one step.
	dst = slices.Grow(dst, len(s)+8)
	n := len(dst)
	for i := 0; i < len(s); {
		if i+8 <= len(s) {
			x := binary.LittleEndian.Uint64(s[i:])
			binary.LittleEndian.PutUint64(dst[n:n+8], x)
			b := x ^ (lsb * '\\')
			m := (b - lsb) &^ b & msb // the lowest marked byte is exact
			k := bits.TrailingZeros64(m) >> 3
			i, n = i+k, n+k
			if m == 0 {
				continue
			}
		} else if s[i] != '\\' {
			dst = append(dst[:n], s[i])
			i, n = i+1, n+1
			continue
		}
		if i+1 == len(s) {
			return append(dst[:n], '\\')
		}
		c := s[i+1]
		switch c {
		case 'n':
			c = '\n'
		case 't':
			c = '\t'
		case 'r':
			c = '\r'
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'u':
			r, width := unescapeRune(s[i:])
			n = len(utf8.AppendRune(dst[:n], r))
			i += width
			continue
		}
		dst = append(dst[:n], c)
		i, n = i+2, n+1
	}
	return dst[:n]
}

// unescapeRune decodes the \uXXXX, or the pair of them, that s begins with, and tells its length.
func unescapeRune(s []byte) (rune, int) {
	r, ok := hex4(s)
	if !ok {
		return utf8.RuneError, min(6, len(s))
	}
	if r >= 0xD800 && r < 0xDC00 {
		if lo, ok := hex4(s[6:]); ok && lo >= 0xDC00 && lo < 0xE000 {
			return (r-0xD800)<<10 | (lo - 0xDC00) + 0x10000, 12
		}
	}
	if r >= 0xD800 && r < 0xE000 {
		return utf8.RuneError, 6
	}
	return r, 6
}

func hex4(s []byte) (rune, bool) {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range s[2:6] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return r, true
}
