package normalize

import (
	"slices"

	"leat/pkg/normalize/parse"
)

// names is what a plan knows of the names of its source's pairs (parse.Names), by their numbers: where the table of its sources has them, and
// how they are written where they are kept. It spares the lookup, the search for a field of that name, and the escaping, for every pair.
type names struct {
	parse.Names
	known []nameFacts
}

type nameFacts struct {
	key    int32  // its place in the plan's paths; -1 = no source asks for it
	member []byte // `,"name":`
}

// named returns the step whose pairs may be known by name, or nil: the first one that takes names and values from a text. A separator
// that is a letter could stand in a name that another line had.
func (p *plan) named() *step {
	letter := func(c byte) bool { return c|0x20-'a' < 26 }
	i := slices.IndexFunc(p.steps, func(s step) bool {
		return s.into == nil && (s.kind == stepCEF || s.kind == stepLines || s.kind == stepKV && s.kv.Between == nil && !letter(s.kv.Pair) && !letter(s.kv.Value))
	})
	if i < 0 {
		return nil
	}
	return &p.steps[i]
}

// know lets the parser of step s tell the names of pairs by what the plan knows of them.
func (r *runner) know(s *step) {
	if s != r.plan.nameStep {
		r.rec.Know(nil)
		return
	}
	if r.namesOf != r.plan {
		if r.allNames == nil {
			r.allNames = map[*plan]*names{}
		}
		r.namesOf = r.plan
		if r.names = r.allNames[r.plan]; r.names == nil {
			r.names = &names{}
			r.allNames[r.plan] = r.names
		}
	}
	if r.names.Begin() {
		r.names.known = r.names.known[:0]
	}
	r.rec.Know(&r.names.Names)
}

// learn enters what is to be known of names that came for the first time.
func (r *runner) learn() {
	n := r.names
	for i := len(n.known); i < n.Len(); i++ {
		key := n.Text(int32(i))
		cell := parse.Cell{Key: key}
		n.known = append(n.known, nameFacts{r.plan.paths.keys.get(key), r.key([]byte{','}, &cell, r.plan.kept)})
	}
}

// find returns the place in t of the name of a cell, which is a member of the record itself where t is the plan's own table.
func (r *runner) find(t *pathTable, c *parse.Cell) int32 {
	if c.Name > 0 && t == &r.plan.paths {
		return r.names.known[c.Name].key
	}
	return t.keys.get(c.Key)
}

// member returns a kept member's name as it is written to n, with a comma before it and a colon behind; nil where it is not known.
func (r *runner) member(c *parse.Cell, n *outNode) []byte {
	if c.Name == 0 || n != r.plan.kept {
		return nil
	}
	return r.names.known[c.Name].member
}
