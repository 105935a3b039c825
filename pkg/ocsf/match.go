package ocsf

import "leat/pkg/event"

// condition holds where all its tests do.
type condition []test

// test looks at a field: whether it has a value, or one that a glob fits.
type test struct {
	slot  int
	globs []string // in small letters
	not   bool
}

func (r *run) holds(c condition) bool {
	for i := range c {
		if r.passes(&c[i]) == c[i].not {
			return false
		}
	}
	return true
}

func (r *run) passes(t *test) bool {
	n := r.at[t.slot]
	if n == event.None || r.e.KindAt(n) == event.Null {
		return false
	}
	if t.globs == nil {
		return true
	}
	v := r.e.ValueAt(n)
	if v.Kind != event.Array {
		return r.fitsAny(t.globs, v)
	}
	found := false
	v.Elements(func(e event.Value) bool {
		found = r.fitsAny(t.globs, e)
		return !found
	})
	return found
}

func (r *run) fitsAny(globs []string, v event.Value) bool {
	text := v.Text(r.text)
	for _, g := range globs {
		if glob(g, text) {
			return true
		}
	}
	return false
}

// glob matches * against any text, and small letters against capitals too, over the whole of s.
func glob(pattern string, s []byte) bool {
	p, i, star, mark := 0, 0, -1, 0
	for i < len(s) {
		c := s[i]
		if c-'A' < 26 {
			c |= 0x20
		}
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && pattern[p] == c:
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}

// valueTable turns one text into another; case does not count.
type valueTable struct {
	exact map[string][]byte
	globs []globValue
}

type globValue struct {
	glob string
	to   []byte
}

func (t *valueTable) find(text []byte) ([]byte, bool) {
	var small [64]byte
	if len(text) <= len(small) {
		for i, c := range text {
			if c-'A' < 26 {
				c |= 0x20
			}
			small[i] = c
		}
		if to, ok := t.exact[string(small[:len(text)])]; ok {
			return to, true
		}
	}
	for _, g := range t.globs {
		if glob(g.glob, text) {
			return g.to, true
		}
	}
	return nil, false
}
