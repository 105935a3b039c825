package detect

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"leat/pkg/event"
	"leat/pkg/sigma"
)

// maxCombos bounds the groups that one event with lists of values is in.
const maxCombos = 16

// maxKeyText is how much of a value a group's key holds; of longer ones it is a hash.
const maxKeyText = 256

// places is where a field of a rule is looked for, best first.
type fieldPlaces struct {
	name   string // as the correlation names it
	places [][]string
}

// extractor reads the values of fields from events. It is for one goroutine.
type extractor struct {
	vals  [][]event.Value // by field: its values
	pick  []int
	text  []byte
	shown []string
}

// values appends the scalar values of the first place of f that has any.
func (f *fieldPlaces) values(e *event.Event, dst []event.Value) []event.Value {
	for _, keys := range f.places {
		if n := len(dst); e.Root() != event.None {
			if dst = walk(e, e.Root(), keys, dst); len(dst) > n {
				return dst
			}
		}
	}
	return dst
}

// walk follows keys from the object at n. Spaces in the names of an event do not count, and * is any name.
func walk(e *event.Event, n event.Node, keys []string, dst []event.Value) []event.Value {
	for i := e.First(n); i != event.None; i = e.Next(i) {
		if key := e.Key(i); keys[0] != "*" && string(key) != keys[0] && !sameName(key, keys[0]) {
			continue
		}
		if len(keys) > 1 {
			if e.KindAt(i) == event.Object {
				dst = walk(e, i, keys[1:], dst)
			} else {
				dst = within(e.ValueAt(i), keys[1:], dst)
			}
			continue
		}
		dst = scalars(e.ValueAt(i), dst)
	}
	return dst
}

// sameName compares the name of an event's field with one of the taxonomy, which has no spaces.
func sameName(key []byte, name string) bool {
	i := 0
	for _, c := range key {
		if c == ' ' {
			continue
		}
		if i == len(name) || name[i] != c {
			return false
		}
		i++
	}
	return i == len(name) && len(key) > len(name)
}

// within follows keys into the objects of a list.
func within(v event.Value, keys []string, dst []event.Value) []event.Value {
	if v.Kind != event.Array {
		return dst
	}
	for el := range v.Elements {
		for i, k := range keys {
			if el = el.Member(k); i == len(keys)-1 {
				dst = scalars(el, dst)
			}
		}
	}
	return dst
}

func scalars(v event.Value, dst []event.Value) []event.Value {
	switch v.Kind {
	case event.Missing, event.Null:
		return dst
	case event.Array:
		for el := range v.Elements {
			if len(dst) >= maxCombos {
				return dst
			}
			if el.Kind != event.Array && el.Kind != event.Object && el.Kind != event.Null {
				dst = append(dst, el)
			}
		}
		return dst
	}
	return append(dst, v)
}

// each calls yield with the key of every combination of the fields' values; shown are the values of the combination. It
// tells false where a field has none.
func (x *extractor) each(e *event.Event, fields []fieldPlaces, yield func(key []byte)) bool {
	for len(x.vals) < len(fields) {
		x.vals = append(x.vals, nil)
	}
	x.pick = append(x.pick[:0], make([]int, len(fields))...)
	for i := range fields {
		if x.vals[i] = fields[i].values(e, x.vals[i][:0]); len(x.vals[i]) == 0 {
			return false
		}
	}
	for range maxCombos {
		x.text = x.text[:0]
		for i, p := range x.pick {
			x.text = appendKey(x.text, x.vals[i][p])
		}
		yield(x.text)
		i := len(fields) - 1
		for ; i >= 0; i-- {
			if x.pick[i]++; x.pick[i] < len(x.vals[i]) {
				break
			}
			x.pick[i] = 0
		}
		if i < 0 {
			break
		}
	}
	return true
}

// show returns the values of the current combination as texts.
func (x *extractor) show(n int) []string {
	x.shown = x.shown[:0]
	for i, p := range x.pick[:n] {
		x.shown = append(x.shown, clip(x.vals[i][p].String()))
	}
	return x.shown
}

func clip(s string) string {
	if len(s) <= maxKeyText {
		return s
	}
	return strings.ToValidUTF8(s[:maxKeyText], "") + "…"
}

// appendKey appends a value without its case, with its length before it.
func appendKey(dst []byte, v event.Value) []byte {
	t := v.Text(nil)
	if len(t) > maxKeyText {
		sum := sha256.Sum256(foldText(t))
		return append(append(dst, 0xff, 0xff), sum[:16]...)
	}
	at := len(dst)
	dst = append(dst, 0, 0)
	for _, c := range t {
		if c >= 0x80 {
			dst = append(dst[:at+2], foldText(t)...)
			break
		}
		if 'A' <= c && c <= 'Z' {
			c |= 0x20
		}
		dst = append(dst, c)
	}
	binary.BigEndian.PutUint16(dst[at:], uint16(len(dst)-at-2))
	return dst
}

// keyTexts returns the values of a key, without their case; of a long one its hash.
func keyTexts(key string, fields int) (out []string) {
	for range fields {
		if len(key) < 2 {
			return out
		}
		n := int(key[0])<<8 | int(key[1])
		text := ""
		if n == 0xffff {
			n = 16
			text = fmt.Sprintf("sha256:%x", key[2:min(2+n, len(key))])
		} else {
			text = clip(key[2:min(2+n, len(key))])
		}
		out, key = append(out, text), key[min(2+n, len(key)):]
	}
	return out
}

// foldText folds case as the rules' comparisons do, by Unicode's simple folding.
func foldText(t []byte) []byte {
	return []byte(strings.Map(func(r rune) rune {
		least := r
		for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
			least = min(least, f)
		}
		return unicode.ToLower(least)
	}, string(t)))
}

// fieldsOf finds where the events of detection rule r, which feeds c, have the fields names. Aliases of c speak of the rules that c
// refers to, those of a correlation in between of its own.
func fieldsOf(c *sigma.Correlation, r *sigma.Rule, names []string, m sigma.Mapper) []fieldPlaces {
	var out []fieldPlaces
	for _, name := range names {
		field, ok := nameIn(c, r, name)
		if !ok {
			return nil
		}
		out = append(out, fieldPlaces{name, placesOf(r, field, m)})
	}
	return slices.Clip(out)
}

// placesOf finds where the events of r have a field that is named beside the rule: by the names that pipelines gave it, and then by
// its own.
func placesOf(r *sigma.Rule, field string, m sigma.Mapper) (out [][]string) {
	names := []string{field}
	if r.Names != nil {
		names = append(r.Names(field), field)
	}
	for _, name := range names {
		for _, keys := range m.Paths(r.LogSource, name) {
			if !slices.ContainsFunc(out, func(have []string) bool { return slices.Equal(have, keys) }) {
				out = append(out, keys)
			}
		}
	}
	return out
}

func nameIn(c *sigma.Correlation, r *sigma.Rule, name string) (string, bool) {
	for i := range c.Rules {
		ref := &c.Rules[i]
		if ref.Rule == r {
			return c.FieldOf(i, name), true
		}
		if ref.Correlation != nil {
			if field, ok := nameIn(ref.Correlation, r, c.FieldOf(i, name)); ok {
				return field, true
			}
		}
	}
	return "", false
}
