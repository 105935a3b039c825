package parse

import (
	"leat/pkg/event"
)

// Cell is one named value of a Record.
type Cell struct {
	// Key is the name: as JSON text without its quotes where JSONKey is set, else plain.
	Key []byte
	// Val is the value: JSON text where JSON is set, else plain text (Kind String or Number). Objects that a parser
	// built, rather than found, have none.
	Val     []byte
	Kind    event.Kind
	JSON    bool
	JSONKey bool
	// Used tells that a mapping consumed the value. A parser leaves it false.
	Used              bool
	Next, Child, last int32
}

// None is no cell.
const None int32 = -1

// maxCells bounds what one record may hold; what is beyond stays unparsed in the original.
const maxCells = 1 << 16

// Record is a tree of cells; cell 0 is the record itself. The zero Record must be Reset before use.
type Record struct {
	Cells []Cell
	mem   []byte
	event event.Event
}

// Reset empties r and reuses its memory.
func (r *Record) Reset() {
	r.Cells = append(r.Cells[:0], Cell{Kind: event.Object, Next: None, Child: None, last: None})
	r.mem = r.mem[:0]
}

// Add appends a cell to the object at parent and returns it; None when the record is full.
func (r *Record) Add(parent int32, c Cell) int32 {
	if len(r.Cells) >= maxCells {
		return None
	}
	n := int32(len(r.Cells))
	c.Next, c.Child, c.last = None, None, None
	r.Cells = append(r.Cells, c)
	p := &r.Cells[parent]
	if p.last >= 0 {
		r.Cells[p.last].Next = n
	} else {
		p.Child = n
	}
	p.last = n
	return n
}

// AddText appends a plain text value.
func (r *Record) AddText(parent int32, key, val []byte) int32 {
	return r.Add(parent, Cell{Key: key, Val: val, Kind: event.String})
}

// AddObject appends an empty object.
func (r *Record) AddObject(parent int32, key []byte) int32 {
	return r.Add(parent, Cell{Key: key, Kind: event.Object})
}

// Find returns the first member of that name in the object at n, or None.
func (r *Record) Find(n int32, key string) int32 {
	for i := r.Cells[n].Child; i >= 0; i = r.Cells[i].Next {
		if string(r.Cells[i].Key) == key {
			return i
		}
	}
	return None
}

// Text returns the text of cell n: strings decoded, other values as their JSON text, nothing for null.
// It is valid until the record is reset.
func (r *Record) Text(n int32) []byte {
	c := &r.Cells[n]
	if !c.JSON {
		return c.Val
	}
	return r.Decode(event.ValueOf(c.Val))
}

// Decode returns v's text (see Text); where it must be decoded, in memory of the record.
func (r *Record) Decode(v event.Value) []byte {
	if !v.Escaped() {
		return v.Text(nil)
	}
	start := len(r.mem)
	r.mem = event.AppendUnquoted(r.mem, v.Raw[1:len(v.Raw)-1])
	return r.mem[start:len(r.mem):len(r.mem)]
}

// Memory lends the record's memory to f, which appends to it; what it appended is returned and valid until Reset.
func (r *Record) Memory(f func(dst []byte) []byte) []byte {
	start := len(r.mem)
	r.mem = f(r.mem)
	return r.mem[start:len(r.mem):len(r.mem)]
}

// JSON adds the members of the JSON object text to the object at parent. The error is event.SyntaxError.
func (r *Record) JSON(parent int32, text []byte) error {
	r.event.Reset(text)
	if err := r.event.Parse(); err != nil {
		return err
	}
	r.FromEvent(parent, &r.event, r.event.Root())
	return nil
}

// FromEvent adds the members of the object at n of a parsed event to the object at parent.
func (r *Record) FromEvent(parent int32, e *event.Event, n event.Node) {
	for i := e.First(n); i != event.None; i = e.Next(i) {
		v := e.ValueAt(i)
		c := r.Add(parent, Cell{Key: e.RawKey(i), Val: v.Raw, Kind: v.Kind, JSON: true, JSONKey: true})
		if c == None {
			return
		}
		if v.Kind == event.Object {
			r.FromEvent(c, e, i)
		}
	}
}
