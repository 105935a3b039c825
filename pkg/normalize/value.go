package normalize

import (
	"bytes"
	"net/netip"
	"strconv"
	"unsafe"

	"leat/internal/address"
	"leat/pkg/ecs"
	"leat/pkg/event"
)

// value is what a source gives: JSON text, or plain text that still must be quoted. The zero value is none.
type value struct {
	b    []byte
	kind event.Kind
	json bool
}

func text(b []byte) value {
	if len(b) == 0 {
		return value{}
	}
	return value{b: b, kind: event.String}
}

// empty tells whether v says nothing: there is none, or null, or an empty string, list or object.
func (v value) empty() bool {
	switch v.kind {
	case event.Missing, event.Null:
		return true
	case event.String:
		return len(v.b) == 0 || v.json && len(v.b) == 2
	case event.Array, event.Object:
		return len(v.b) < 3 && v.json
	}
	return false
}

// textOf returns v's decoded text.
func (r *runner) textOf(v value) []byte {
	if !v.json || v.kind != event.String {
		return v.b
	}
	return r.rec.Decode(event.ValueOf(v.b))
}

// convert gives v the type of a field: the result is JSON text, or plain text to be quoted. ok is false where v does not
// fit the type.
func (r *runner) convert(t ecs.Type, v value) (out value, ok bool) {
	switch {
	case t.Textual():
		switch v.kind {
		case event.String:
			return v, true
		case event.Number, event.True, event.False:
			return value{b: v.b, kind: event.String}, true
		}
		return v, false
	case t == ecs.Object || t == ecs.Flattened || t == ecs.Nested || t == ecs.GeoPoint:
		return v, v.json
	}
	if v.kind == event.Object || v.kind == event.Array {
		return v, false
	}
	b := r.textOf(v)
	switch t {
	case ecs.Long, ecs.Integer:
		b, ok = r.integer(b)
		return value{b: b, kind: event.Number, json: true}, ok
	case ecs.Float, ecs.Double, ecs.Scaled:
		b, ok = r.float(b)
		return value{b: b, kind: event.Number, json: true}, ok
	case ecs.Boolean:
		return boolean(b)
	case ecs.IP:
		b, ok = r.address(b)
		return value{b: b, kind: event.String}, ok
	case ecs.Date:
		ns, ok := r.clock.Time(b)
		if !ok {
			return v, false
		}
		return r.time(ns), true
	}
	return v, false
}

// time is the value of a date.
func (r *runner) time(ns int64) value {
	start := len(r.mem)
	r.mem = r.written.append(r.mem, ns)
	return value{b: r.mem[start:len(r.mem):len(r.mem)], kind: event.String, json: true}
}

// integer returns b as JSON digits. Hexadecimal (0x...) and a fraction of zeros count too; other numbers don't fit.
func (r *runner) integer(b []byte) ([]byte, bool) {
	if i := bytes.IndexByte(b, '.'); i > 0 && len(bytes.Trim(b[i+1:], "0")) == 0 {
		b = b[:i]
	}
	digits := b
	if len(digits) > 0 && (digits[0] == '-' || digits[0] == '+') {
		digits = digits[1:]
	}
	if len(digits) == 0 || len(digits) > 19 {
		return b, false
	}
	all := true
	for _, c := range digits {
		all = all && c-'0' < 10
	}
	plain := all && (digits[0] != '0' || len(digits) == 1)
	if plain && b[0] != '+' && len(digits) < 19 {
		return b, true
	}
	base := 10
	if len(digits) > 2 && digits[0] == '0' && digits[1]|0x20 == 'x' {
		base, b = 16, digits[2:]
	} else if !all {
		return b, false // strconv's error would be made for nothing
	}
	n, err := strconv.ParseInt(unsafe.String(unsafe.SliceData(b), len(b)), base, 64)
	if err != nil {
		return b, false
	}
	start := len(r.mem)
	r.mem = strconv.AppendInt(r.mem, n, 10)
	return r.mem[start:len(r.mem):len(r.mem)], true
}

func (r *runner) float(b []byte) ([]byte, bool) {
	if len(b) == 0 || b[0]-'0' > 9 && b[0] != '-' && b[0] != '+' && b[0] != '.' {
		return b, false // also infinity and not a number
	}
	f, err := strconv.ParseFloat(unsafe.String(unsafe.SliceData(b), len(b)), 64)
	if err != nil || f != f || f-f != 0 {
		return b, false
	}
	if c := b[len(b)-1]; len(b) < 20 && c-'0' < 10 && (b[0] >= '1' && b[0] <= '9' || len(b) == 1 || b[0] == '0' && b[1] == '.') && !bytes.ContainsAny(b, "xX_pP") {
		return b, true
	}
	start := len(r.mem)
	r.mem = strconv.AppendFloat(r.mem, f, 'g', -1, 64)
	return r.mem[start:len(r.mem):len(r.mem)], true
}

func boolean(b []byte) (value, bool) {
	switch {
	case fold(b, "true"), fold(b, "yes"), fold(b, "1"), fold(b, "t"):
		return value{b: trueText, kind: event.True, json: true}, true
	case fold(b, "false"), fold(b, "no"), fold(b, "0"), fold(b, "f"):
		return value{b: falseText, kind: event.False, json: true}, true
	}
	return value{}, false
}

var trueText, falseText = []byte("true"), []byte("false")

func fold(b []byte, s string) bool {
	return len(b) == len(s) && bytes.EqualFold(b, []byte(s))
}

// address returns b as an IP address: IPv4 as it stands, IPv6 in its canonical form (RFC 5952), IPv4 in IPv6 as IPv4.
func (r *runner) address(b []byte) ([]byte, bool) {
	if address.IsIPv4(b) {
		return b, true
	}
	a, ok := parseAddr(b)
	if !ok {
		return b, false
	}
	if a.Is4() {
		return b, true
	}
	start := len(r.mem)
	r.mem = a.Unmap().WithZone("").AppendTo(r.mem)
	return r.mem[start:len(r.mem):len(r.mem)], true
}

func parseAddr(b []byte) (netip.Addr, bool) {
	if len(b) < 2 || len(b) > 64 || b[0] > 'f' || bytes.IndexByte(b, '.') < 0 && bytes.IndexByte(b, ':') < 0 {
		return netip.Addr{}, false
	}
	// ParseAddr keeps its argument only in the zone (copied by unique.Make) and in an error that is thrown away.
	a, err := netip.ParseAddr(unsafe.String(&b[0], len(b)))
	return a, err == nil
}
