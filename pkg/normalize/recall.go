package normalize

import (
	"bytes"
	"slices"

	"leat/internal/wildcard"
)

// The next line of a stream is mostly of the source of the line before. So that line's sign is asked first; where it shows, only the signs that
// count for more need be asked to know that it wins, and where those are few nothing has to be searched for the literals of all others.
// It is the same answer as the search's, not a guess.

// maxAsked is how many signs are asked one by one rather than by a search of the text.
const maxAsked = 32

// ranked is the signs that a text may show, the one that counts for most first.
type ranked struct {
	signs []int32
	rank  map[int32]int // of a sign among them, up to maxAsked
	facts []quickFacts  // by rank
}

// quickFacts tell in a few steps that most texts do not show a sign.
type quickFacts struct {
	rare  byte    // must be in the text; 0 = nothing must
	first byteSet // one of them must begin it, where any is there
	any   bool
}

// rankTexts enters the signs that are asked for by what the text holds.
func (x *index) rankTexts() {
	k := &x.ranked
	for n, s := range x.signs {
		if len(s.sign.keys) == 0 && len(s.sign.programs) == 0 {
			k.signs = append(k.signs, int32(n))
		}
	}
	slices.SortStableFunc(k.signs, x.order)
	k.signs = k.signs[:min(len(k.signs), maxAsked+1)]
	k.rank = map[int32]int{}
	for i, n := range k.signs {
		k.rank[n] = i
		k.facts = append(k.facts, factsOf(x.signs[n].sign))
	}
}

// order puts the sign that counts for more first. Of two of one mapping that count for as much the first stays first.
func (x *index) order(a, b int32) int {
	switch {
	case x.signs[a].beats(x.signs[b]):
		return -1
	case x.signs[b].beats(x.signs[a]):
		return 1
	}
	return 0
}

func factsOf(s *sign) quickFacts {
	f := quickFacts{any: len(s.starts) == 0}
	most := 0
	for _, w := range s.contains {
		for i := range len(w) {
			if n := 2*rarity(w[i:i+1]) + btoi(w[i]|0x20-'a' >= 26); n > most {
				most, f.rare = n, w[i]
			}
		}
	}
	for _, w := range s.starts {
		f.any = f.any || w == ""
		if w != "" {
			f.first.add(w[0])
		}
	}
	return f
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// recall is the search of the text for a line like the one before. It is false where the search must be made.
func (r *runner) recall(x *index, c *choice) bool {
	if r.lastOf != x || len(r.raw) == 0 {
		return false
	}
	n := r.lastSign
	if c.try(n); c.best != x.signs[n] {
		return false
	}
	message := bytes.TrimLeft(r.head.Message, " \t")
	r.there.reset()
	for i, m := range x.ranked.signs[:x.ranked.rank[n]] {
		f := &x.ranked.facts[i]
		if !f.any && !f.first.has(r.raw[0]) && (len(message) == 0 || !f.first.has(message[0])) || f.rare != 0 && !r.there.has(f.rare, r.raw) {
			continue
		}
		c.try(m)
	}
	return true
}

// remember notes the sign by which a text was recognised.
func (r *runner) remember(x *index, c *choice) {
	r.lastOf = nil
	if c.best.plan == nil || c.wanted != nil {
		return
	}
	if _, few := x.ranked.rank[c.at]; few {
		r.lastOf, r.lastSign = x, c.at
	}
}

// program remembers which signs are filed under the program that was asked for last: the same one sends many lines.
type program struct {
	of    *index
	name  []byte
	found []int32
}

// signs returns those that ask for a program of that name, the one that counts for most first: the others are then not asked.
func (p *program) signs(x *index, name []byte) []int32 {
	if p.of == x && bytes.Equal(p.name, name) {
		return p.found
	}
	p.of, p.name, p.found = x, append(p.name[:0], name...), p.found[:0]
	if at := x.byProgram.get(name); at >= 0 {
		p.found = append(p.found, x.lists[at]...)
	}
	for i := range x.globs {
		if wildcard.MatchBytes(x.globs[i].glob, name) {
			p.found = append(p.found, x.globs[i].sign)
		}
	}
	slices.SortStableFunc(p.found, x.order)
	return p.found
}

// byteSet is a set of bytes.
type byteSet [4]uint64

func (s *byteSet) add(c byte)      { s[c>>6] |= 1 << (c & 63) }
func (s *byteSet) has(c byte) bool { return s[c>>6]>>(c&63)&1 != 0 }

// there remembers which bytes are in a text, once somebody asked.
type there struct{ asked, is byteSet }

func (t *there) reset() { *t = there{} }

func (t *there) has(c byte, s []byte) bool {
	if !t.asked.has(c) {
		t.asked.add(c)
		if bytes.IndexByte(s, c) >= 0 {
			t.is.add(c)
		}
	}
	return t.is.has(c)
}
