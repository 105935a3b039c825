package row

import (
	"encoding/binary"

	"leat/pkg/event"
)

// Encoder turns events into rows (see cells.go for their form). It is not safe for concurrent use, and allocates nothing in the
// steady state.
type Encoder struct {
	c      *Columns
	rest   []byte // JSON text of what goes to rest
	text   []byte
	ns     int64 // what castTime read last,
	isTime bool  // if it did
	dup    bool  // a field that has a column is there twice

	// What the last event had, for its partition; spans of the event.

	Time          int64 // @timestamp in ns since 1970
	HasTime       bool
	Kind, Dataset event.Value // event.kind, event.dataset; of an array of one, that one
}

// NewEncoder makes an Encoder for c.
func NewEncoder(c *Columns) *Encoder { return &Encoder{c: c} }

// Append appends e, which must have been parsed, as a row.
func (x *Encoder) Append(dst []byte, e *event.Event) []byte {
	x.dup, x.HasTime, x.Time = false, false, 0
	x.Kind, x.Dataset = event.Value{}, event.Value{}
	x.rest = append(x.rest[:0], '{')
	dst = x.object(dst, e, x.c.root, e.Root())
	x.rest = append(x.rest, '}')
	if x.dup {
		// Which of the two a column holds says nothing of the other, nor of their order: all of the event goes to rest.
		x.rest = e.Append(x.rest[:0])
	}
	if len(x.rest) > len("{}") {
		dst = append(dst, byte(x.c.RestColumn()))
		x.text = escapeRest(x.text[:0], x.rest)
		dst = appendText(dst, x.text)
	}
	return dst
}

func appendText(dst, text []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}

// comma separates from the member before. A value never ends in '{'.
func comma(dst []byte) []byte {
	if dst[len(dst)-1] == '{' {
		return dst
	}
	return append(dst, ',')
}

// object writes the columns among the members of the object at n to dst, and all the others to rest.
func (x *Encoder) object(dst []byte, e *event.Event, l *level, n event.Node) []byte {
	var seen uint64
	for i := e.First(n); i != event.None; i = e.Next(i) {
		at := l.match(e.Key(i))
		if at < 0 {
			x.keep(e, i)
			continue
		}
		if seen&(1<<uint(at)) != 0 {
			x.dup = true
			continue
		}
		seen |= 1 << uint(at)
		m := &l.members[at]
		if m.sub == nil {
			v := e.ValueAt(i)
			x.isTime = false
			var exact bool
			if dst, exact = x.column(dst, m, v); !exact {
				x.keep(e, i)
			}
			if m.note != 0 {
				x.take(m, v)
			}
			continue
		}
		if e.KindAt(i) != event.Object || e.First(i) == event.None {
			x.keep(e, i)
			continue
		}
		// What stays empty is taken back.
		r0 := len(x.rest)
		x.rest = append(append(comma(x.rest), m.quoted...), '{')
		r1 := len(x.rest)
		dst = x.object(dst, e, m.sub, i)
		if len(x.rest) == r1 {
			x.rest = x.rest[:r0]
		} else {
			x.rest = append(x.rest, '}')
		}
	}
	return dst
}

// keep copies the member at n to rest.
func (x *Encoder) keep(e *event.Event, n event.Node) {
	x.rest = append(comma(x.rest), '"')
	x.rest = append(x.rest, e.RawKey(n)...)
	x.rest = append(x.rest, '"', ':')
	x.rest = append(x.rest, e.ValueAt(n).Raw...)
}

// column writes v as a cell of the column m if it casts to its type; exact tells whether the column gives back the same JSON.
func (x *Encoder) column(dst []byte, m *member, v event.Value) (out []byte, exact bool) {
	start := len(dst)
	dst = append(dst, byte(m.column))
	dst, exact = x.cast(dst, m.typ, v)
	if len(dst) == start+1 {
		return dst[:start], false
	}
	return dst, exact
}

// take notes what the partition of the event depends on.
func (x *Encoder) take(m *member, v event.Value) {
	switch m.note {
	case noteTime:
		x.Time, x.HasTime = x.ns, x.isTime
	case noteKind:
		x.Kind = single(v)
	case noteDataset:
		x.Dataset = single(v)
	}
}

func single(v event.Value) event.Value {
	if one, ok := only(v); ok {
		return one
	}
	return v
}
