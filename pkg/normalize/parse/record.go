package parse

import (
	"slices"

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
	Next, child, last int32
	put               bool // the object's members are cells, though the object stands in Record.source
	// Name is the key's number among the record's Names; 0 = it has none.
	Name int32
	// Node is the member's place in the event that the record was read from, where its neighbours are its neighbours here too; else event.None.
	Node event.Node
}

// None is no cell.
const None int32 = -1

// maxCells bounds what one record may hold; what is beyond stays unparsed in the original.
const maxCells = 1 << 16

// Record is a tree of cells; cell 0 is the record itself. The zero Record must be Reset before use.
type Record struct {
	Cells  []Cell
	names  *Names
	mem    []byte
	event  event.Event
	source *event.Event // whose objects become cells when they are asked for
}

// Reset empties r and reuses its memory.
func (r *Record) Reset() {
	r.Cells = append(r.Cells[:0], Cell{Kind: event.Object, Next: None, child: None, last: None, Node: event.None})
	r.mem = r.mem[:0]
	r.source, r.names = nil, nil
}

// Know lets the parser that comes next tell the names of its pairs by n; nil: by none.
func (r *Record) Know(n *Names) { r.names = n }

// Add appends a cell to the object at parent and returns it; None when the record is full.
func (r *Record) Add(parent int32, c Cell) int32 {
	if len(r.Cells) >= maxCells {
		return None
	}
	n := int32(len(r.Cells))
	c.Next, c.child, c.last, c.Node, c.Name = None, None, None, event.None, 0
	r.Cells = append(r.Cells, c)
	r.link(parent, n)
	return n
}

// link makes cell n the last member of the object at parent.
func (r *Record) link(parent, n int32) {
	p := &r.Cells[parent]
	if p.Node != event.None {
		r.expand(parent)
		p = &r.Cells[parent]
	}
	if p.last >= 0 {
		r.Cells[p.last].Next = n
	} else {
		p.child = n
	}
	p.last = n
}

// Child returns the first member of the object at n, or None.
func (r *Record) Child(n int32) int32 {
	r.expand(n)
	return r.Cells[n].child
}

// Touched tells whether members of the object at n were asked for. Where they were not, its Val says all.
func (r *Record) Touched(n int32) bool { return r.Cells[n].child >= 0 }

// expand makes cells of the members of the object at n, where that was put off.
func (r *Record) expand(n int32) {
	if c := &r.Cells[n]; c.Node != event.None && c.Kind == event.Object && !c.put {
		c.put = true
		r.members(n, r.source, c.Node, true)
	}
}

// AddText appends a plain text value.
func (r *Record) AddText(parent int32, key, val []byte) int32 { return r.addText(parent, key, val, 0) }

// addPair is AddText for a name that the record's Names may know.
func (r *Record) addPair(parent int32, key, val []byte) {
	r.addText(parent, key, val, r.names.find(key))
}

func (r *Record) addText(parent int32, key, val []byte, name int32) int32 {
	n := len(r.Cells)
	if n >= maxCells {
		return None
	}
	if n == cap(r.Cells) {
		r.Cells = slices.Grow(r.Cells, 32)
	}
	// Field by field in its place, as in members.
	r.Cells = r.Cells[:n+1]
	c := &r.Cells[n]
	c.Key, c.Val, c.Kind = key, val, event.String
	c.JSON, c.JSONKey, c.Used, c.put = false, false, false, false
	c.Next, c.child, c.last, c.Node, c.Name = None, None, None, event.None, name
	r.link(parent, int32(n))
	return int32(n)
}

// AddObject appends an empty object.
func (r *Record) AddObject(parent int32, key []byte) int32 {
	return r.Add(parent, Cell{Key: key, Kind: event.Object})
}

// Find returns the first member of that name in the object at n, or None.
func (r *Record) Find(n int32, key string) int32 {
	for i := r.Child(n); i >= 0; i = r.Cells[i].Next {
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
	r.members(parent, &r.event, r.event.Root(), false)
	return nil
}

// FromEvent adds the members of the object at n of a parsed event to the object at parent. The event must stay as it is until
// the record is Reset, and be the only one.
func (r *Record) FromEvent(parent int32, e *event.Event, n event.Node) {
	r.source = e
	r.expand(parent)
	r.members(parent, e, n, true)
}

// Source is the event that FromEvent was given, or nil.
func (r *Record) Source() *event.Event { return r.source }

// members adds those of an object; the objects among them get their own at once, or when somebody looks there.
func (r *Record) members(parent int32, e *event.Event, n event.Node, lazy bool) {
	prev := r.Cells[parent].last
	for i := e.First(n); i != event.None && len(r.Cells) < maxCells; {
		key, val, next := e.Member(i)
		at := int32(len(r.Cells))
		if len(r.Cells) == cap(r.Cells) {
			r.Cells = slices.Grow(r.Cells, 32)
		}
		// Field by field in its place: a literal would be built elsewhere and copied.
		r.Cells = r.Cells[:at+1]
		c := &r.Cells[at]
		c.Key, c.Val, c.Kind = key, val.Raw, val.Kind
		c.JSON, c.JSONKey, c.Used, c.put = true, true, false, false
		c.Next, c.child, c.last, c.Node, c.Name = None, None, None, event.None, 0
		if prev >= 0 {
			r.Cells[prev].Next = at
		} else {
			r.Cells[parent].child = at
		}
		prev = at
		if lazy {
			c.Node = i
		} else if val.Kind == event.Object {
			r.members(at, e, i, false)
		}
		i = next
	}
	r.Cells[parent].last = prev
}
