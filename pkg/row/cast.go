package row

import (
	"bytes"
	"encoding/binary"
	"math"
	"strconv"
	"unicode/utf16"

	"leat/pkg/event"
)

// cast appends v as the value of a cell of the type t, or nothing where it does not cast. exact tells whether that value reads back as v.
func (x *Encoder) cast(dst []byte, t Type, v event.Value) (out []byte, exact bool) {
	switch t {
	case Text:
		return x.castText(dst, v)
	case Texts:
		return x.castTexts(dst, v)
	case Int:
		return x.castInt(dst, v)
	case Float:
		return x.castFloat(dst, v)
	case Bool:
		return x.castBool(dst, v)
	default:
		return x.castTime(dst, v)
	}
}

// only returns the element of an array of one scalar.
func only(v event.Value) (event.Value, bool) {
	var one event.Value
	n := 0
	v.Elements(func(el event.Value) bool {
		one = el
		n++
		return n < 2
	})
	return one, v.Kind == event.Array && n == 1 && one.Kind != event.Array && one.Kind != event.Object
}

func (x *Encoder) castText(dst []byte, v event.Value) ([]byte, bool) {
	switch v.Kind {
	case event.String:
		if !v.Escaped() {
			return appendText(dst, v.Raw[1:len(v.Raw)-1]), true
		}
		if !plain(v.Raw) {
			return dst, false
		}
		x.text = event.AppendUnquoted(x.text[:0], v.Raw[1:len(v.Raw)-1])
		return appendText(dst, x.text), true
	case event.Number, event.True, event.False:
		return appendText(dst, v.Raw), false
	case event.Array:
		if one, ok := only(v); ok {
			dst, _ = x.castText(dst, one)
		}
	}
	return dst, false
}

func (x *Encoder) castTexts(dst []byte, v event.Value) ([]byte, bool) {
	if v.Kind == event.Object || v.Kind == event.Null {
		return dst, false
	}
	start, exact, ok, count := len(dst), v.Kind == event.Array, true, uint32(0)
	dst = append(dst, 0, 0, 0, 0)
	v.Elements(func(el event.Value) bool {
		if ok = el.Kind != event.Array; !ok {
			return false
		}
		n := len(dst)
		var same bool
		dst, same = x.castText(dst, el)
		exact = exact && same
		count++
		ok = len(dst) > n
		return ok
	})
	if !ok {
		return dst[:start], false
	}
	binary.LittleEndian.PutUint32(dst[start:], count)
	return dst, exact
}

func appendBits(dst []byte, v uint64) []byte { return binary.LittleEndian.AppendUint64(dst, v) }

func (x *Encoder) castInt(dst []byte, v event.Value) ([]byte, bool) {
	switch v.Kind {
	case event.Number:
		if n, ok := v.Int(); ok {
			// -0 is another text than 0.
			return appendBits(dst, uint64(n)), n != 0 || len(v.Raw) == 1
		}
		f, err := strconv.ParseFloat(string(v.Raw), 64)
		if err == nil && f == math.Trunc(f) && math.Abs(f) <= 1<<53 {
			return appendBits(dst, uint64(int64(f))), false
		}
	case event.String:
		if n, ok := v.Int(); ok {
			return appendBits(dst, uint64(n)), false
		}
	case event.Array:
		if one, ok := only(v); ok {
			dst, _ = x.castInt(dst, one)
		}
	}
	return dst, false
}

func (x *Encoder) castFloat(dst []byte, v event.Value) ([]byte, bool) {
	switch v.Kind {
	case event.Number, event.String:
		f, ok := v.Float()
		if !ok || math.IsInf(f, 0) || !decimal(v) {
			return dst, false
		}
		if f == 0 {
			// A column need not tell -0 from 0.
			f = 0
		}
		x.text = appendFloat(x.text[:0], f)
		return appendBits(dst, math.Float64bits(f)), v.Kind == event.Number && string(x.text) == string(v.Raw)
	case event.Array:
		if one, ok := only(v); ok {
			dst, _ = x.castFloat(dst, one)
		}
	}
	return dst, false
}

