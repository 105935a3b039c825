package normalize

import (
	"leat/pkg/event"
	"leat/pkg/normalize/parse"
)

// A record that came without a wrapping event, whose event nobody reads again in this process, is written by a flat list of steps: half
// of what a line of text costs was the writing of its tree.

// writeStep is one step: the fields of the output and the objects around them, in their order.
type writeStep struct {
	kind  stepOf
	leaf  int
	key   []byte   // `"name":`
	node  *outNode // of an object
	after int      // of opens: the step behind its close
}

type stepOf uint8

const (
	writeField stepOf = iota
	openObject
	closeObject
	writeUnused
)

// writeSteps lists the steps for what is below n.
func writeSteps(steps []writeStep, n *outNode) []writeStep {
	for _, k := range n.kids {
		if k.leaf >= 0 {
			steps = append(steps, writeStep{kind: writeField, leaf: k.leaf, key: k.key})
			continue
		}
		at := len(steps)
		steps = append(steps, writeStep{kind: openObject, key: k.key, node: k})
		steps = writeSteps(steps, k)
		steps = append(steps, writeStep{kind: closeObject, key: k.key})
		steps[at].after = len(steps)
	}
	if n.keep {
		steps = append(steps, writeStep{kind: writeUnused, node: n})
	}
	return steps
}

// plain appends the normal event of what was applied, without its last brace.
func (r *runner) plain(dst []byte) []byte {
	r.notePresent()
	dst, ok := r.lay(dst)
	if !ok {
		dst = r.walk(dst, func(dst []byte, leaf int) []byte {
			if leaf < 0 {
				return r.plainUnused(dst, r.plan.kept, 0)
			}
			return r.plainField(dst, leaf)
		})
		r.keepLayout()
	}
	return dst
}

// walk appends the event with what value appends for each leaf that is there, and for -1, which is what was not used.
func (r *runner) walk(dst []byte, value func(dst []byte, leaf int) []byte) []byte {
	dst = append(dst, '{')
	for i := 0; i < len(r.plan.writing); i++ {
		s := &r.plan.writing[i]
		switch s.kind {
		case writeField:
			if r.present[s.leaf>>6]>>(s.leaf&63)&1 != 0 {
				dst = value(append(comma(dst), s.key...), s.leaf)
			}
		case openObject:
			if !s.node.keeps && !s.node.mask.meets(r.present) {
				i = s.after - 1
				continue
			}
			dst = append(append(comma(dst), s.key...), '{')
		case closeObject:
			dst = closed(dst, s.key)
		case writeUnused:
			dst = value(dst, -1)
		}
	}
	return dst
}

// comma appends one where a member is already there. No JSON value ends with '{'.
func comma(dst []byte) []byte {
	if dst[len(dst)-1] == '{' {
		return dst
	}
	return append(dst, ',')
}

// closed ends the object of that key; one in which nothing is leaves no trace.
func closed(dst, key []byte) []byte {
	if dst[len(dst)-1] != '{' {
		return append(dst, '}')
	}
	dst = dst[:len(dst)-1-len(key)]
	if dst[len(dst)-1] == ',' {
		dst = dst[:len(dst)-1]
	}
	return dst
}

func (r *runner) plainField(dst []byte, leaf int) []byte {
	vals := r.leaves[leaf]
	if len(vals) == 1 && !r.plan.fields[leaf].Array {
		return appendValue(dst, vals[0])
	}
	for i, v := range vals {
		if i == 0 {
			dst = append(dst, '[')
		} else {
			dst = append(dst, ',')
		}
		dst = appendValue(dst, v)
	}
	return append(dst, ']')
}

// plainUnused is unused without a tape.
func (r *runner) plainUnused(dst []byte, n *outNode, c int32) []byte {
	for i := r.rec.Child(c); i != parse.None; i = r.rec.Cells[i].Next {
		cell := &r.rec.Cells[i]
		if cell.Used && !r.plan.keepUsed || cell.Kind == event.Null || len(cell.Key) == 0 {
			continue
		}
		if m := r.member(cell, n); m != nil {
			if dst[len(dst)-1] == '{' {
				m = m[1:]
			}
			dst = appendValue(append(dst, m...), value{b: cell.Val, kind: cell.Kind, json: cell.JSON})
			continue
		}
		dst = comma(dst)
		if last := r.piece(i, n); last >= 0 {
			var ok bool
			if dst, ok = r.rec.Source().AppendMembers(dst, cell.Node, r.rec.Cells[last].Node); ok {
				i = last
				continue
			}
		}
		at := len(dst)
		dst = r.key(dst, cell, n)
		if cell.Kind == event.Object && (cell.Val == nil || r.rec.Touched(i)) {
			key := len(dst) - at
			dst = r.plainUnused(append(dst, '{'), nil, i)
			dst = closed(dst, dst[at:at+key])
			continue
		}
		dst = appendValue(dst, value{b: cell.Val, kind: cell.Kind, json: cell.JSON})
	}
	return dst
}
