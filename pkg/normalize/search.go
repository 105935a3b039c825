package normalize

import (
	"bytes"
	"slices"
)

// The signs of text are found by what the text begins with, and by the literals that it must hold.

// byText files a sign under literals of which the text must hold at least one; false where it has none.
func (x *index) byText(s signRef, n int32) bool {
	var lits []string
	switch {
	case len(s.sign.contains) > 0:
		lits = []string{slices.MaxFunc(s.sign.contains, func(a, b string) int { return len(a) - len(b) })}
	case len(s.sign.starts) > 0:
		return x.byStart(s.sign.starts, n)
	case s.sign.lines:
		for _, l := range s.plan.lines {
			lits = append(lits, l.p.Literal())
		}
	}
	if len(lits) == 0 || slices.ContainsFunc(lits, func(l string) bool { return len(l) < 3 }) {
		return false
	}
	for _, l := range lits {
		x.text.add(l, n)
	}
	return true
}

// byStart files a sign under the first three bytes of each text with which the record may begin, or under the first byte of a shorter one.
func (x *index) byStart(starts []string, n int32) bool {
	if x.starts == nil {
		x.starts = map[uint32][]int32{}
	}
	for _, l := range starts {
		if len(l) == 0 {
			return false
		}
		if len(l) < 3 {
			x.first[l[0]] = append(x.first[l[0]], n)
			continue
		}
		t := triple(l)
		if have := x.starts[t]; len(have) == 0 || have[len(have)-1] != n {
			x.starts[t] = append(have, n)
		}
	}
	return true
}

// begin lets to try the signs of what s begins with.
func (x *index) begin(s []byte, to *choice) {
	if len(s) > 0 {
		for _, n := range x.first[s[0]] {
			to.try(n)
		}
	}
	if len(s) >= 3 {
		for _, n := range x.starts[uint32(s[0])|uint32(s[1])<<8|uint32(s[2])<<16] {
			to.try(n)
		}
	}
}

// search lets to try the signs of what the text begins with and holds.
func (r *runner) search(x *index, c *choice) {
	if x.begin(r.raw, c); len(r.head.Message) != len(r.raw) || len(r.raw) > 0 && r.raw[0] <= ' ' {
		x.begin(bytes.TrimLeft(r.head.Message, " \t"), c)
	}
	x.text.scan(r.raw, c)
	for _, n := range x.always {
		c.try(n)
	}
	r.remember(x, c)
}

func (r *runner) begins(with []string) bool {
	m := bytes.TrimLeft(r.head.Message, " \t")
	for _, w := range with {
		if len(m) >= len(w) && string(m[:len(w)]) == w || len(r.raw) >= len(w) && string(r.raw[:len(w)]) == w {
			return true
		}
	}
	return false
}
