package normalize

import (
	"bytes"

	"leat/pkg/event"
	"leat/pkg/normalize/parse"
)

// write appends the normal event of what was applied.
func (r *runner) write(dst []byte) []byte {
	outer := event.None
	if r.outer != nil {
		outer = r.outer.Root()
	}
	r.present = append(r.present[:0], make(bits, len(r.plan.root.mask))...)
	for i, l := range r.leaves[:len(r.plan.fields)] {
		if len(l) > 0 {
			r.present[i>>6] |= 1 << (i & 63)
		}
	}
	dst = append(dst, '{')
	dst, _ = r.object(dst, r.plan.root, outer)
	return append(dst, '}')
}

// object appends the members of n: its fields, what the wrapping event has in the same place, and what was not used.
func (r *runner) object(dst []byte, n *outNode, outer event.Node) (out []byte, wrote bool) {
	for _, k := range n.kids {
		o := event.None
		if outer != event.None {
			o = r.outer.Find(outer, k.name)
		}
		have := k.mask.meets(r.present)
		if !have && !k.keeps && (o == event.None || k.leaf >= 0 && k.leaf == r.plan.auto.original && r.noOriginal) {
			continue
		}
		mark := len(dst)
		if wrote {
			dst = append(dst, ',')
		}
		dst = append(dst, k.key...)
		switch {
		case have && k.leaf >= 0:
			dst = r.field(dst, k.leaf)
		case k.leaf >= 0 || o != event.None && r.outer.KindAt(o) != event.Object:
			dst = append(dst, r.outer.ValueAt(o).Raw...)
		default:
			var some bool
			dst = append(dst, '{')
			dst, some = r.object(dst, k, o)
			if !some {
				dst = dst[:mark]
				continue
			}
			dst = append(dst, '}')
		}
		wrote = true
	}
	if outer != event.None {
		dst, wrote = r.rest(dst, n, outer, wrote)
	}
	if n.keep {
		dst, wrote = r.unused(dst, n, 0, wrote)
	}
	return dst, wrote
}

// rest appends the wrapping event's members that the mapping has no field for.
func (r *runner) rest(dst []byte, n *outNode, outer event.Node, wrote bool) ([]byte, bool) {
	for o := r.outer.First(outer); o != event.None; o = r.outer.Next(o) {
		if n.find(r.outer.RawKey(o)) != nil {
			continue
		}
		if wrote {
			dst = append(dst, ',')
		}
		wrote = true
		dst = append(dst, '"')
		dst = append(dst, r.outer.RawKey(o)...)
		dst = append(dst, '"', ':')
		dst = append(dst, r.outer.ValueAt(o).Raw...)
	}
	return dst, wrote
}

// field appends a field's value: a list where ECS says so, or where there are several.
func (r *runner) field(dst []byte, leaf int) []byte {
	vals := r.leaves[leaf]
	if len(vals) == 1 && !r.plan.fields[leaf].Array {
		return appendValue(dst, vals[0])
	}
	dst = append(dst, '[')
	for i, v := range vals {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendValue(dst, v)
	}
	return append(dst, ']')
}

func appendValue(dst []byte, v value) []byte {
	if v.json {
		return appendRaw(dst, v.b, v.kind)
	}
	return appendText(dst, v.b)
}

// appendRaw appends JSON text. A list or object of a record that was written on several lines must not break ours: line
// feeds can only stand between its tokens, where a space says the same.
func appendRaw(dst, b []byte, kind event.Kind) []byte {
	start := len(dst)
	dst = append(dst, b...)
	if kind != event.Array && kind != event.Object || bytes.IndexByte(b, '\n') < 0 && bytes.IndexByte(b, '\r') < 0 {
		return dst
	}
	for i, c := range dst[start:] {
		if c == '\n' || c == '\r' {
			dst[start+i] = ' '
		}
	}
	return dst
}

// unused appends the members of the record's object at cell c that no field took. Nulls are dropped; an object of which
// nothing was read stays as it was.
func (r *runner) unused(dst []byte, n *outNode, c int32, wrote bool) ([]byte, bool) {
	all := r.plan.keepUsed
	for i := r.rec.Child(c); i >= 0; i = r.rec.Cells[i].Next {
		cell := &r.rec.Cells[i]
		if cell.Used && !all || cell.Kind == event.Null || len(cell.Key) == 0 {
			continue
		}
		if to, last := r.piece(i, n); to > cell.From {
			if wrote {
				dst = append(dst, ',')
			}
			dst, wrote, i = append(dst, r.obj.Line()[cell.From:to]...), true, last
			continue
		}
		mark := len(dst)
		if wrote {
			dst = append(dst, ',')
		}
		dst = r.key(dst, cell, n)
		switch {
		case cell.Kind == event.Object && (cell.Val == nil || r.rec.Touched(i)):
			var some bool
			dst = append(dst, '{')
			dst, some = r.unused(dst, nil, i, false)
			dst = append(dst, '}')
			if !some {
				dst = dst[:mark]
				continue
			}
		case cell.JSON:
			dst = appendRaw(dst, cell.Val, cell.Kind)
		default:
			dst = appendText(dst, cell.Val)
		}
		wrote = true
	}
	return dst, wrote
}

// key appends a kept member's name; where the mapping has a field of that name beside it, with a '_' behind it.
func (r *runner) key(dst []byte, c *parse.Cell, n *outNode) []byte {
	if c.JSONKey {
		dst = append(dst, '"')
		dst = append(dst, c.Key...)
		dst = append(dst, '"')
	} else {
		dst = event.AppendString(dst, c.Key)
	}
	if n != nil && n.find(c.Key) != nil {
		dst = append(dst[:len(dst)-1], '_', '"')
	}
	return append(dst, ':')
}

// piece returns the end, in the line of the record's JSON, of the members from cell i on that are kept as they stand there,
// one behind the other, and the last of them. It is 0 where there are none: where the text has line feeds, which ours can't
// have, or the member needs another name.
func (r *runner) piece(i int32, n *outNode) (to, last int32) {
	if r.multiline {
		return 0, i
	}
	for ; i >= 0; i = r.rec.Cells[i].Next {
		c := &r.rec.Cells[i]
		if c.To == 0 || c.Kind == event.Null || c.Used && !r.plan.keepUsed || len(c.Key) == 0 || r.rec.Touched(i) ||
			n != nil && len(n.kids) > 0 && n.find(c.Key) != nil {
			break
		}
		to, last = c.To, i
	}
	return to, last
}
