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
	dst = append(dst, '{')
	dst, _ = r.object(dst, r.plan.root, outer)
	return append(dst, '}')
}

// object appends the members of n: its fields, what the wrapping event has in the same place, and what was not used.
func (r *runner) object(dst []byte, n *outNode, outer event.Node) (out []byte, wrote bool) {
	for _, k := range n.kids {
		mark := len(dst)
		if wrote {
			dst = append(dst, ',')
		}
		dst = append(dst, k.key...)
		o := event.None
		if outer != event.None {
			o = r.outer.Find(outer, k.name)
		}
		ok := true
		switch {
		case k.leaf >= 0 && len(r.leaves[k.leaf]) > 0:
			dst = r.field(dst, k.leaf)
		case k.leaf >= 0 || o != event.None && r.outer.KindAt(o) != event.Object:
			if ok = o != event.None && !(k.leaf >= 0 && k.leaf == r.plan.auto.original && r.noOriginal); ok {
				dst = append(dst, r.outer.ValueAt(o).Raw...)
			}
		default:
			dst = append(dst, '{')
			dst, ok = r.object(dst, k, o)
			dst = append(dst, '}')
		}
		if !ok {
			dst = dst[:mark]
			continue
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

// unused appends the members of the record's object at cell c that no field took. Nulls are dropped.
func (r *runner) unused(dst []byte, n *outNode, c int32, wrote bool) ([]byte, bool) {
	all := r.plan.keepUsed
	for i := r.rec.Cells[c].Child; i >= 0; i = r.rec.Cells[i].Next {
		cell := &r.rec.Cells[i]
		if cell.Used && !all || cell.Kind == event.Null || len(cell.Key) == 0 {
			continue
		}
		mark := len(dst)
		if wrote {
			dst = append(dst, ',')
		}
		dst = r.key(dst, cell, n)
		switch {
		case cell.Kind == event.Object && (cell.Val == nil || cell.Child >= 0):
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
