package event

import (
	"fmt"
	"strconv"
)

// ConflictError says that a field can't be set because a part of its path is there and is no object.
type ConflictError struct {
	Path string // the field that was to be set
	At   string // the part of it that is in the way
	Kind Kind   // what is there
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("can't set %s: %s is a %s, not an object", e.Path, e.At, e.Kind)
}

// Set gives the field p the JSON value raw, which must be valid; objects on the way are made. Where the field has a value
// it is replaced in place. A null on the way counts as absent. raw is copied.
func (e *Event) Set(p Path, raw []byte) error {
	n, err := e.place(p, false)
	if err != nil {
		return err
	}
	e.assign(n, raw)
	return nil
}

// SetNew is Set for a field that has no value yet, or null; it tells whether it was set. One walk does for both questions.
func (e *Event) SetNew(p Path, raw []byte) (bool, error) {
	n, err := e.place(p, true)
	if err != nil || n < 0 {
		return false, err
	}
	e.assign(n, raw)
	return true, nil
}

// SetString sets p to the JSON string of s.
func (e *Event) SetString(p Path, s string) error {
	n, err := e.place(p, false)
	if err != nil {
		return err
	}
	start := len(e.ext)
	e.ext = AppendString(e.ext, s)
	e.point(n, start, String)
	return nil
}

// SetInt sets p to the number v.
func (e *Event) SetInt(p Path, v int64) error {
	n, err := e.place(p, false)
	if err != nil {
		return err
	}
	start := len(e.ext)
	e.ext = strconv.AppendInt(e.ext, v, 10)
	e.point(n, start, Number)
	return nil
}

// Delete removes the field p and tells whether it was there. Objects that become empty stay.
func (e *Event) Delete(p Path) bool {
	if e.Root() == None {
		return false
	}
	n := int32(0)
	for _, k := range p.keys {
		if n = int32(e.Find(Node(n), k)); n < 0 {
			return false
		}
	}
	e.nodes[n].flags |= flagGone
	e.touch(p)
	return true
}

// Rename moves the value of from to the field to, without encoding it again. It tells whether from was there;
// the error is Set's, and then nothing has changed.
func (e *Event) Rename(from, to Path) (bool, error) {
	src := e.Lookup(from)
	if src == None {
		return false, nil
	}
	if from.name == to.name {
		return true, nil
	}
	// The source is taken away first, so that user can become user.name.
	e.nodes[src].flags |= flagGone
	raw := []byte(nil)
	if e.nodes[src].flags&flagDirty != 0 {
		raw = e.appendObject(nil, int32(src))
	}
	e.touch(from)
	n, err := e.place(to, false)
	if err != nil {
		e.nodes[src].flags &^= flagGone
		return true, err
	}
	if raw != nil {
		e.assign(n, raw)
	} else {
		s, d := &e.nodes[src], &e.nodes[n]
		d.val0, d.val1, d.kind, d.child, d.last = s.val0, s.val1, s.kind, s.child, s.last
		d.flags = d.flags&flagKeyEsc | s.flags&flagValEsc | flagMoved
	}
	return true, nil
}

// touch marks the objects that hold p as edited.
func (e *Event) touch(p Path) {
	n := int32(0)
	e.nodes[0].flags |= flagDirty
	for _, k := range p.keys[:len(p.keys)-1] {
		if n = int32(e.Find(Node(n), k)); n < 0 {
			return
		}
		e.nodes[n].flags |= flagDirty
	}
}

// place finds or makes the member that p names, and marks the objects above it as edited. Where keep is set and the member has
// a value, nothing is changed and the place is -1.
func (e *Event) place(p Path, keep bool) (int32, error) {
	if err := e.Parse(); err != nil {
		return -1, err
	}
	var above [8]int32 // the objects that hold the member, as many as there is room for
	n, depth := int32(0), 0
	for i, k := range p.keys {
		if depth < len(above) {
			above[depth] = n
			depth++
		}
		m := int32(e.Find(Node(n), k))
		if m >= 0 && i < len(p.keys)-1 {
			switch e.nodes[m].kind {
			case Object:
			case Null:
				e.clear(m)
			default:
				return -1, &ConflictError{Path: p.name, At: KeyPath(p.keys[:i+1]...).name, Kind: e.nodes[m].kind}
			}
		}
		if m >= 0 && i == len(p.keys)-1 && keep && e.nodes[m].kind != Null {
			return -1, nil
		}
		if m < 0 {
			// Only now is it sure that nothing is in the way: what lies below a missing member is missing too.
			m = e.add(n, p.quoted[i])
		}
		n = m
	}
	if len(p.keys) > len(above) {
		e.touch(p)
		return n, nil
	}
	for _, o := range above[:depth] {
		e.nodes[o].flags |= flagDirty
	}
	return n, nil
}

// clear makes the member m an empty object.
func (e *Event) clear(m int32) {
	nd := &e.nodes[m]
	nd.kind, nd.child, nd.last = Object, -1, -1
	nd.flags = nd.flags&flagKeyEsc | flagMoved | flagDirty
}

// add appends a member to the object n: an empty object, until it is assigned.
func (e *Event) add(n int32, quoted string) int32 {
	k0 := uint32(len(e.ext)) + 1 | inExt
	e.ext = append(e.ext, quoted...)
	k1 := uint32(len(e.ext)) - 1 | inExt
	m := int32(len(e.nodes))
	nd := node{key0: k0, key1: k1, next: -1, child: -1, last: -1, kind: Object, flags: flagMoved | flagDirty}
	for i := 1; i < len(quoted)-1; i++ {
		if quoted[i] == '\\' {
			nd.flags |= flagKeyEsc
		}
	}
	e.nodes = append(e.nodes, nd)
	if last := e.nodes[n].last; last >= 0 {
		e.nodes[last].next = m
	} else {
		e.nodes[n].child = m
	}
	e.nodes[n].last = m
	return m
}

// assign gives the member m the value raw.
func (e *Event) assign(m int32, raw []byte) {
	start := len(e.ext)
	e.ext = append(e.ext, raw...)
	v := ValueOf(raw)
	if v.Kind == Object {
		first := len(e.nodes)
		nodes, err := scan(e.ext[start:], e.nodes, uint32(start)|inExt, &e.marks)
		if err == nil {
			e.nodes = nodes
			child, last := nodes[first].child, nodes[first].last
			// A member in the extension can't be copied together with its neighbour from the line.
			for i := first; i < len(nodes); i++ {
				e.nodes[i].flags |= flagMoved
			}
			e.point(m, start, Object)
			e.nodes[m].child, e.nodes[m].last = child, last
			return
		}
	}
	e.point(m, start, v.Kind)
	if v.esc {
		e.nodes[m].flags |= flagValEsc
	}
}

// point makes the member m the scalar that ext holds from start on.
func (e *Event) point(m int32, start int, kind Kind) {
	nd := &e.nodes[m]
	nd.val0, nd.val1 = uint32(start)|inExt, uint32(len(e.ext))|inExt
	nd.kind, nd.child, nd.last = kind, -1, -1
	nd.flags = nd.flags&flagKeyEsc | flagMoved
	if kind == String && ValueOf(e.ext[start:]).esc {
		nd.flags |= flagValEsc
	}
}
