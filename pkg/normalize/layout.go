package normalize

import (
	"slices"
	"unsafe"

	"leat/pkg/event"
)

// Events of one source mostly have the same fields. A layout is the text of the output between their values, for one set of fields that are
// there: names, braces and commas, and the values that a mapping gives to all its events. Writing an event then is copying
// texts and values in turn, without asking for each field of the mapping whether it is there, and which comma stands before it.

// layout is such a text, cut where values stand.
type layout struct {
	present  bits
	hash     uint8
	pieces   []piece
	end      []byte
	constant []constant
	unused   bool // something was kept that was not used
}

// piece is a text and the leaf whose value stands behind it; leaf -1 is what was not used. The text has room for a word behind it.
type piece struct {
	text  []byte
	leaf  int32
	array bool // the leaf's field is a list
}

// constant is a value that is in the text; the leaf must still have it.
type constant struct {
	leaf int32
	b    *byte
}

// maxLayouts is how many a runner keeps of one plan; where two fall on one place, the older one stays for another rebuildAfter events, so that
// a source whose events are all unlike does not spend its time on layouts.
const (
	maxLayouts   = 64
	rebuildAfter = 256
)

// layouts are those of one plan.
type layouts struct {
	plan   *plan
	last   *layout
	by     [maxLayouts]*layout // by a hash of the fields that are there
	wait   int                 // events until a layout may take another's place
	varies bits                // leaves that had their mapping's value in one event and another one in the next
}

// wordSize is how many bytes of a text are copied at once.
const wordSize = 16

// lay appends the event by the layout for the fields that are there. ok is false, and dst as it was, where there is none that holds.
func (r *runner) lay(dst []byte) (out []byte, ok bool) {
	l := r.layout()
	if l == nil {
		return dst, false
	}
	for i := range l.constant {
		c := &l.constant[i]
		if v := r.leaves[c.leaf]; len(v) != 1 || unsafe.SliceData(v[0].b) != c.b {
			r.layouts.vary(l, c.leaf)
			return dst, false
		}
	}
	out = dst
	for i := range l.pieces {
		p := &l.pieces[i]
		out = appendWords(out, p.text)
		if p.leaf >= 0 {
			if v := r.leaves[p.leaf]; !p.array && len(v) == 1 && !v[0].json {
				out = event.AppendString(out, v[0].b)
			} else {
				out = r.plainField(out, int(p.leaf))
			}
			continue
		}
		before := len(out)
		if out = r.plainUnused(out, r.plan.kept, 0); len(out) == before {
			return dst, false
		}
	}
	out = appendWords(out, l.end)
	if !l.unused && len(r.plainUnused(out, r.plan.kept, 0)) > len(out) {
		return dst, false
	}
	return out, true
}

// vary forgets l, which took a leaf's value for one that all events have.
func (ls *layouts) vary(l *layout, leaf int32) {
	ls.varies[leaf>>6] |= 1 << (leaf & 63)
	ls.last, ls.by[l.hash] = nil, nil
}

// appendWords appends s, which has room for a word behind it, a word at a time: most of these texts are one or two.
func appendWords(dst, s []byte) []byte {
	n := len(dst)
	if cap(dst)-n < len(s)+wordSize {
		return append(dst, s...)
	}
	to, from := dst[n:n+len(s)+wordSize], s[:len(s)+wordSize]
	for i := 0; i < len(s); i += wordSize {
		*(*[wordSize]byte)(to[i:]) = [wordSize]byte(from[i:])
	}
	return dst[:n+len(s)]
}

// layout returns the one for the fields that are there, or nil.
func (r *runner) layout() *layout {
	if r.layouts == nil || r.layouts.plan != r.plan {
		if r.allLayouts == nil {
			r.allLayouts = map[*plan]*layouts{}
		}
		if r.layouts = r.allLayouts[r.plan]; r.layouts == nil {
			r.layouts = &layouts{plan: r.plan, varies: make(bits, len(r.present))}
			r.allLayouts[r.plan] = r.layouts
		}
	}
	ls := r.layouts
	if ls.last != nil && slices.Equal(ls.last.present, r.present) {
		return ls.last
	}
	if l := ls.by[r.present.hash()]; l != nil && slices.Equal(l.present, r.present) {
		ls.last = l
		return l
	}
	return nil
}

// hash is below maxLayouts.
func (b bits) hash() uint8 {
	h := uint64(0)
	for _, w := range b {
		h = (h ^ w) * 0x9E3779B97F4A7C15
	}
	return uint8(h >> 58)
}

// keepLayout makes the layout for an event as was just written, if there is a place for it.
func (r *runner) keepLayout() {
	ls, h := r.layouts, r.present.hash()
	if ls.wait--; ls.by[h] != nil && (ls.wait > 0 || slices.Equal(ls.by[h].present, r.present)) {
		return
	}
	if ls.by[h] != nil {
		ls.wait = rebuildAfter
	}
	ls.last = r.newLayout()
	ls.by[h] = ls.last
}

// newLayout writes the event with a sign in place of each value and cuts it there.
func (r *runner) newLayout() *layout {
	l := &layout{present: slices.Clone(r.present), hash: r.present.hash(), unused: len(r.plainUnused([]byte{'{'}, r.plan.kept, 0)) > 1}
	from := 0
	cut := func(dst []byte, leaf int) []byte {
		if leaf < 0 && !l.unused {
			return dst
		}
		l.pieces = append(l.pieces, piece{padded(dst[from:]), int32(leaf), leaf >= 0 && r.plan.fields[leaf].Array})
		dst = append(dst, '0')
		from = len(dst)
		return dst
	}
	dst := r.walk(nil, func(dst []byte, leaf int) []byte {
		if leaf >= 0 && r.fixed(leaf) {
			l.constant = append(l.constant, constant{int32(leaf), unsafe.SliceData(r.leaves[leaf][0].b)})
			return r.plainField(dst, leaf)
		}
		return cut(dst, leaf)
	})
	l.end = padded(dst[from:])
	return l
}

// fixed tells whether a leaf has the one value that its mapping gives to all events.
func (r *runner) fixed(leaf int) bool {
	v := r.leaves[leaf]
	if len(v) != 1 || len(v[0].b) == 0 || r.layouts.varies[leaf>>6]>>(leaf&63)&1 != 0 {
		return false
	}
	b := unsafe.SliceData(v[0].b)
	for _, t := range [][]byte{eventText, versionText, r.plan.datasetText} {
		if unsafe.SliceData(t) == b {
			return true
		}
	}
	return slices.ContainsFunc(r.plan.set, func(a action) bool {
		return a.leaf == leaf && len(a.consts) == 1 && unsafe.SliceData(a.consts[0].b) == b
	})
}

// padded is a copy of s with room for a word behind it.
func padded(s []byte) []byte { return append(make([]byte, 0, len(s)+wordSize), s...) }