// decimal tells whether v has only what a number of JSON has: ParseFloat also takes 0x1p-2, 1_000 and NaN.
func decimal(v event.Value) bool {
	for _, c := range v.Raw {
		if (c < '0' || c > '9') && c != '.' && c != '-' && c != '+' && c|0x20 != 'e' && c != '"' {
			return false
		}
	}
	return true
}

// appendFloat writes the shortest decimal that reads as f, with an exponent only where JavaScript would write one.
func appendFloat(dst []byte, f float64) []byte {
	format := byte('f')
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(dst, f, format, -1, 64)
}

func (x *Encoder) castBool(dst []byte, v event.Value) ([]byte, bool) {
	switch {
	case v.Kind == event.True:
		return appendBits(dst, 1), true
	case v.Kind == event.False:
		return appendBits(dst, 0), true
	case v.Is("true"):
		dst = appendBits(dst, 1)
	case v.Is("false"):
		dst = appendBits(dst, 0)
	case v.Kind == event.Array:
		if one, ok := only(v); ok {
			dst, _ = x.castBool(dst, one)
		}
	}
	return dst, false
}

func (x *Encoder) castTime(dst []byte, v event.Value) ([]byte, bool) {
	switch v.Kind {
	case event.String:
		x.text = append(x.text[:0], v.Text(nil)...)
		ns, ok := event.ParseTime(x.text)
		if !ok {
			return dst, false
		}
		x.ns, x.isTime = ns, true
		return appendBits(dst, uint64(floor(ns, 1000)/1000)), !v.Escaped() && canonicalTime(x.text)
	case event.Array:
		if one, ok := only(v); ok {
			dst, _ = x.castTime(dst, one)
		}
	}
	return dst, false
}

// canonicalTime tells whether a date-time that event.ParseTime takes is what AppendTime would write for it, and of whole microseconds.
func canonicalTime(s []byte) bool {
	n := len(s)
	if n != len("2006-01-02T15:04:05.000Z") && n != len("2006-01-02T15:04:05.000000Z") {
		return false
	}
	if s[10] != 'T' || s[19] != '.' || s[n-1] != 'Z' || s[17] == '6' {
		return false
	}
	return n == len("2006-01-02T15:04:05.000Z") || string(s[23:26]) != "000"
}

func floor(n, unit int64) int64 {
	if r := n % unit; r < 0 {
		return n - r - unit
	} else {
		return n - r
	}
}

// plain tells whether a JSON string has neither a NUL nor half of a surrogate pair.
func plain(s []byte) bool {
	for {
		i := bytes.IndexByte(s, '\\')
		if i < 0 {
			return true
		}
		if s[i+1] != 'u' {
			s = s[i+2:]
			continue
		}
		r, n := escaped(s[i:])
		if r == 0 || n == 6 && utf16.IsSurrogate(r) {
			return false
		}
		s = s[i+n:]
	}
}

// escaped reads the \uXXXX that s begins with, or the surrogate pair of two, and tells its length. s is valid JSON.
func escaped(s []byte) (r rune, n int) {
	r = hex4(s[2:])
	if r >= 0xD800 && r < 0xDC00 && len(s) >= 12 && s[6] == '\\' && s[7] == 'u' {
		if lo := hex4(s[8:]); lo >= 0xDC00 && lo < 0xE000 {
			return utf16.DecodeRune(r, lo), 12
		}
	}
	return r, 6
}

func hex4(s []byte) (r rune) {
	for _, c := range s[:4] {
		switch {
		case c <= '9':
			c -= '0'
		case c >= 'a':
			c -= 'a' - 10
		default:
			c -= 'A' - 10
		}
		r = r<<4 | rune(c)
	}
	return r
}
