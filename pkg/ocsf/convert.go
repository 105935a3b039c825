package ocsf

import (
	"bytes"
	"net/netip"
	"strconv"
	"unsafe"

	"leat/pkg/event"
)

// kind is how a value is written.
type kind uint8

const (
	kindText kind = iota
	kindInteger
	kindFloat
	kindBoolean
	kindTime
	kindPort
	kindIP
	kindMAC
	kindEmail
	kindUUID
	kindWord // one of the words of an enum of texts
	kindEnum
	kindJSON
)

func kindOf(s *schema, a *attribute) kind {
	base := s.base(a.typ)
	switch {
	case len(a.enum) > 0 && base == "integer_t":
		return kindEnum
	case len(a.enum) > 0:
		return kindWord
	}
	switch a.typ {
	case "timestamp_t":
		return kindTime
	case "port_t":
		return kindPort
	case "ip_t":
		return kindIP
	case "mac_t":
		return kindMAC
	case "email_t":
		return kindEmail
	case "uuid_t":
		return kindUUID
	case "json_t":
		return kindJSON
	}
	switch base {
	case "integer_t", "long_t":
		return kindInteger
	case "float_t":
		return kindFloat
	case "boolean_t":
		return kindBoolean
	}
	return kindText
}

// result is what became of a value.
type result uint8

const (
	misfit result = iota // it is not of the type
	rough                // it is written, but not all that it says
	exact                // it is written as a whole
)

// value appends v in the type of l; after rough and misfit v stays in unmapped.
func (r *run) value(dst []byte, l *leaf, s *source, v event.Value) ([]byte, result) {
	if v.Kind == event.Object || v.Kind == event.Array || v.Kind == event.Null || v.Kind == event.Missing {
		if l.kind == kindJSON && v.Kind != event.Null && v.Kind != event.Missing {
			return append(dst, v.Raw...), exact
		}
		return dst, misfit
	}
	text := v.Text(r.text)
	if v.Escaped() {
		r.text = text
	}
	if len(text) == 0 {
		return dst, misfit
	}
	how := exact
	switch s.fn {
	case "map":
		to, ok := s.table.find(text)
		if !ok {
			return dst, misfit
		}
		if text = to; l.kind != kindEnum {
			how = rough
		}
	case "ms":
		ns, err := strconv.ParseInt(view(text), 10, 64)
		if err != nil {
			return dst, misfit
		}
		if ns%1e6 != 0 {
			how = rough
		}
		r.fn = strconv.AppendInt(r.fn[:0], ns/1e6, 10)
		text = r.fn
	case "basename":
		if text = text[bytes.LastIndexAny(text, `/\`)+1:]; len(text) == 0 {
			return dst, misfit
		}
		how = rough
	case "version":
		a, err := netip.ParseAddr(view(text))
		if err != nil {
			return dst, misfit
		}
		if text, how = four, rough; a.Unmap().Is6() {
			text = six
		}
	case "upper":
		r.fn = append(r.fn[:0], text...)
		for i, c := range r.fn {
			if c-'a' < 26 {
				r.fn[i] = c &^ 0x20
			}
		}
		text = r.fn
	}
	return l.write(dst, text, v, how)
}

var four, six = []byte("4"), []byte("6")

// write appends text, of the value v, in the leaf's type.
func (l *leaf) write(dst, text []byte, v event.Value, how result) ([]byte, result) {
	switch l.kind {
	case kindText:
		return event.AppendString(dst, text), how
	case kindInteger, kindPort:
		n, err := strconv.ParseInt(view(text), 10, 64)
		if err != nil || l.kind == kindPort && (n < 0 || n > 65535) {
			return dst, misfit
		}
		return strconv.AppendInt(dst, n, 10), how
	case kindFloat:
		if f, err := strconv.ParseFloat(view(text), 64); err != nil || f-f != 0 {
			return dst, misfit
		}
		if v.Kind == event.Number {
			return append(dst, text...), how
		}
		f, _ := strconv.ParseFloat(view(text), 64)
		return strconv.AppendFloat(dst, f, 'g', -1, 64), how
	case kindBoolean:
		if s := view(text); s == "true" || s == "false" {
			return append(dst, text...), how
		}
		return dst, misfit
	case kindTime:
		ns, ok := event.ParseTime(text)
		if !ok {
			return dst, misfit
		}
		if ns%1e6 != 0 {
			how = rough
		}
		return strconv.AppendInt(dst, floorDiv(ns, 1e6), 10), how
	case kindJSON:
		return append(dst, v.Raw...), how
	case kindWord:
		if _, ok := l.attr.find(view(text)); !ok {
			return dst, misfit
		}
		return event.AppendString(dst, text), how
	case kindEnum:
		return l.enum(dst, text, how)
	}
	if !fits(l.kind, text) {
		return dst, misfit
	}
	return event.AppendString(dst, text), how
}

// fits tells whether text has the form that its kind asks for (the schema's regular expressions, or stricter).
func fits(k kind, text []byte) bool {
	switch k {
	case kindIP:
		_, err := netip.ParseAddr(view(text))
		return err == nil && len(text) <= 40
	case kindMAC:
		for i, c := range text {
			if i%3 == 2 && c != ':' && c != '-' || i%3 != 2 && !isHex(c) {
				return false
			}
		}
		return len(text) == 17
	case kindEmail:
		at := bytes.IndexByte(text, '@')
		return at > 0 && at+2 < len(text) && bytes.IndexByte(text[at+2:], '.') >= 0 && all(text[:at], localPart) && all(text[at+1:], domainPart) &&
			text[at+1] != '.' && text[len(text)-1] != '.'
	case kindUUID:
		for i, c := range text {
			if i == 8 || i == 13 || i == 18 || i == 23 {
				if c != '-' {
					return false
				}
			} else if !isHex(c) {
				return false
			}
		}
		return len(text) == 36
	}
	return true
}

func isHex(c byte) bool { return c-'0' < 10 || c|0x20 >= 'a' && c|0x20 <= 'f' }

func alphanumeric(c byte) bool { return c-'0' < 10 || c|0x20-'a' < 26 }

func localPart(c byte) bool {
	return alphanumeric(c) || bytes.IndexByte([]byte("!#$%&'*+/=?^_`{|}~.-"), c) >= 0
}

func domainPart(c byte) bool { return alphanumeric(c) || c == '-' || c == '.' }

func all(text []byte, ok func(byte) bool) bool {
	for _, c := range text {
		if !ok(c) {
			return false
		}
	}
	return true
}

// enum appends the number of the value that text is called, and the caption beside it. A text that the schema has no value for is
// Other, with the text as its caption.
func (l *leaf) enum(dst, text []byte, how result) ([]byte, result) {
	if v, ok := l.attr.find(view(text)); ok {
		return l.caption(append(dst, v.key...), v.caption), how
	}
	if _, ok := l.attr.find(other); !ok || l.sibling == nil {
		return dst, misfit
	}
	dst = append(append(dst, other...), ',')
	dst = append(dst, l.sibling...)
	return event.AppendString(dst, text), how
}

func (l *leaf) caption(dst []byte, text string) []byte {
	if l.sibling == nil {
		return dst
	}
	dst = append(append(dst, ','), l.sibling...)
	return event.AppendString(dst, text)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// view is b as a string that is only looked at.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
