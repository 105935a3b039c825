package normalize

import (
	"bytes"

	"leat/pkg/event"
	"leat/pkg/normalize/parse"
)

// write makes the normal event of what was applied.
func (r *runner) write(w *event.Builder) {
	outer := event.None
	if r.outer != nil {
		outer = r.outer.Root()
	}
	r.notePresent()
	r.object(w, r.plan.root, outer)
}

// notePresent notes which leaves have a value.
func (r *runner) notePresent() {
	r.present = append(r.present[:0], make(bits, len(r.plan.root.mask))...)
	for i, l := range r.leaves[:len(r.plan.fields)] {
		if len(l) > 0 {
			r.present[i>>6] |= 1 << (i & 63)
		}
	}
}

// object writes the members of n: its fields, what the wrapping event has in the same place, and what was not used.
func (r *runner) object(w *event.Builder, n *outNode, outer event.Node) {
	for _, k := range n.kids {
		o := event.None
		if outer != event.None {
			o = r.outer.Find(outer, k.name)
		}
		have := k.mask.meets(r.present)
		if !have && !k.keeps && (o == event.None || k.leaf >= 0 && k.leaf == r.plan.auto.original && r.noOriginal) {
			continue
		}
		switch {
		case have && k.leaf >= 0:
			r.field(w, k.key, k.leaf)
		case k.leaf >= 0 || o != event.None && r.outer.KindAt(o) != event.Object:
			r.asItStands(w, o)
		default:
			w.Open(k.key)
			r.object(w, k, o)
			w.Close()
		}
	}
	if outer != event.None {
		r.rest(w, n, outer)
	}
	if n.keep {
		r.unused(w, n, 0)
	}
}

// rest writes the wrapping event's members that the mapping has no field for.
func (r *runner) rest(w *event.Builder, n *outNode, outer event.Node) {
	for o := r.outer.First(outer); o != event.None; o = r.outer.Next(o) {
		if n.find(r.outer.RawKey(o)) == nil {
			r.asItStands(w, o)
		}
	}
}

// asItStands writes a member of the wrapping event.
func (r *runner) asItStands(w *event.Builder, o event.Node) {
	if w.Copy(r.outer, o, o) {
		return
	}
	v := r.outer.ValueAt(o)
	r.keyText = append(append(append(r.keyText[:0], '"'), r.outer.RawKey(o)...), '"', ':')
	w.Key(r.keyText, v.Kind)
	w.Line = append(w.Line, v.Raw...)
	w.Done()
}

// field writes a field's value: a list where ECS says so, or where there are several.
func (r *runner) field(w *event.Builder, key []byte, leaf int) {
	vals := r.leaves[leaf]
	if len(vals) == 1 && !r.plan.fields[leaf].Array {
		r.value(w, key, vals[0])
		return
	}
	w.Key(key, event.Array)
	w.Line = append(w.Line, '[')
	for i, v := range vals {
		if i > 0 {
			w.Line = append(w.Line, ',')
		}
		w.Line = appendValue(w.Line, v)
	}
	w.Line = append(w.Line, ']')
	w.Done()
}

// value writes one member.
func (r *runner) value(w *event.Builder, key []byte, v value) {
	if v.json && (v.kind == event.Array || v.kind == event.Object) {
		w.Key(key, v.kind)
		w.Line = appendRaw(w.Line, v.b, v.kind)
		w.Done()
		return
	}
	w.Value(key, v.b, v.kind, !v.json)
}

func appendValue(dst []byte, v value) []byte {
	if v.json {
		return appendRaw(dst, v.b, v.kind)
	}
	return event.AppendString(dst, v.b)
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

// unused writes the members of the record's object at cell c that no field took. Nulls are dropped; an object of which
// nothing was read stays as it was.
func (r *runner) unused(w *event.Builder, n *outNode, c int32) {
	for i := r.rec.Child(c); i >= 0; i = r.rec.Cells[i].Next {
		cell := &r.rec.Cells[i]
		if cell.Used && !r.plan.keepUsed || cell.Kind == event.Null || len(cell.Key) == 0 {
			continue
		}
		if m := r.member(cell, n); m != nil {
			r.value(w, m[1:], value{b: cell.Val, kind: cell.Kind, json: cell.JSON})
			continue
		}
		if last := r.piece(i, n); last >= 0 && w.Copy(r.rec.Source(), cell.Node, r.rec.Cells[last].Node) {
			i = last
			continue
		}
		if cell.Kind == event.Object && (cell.Val == nil || r.rec.Touched(i)) {
			mark := len(r.keyText)
			r.keyText = r.key(r.keyText, cell, n)
			w.Open(r.keyText[mark:])
			r.unused(w, nil, i)
			w.Close()
			r.keyText = r.keyText[:mark]
			continue
		}
		mark := len(r.keyText)
		r.keyText = r.key(r.keyText, cell, n)
		r.value(w, r.keyText[mark:], value{b: cell.Val, kind: cell.Kind, json: cell.JSON})
		r.keyText = r.keyText[:mark]
	}
}

// key appends a kept member's name with its colon; where the mapping has a field of that name beside it, with a '_' behind it.
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

// piece returns the last of the members from cell i on that are kept as they stand in the record, one behind the other. It is -1 where
// there are none: where the text has line feeds, which ours can't have, or the member needs another name.
func (r *runner) piece(i int32, n *outNode) (last int32) {
	last = -1
	if r.multiline {
		return last
	}
	for ; i >= 0; i = r.rec.Cells[i].Next {
		c := &r.rec.Cells[i]
		if c.Node == event.None || c.Kind == event.Null || c.Used && !r.plan.keepUsed || len(c.Key) == 0 || r.rec.Touched(i) ||
			n != nil && len(n.kids) > 0 && n.find(c.Key) != nil {
			break
		}
		if last >= 0 && r.rec.Source().Next(r.rec.Cells[last].Node) != c.Node {
			break
		}
		last = i
	}
	return last
}
