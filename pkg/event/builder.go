package event

import "bytes"

// Builder writes a line, and the tape that Parse would make of it, in one go: who reads the event next in this process need not
// scan the line again. Members are written in their order; the caller sees to it that keys and values are valid JSON. An
// object in which nothing is written leaves no trace.
//
//	w.Begin(b.Begin(1024), b.Reread)
//	w.Open(key)
//	w.Key(key, String)
//	w.Line = AppendString(w.Line, "x")
//	w.Done()
//	w.Close()
//	w.End(e, b)
//
// Keys are JSON text with quotes and colon: `"name":`.
type Builder struct {
	Line  []byte // so far; only to append a value's text to, between Key and Done
	tape  bool
	nodes []node
	marks []byte // memory of a scan
	open  []frame
	begun int // how many of open are in the line; the others wait for a member
}

// frame is an object that is being written.
type frame struct {
	key  []byte
	node int32 // its own, where a tape is made
	last int32 // its newest member's
	some bool  // it has members
}

// Begin starts a line at dst, which must be empty (Batch.Begin). tape says whether the tape is wanted.
func (w *Builder) Begin(dst []byte, tape bool) {
	w.Line, w.tape = append(dst, '{'), tape
	w.nodes = append(w.nodes[:0], node{next: -1, child: -1, last: -1, kind: Object})
	w.open = append(w.open[:0], frame{last: -1})
	w.begun = 1
}

// Open begins an object. key must stay as it is until a member is written or Close is called.
func (w *Builder) Open(key []byte) { w.open = append(w.open, frame{key: key, last: -1}) }

// Close ends the object that was opened last. It tells whether something was in it.
func (w *Builder) Close() bool {
	n := len(w.open) - 1
	f := &w.open[n]
	w.open = w.open[:n]
	if w.begun <= n {
		return false
	}
	w.begun = n
	w.Line = append(w.Line, '}')
	if w.tape {
		w.nodes[f.node].val1, w.nodes[f.node].last = uint32(len(w.Line)), f.last
	}
	return true
}

// Key begins a member with a value of that kind, whose text the caller appends to Line. Done ends it.
func (w *Builder) Key(key []byte, kind Kind) {
	if w.begun < len(w.open) {
		w.start()
	}
	w.member(&w.open[w.begun-1], key, kind)
}

// start puts the objects that wait for a member into the line.
func (w *Builder) start() {
	for ; w.begun < len(w.open); w.begun++ {
		f := &w.open[w.begun]
		w.member(&w.open[w.begun-1], f.key, Object)
		f.node = int32(len(w.nodes)) - 1
		w.Line = append(w.Line, '{')
	}
}

func (w *Builder) member(f *frame, key []byte, kind Kind) {
	line := w.Line
	if f.some {
		line = append(line, ',')
	}
	f.some = true
	at := len(line)
	w.Line = append(line, key...)
	if w.tape {
		w.note(f, kind, at, len(w.Line))
	}
}

// Value writes a member: text as it is, which is JSON of that kind, or quoted as a string.
func (w *Builder) Value(key, text []byte, kind Kind, quote bool) {
	if w.begun < len(w.open) {
		w.start()
	}
	f := &w.open[w.begun-1]
	// One copy of the slice, for the many short appends.
	line := w.Line
	if f.some {
		line = append(line, ',')
	}
	f.some = true
	at := len(line)
	line = append(line, key...)
	val := len(line)
	if quote {
		line, kind = appendString(line, text), String
	} else {
		line = append(line, text...)
	}
	w.Line = line
	if w.tape {
		w.note(f, kind, at, val)
		w.Done()
	}
}

// note enters the member whose key stands in the line from at to val, where its value begins.
func (w *Builder) note(f *frame, kind Kind, at, val int) {
	n := int32(len(w.nodes))
	w.nodes = append(w.nodes, node{
		key0: uint32(at) + 1, key1: uint32(val) - 2, val0: uint32(val),
		next: -1, child: -1, last: -1, kind: kind,
	})
	if bytes.IndexByte(w.Line[at:val], '\\') >= 0 {
		w.nodes[n].flags = flagKeyEsc
	}
	w.link(f, n)
}

func (w *Builder) link(f *frame, n int32) {
	if f.last < 0 {
		w.nodes[f.node].child = n
	} else {
		w.nodes[f.last].next = n
	}
	f.last = n
}

// Done ends the member that Key began.
func (w *Builder) Done() {
	if !w.tape {
		return
	}
	nd := &w.nodes[len(w.nodes)-1]
	nd.val1 = uint32(len(w.Line))
	switch nd.kind {
	case String:
		if bytes.IndexByte(w.Line[nd.val0:], '\\') >= 0 {
			nd.flags |= flagValEsc
		}
	case Object:
		w.rescan(int32(len(w.nodes)) - 1)
	}
}

// rescan makes the tape of an object whose text was appended as a whole.
func (w *Builder) rescan(n int32) {
	nd := &w.nodes[n]
	first := len(w.nodes)
	nodes, err := scan(w.Line[nd.val0:nd.val1], w.nodes, nd.val0, &w.marks)
	if err != nil {
		return // not JSON: the caller's fault; it reads as an object without members
	}
	// The text's own node takes the place of the member's.
	w.nodes = nodes
	w.nodes[n].child, w.nodes[n].last = nodes[first].child, nodes[first].last
}

// Copy appends members of e that stand in its line one behind the other, from the one at first to the one at last, as they are.
// It returns false, and appends nothing, where e was edited there.
func (w *Builder) Copy(e *Event, first, last Node) bool {
	text := e.members(first, last)
	if text == nil {
		return false
	}
	w.start()
	f := &w.open[len(w.open)-1]
	if f.some {
		w.Line = append(w.Line, ',')
	}
	f.some = true
	shift := uint32(len(w.Line)) - (e.nodes[first].key0 - 1)
	w.Line = append(w.Line, text...)
	if !w.tape {
		return true
	}
	end := int32(last)
	for e.nodes[end].child >= 0 {
		end = e.nodes[end].last
	}
	// Members and all below them lie one behind the other on the tape too.
	at := len(w.nodes)
	move := int32(at) - int32(first)
	w.nodes = append(w.nodes, e.nodes[first:end+1]...)
	for i := at; i < len(w.nodes); i++ {
		nd := &w.nodes[i]
		nd.key0, nd.key1, nd.val0, nd.val1 = nd.key0+shift, nd.key1+shift, nd.val0+shift, nd.val1+shift
		if nd.next >= 0 {
			nd.next += move
		}
		if nd.child >= 0 {
			nd.child, nd.last = nd.child+move, nd.last+move
		}
	}
	w.nodes[int32(last)+move].next = -1
	w.link(f, int32(at))
	f.last = int32(last) + move
	return true
}

// AppendMembers appends the text of the members of e from the one at first to the one at last, which stand in its line one behind the
// other. ok is false, and nothing appended, where e was edited there.
func (e *Event) AppendMembers(dst []byte, first, last Node) (out []byte, ok bool) {
	text := e.members(first, last)
	return append(dst, text...), text != nil
}

// members is the text of those from first to last as the line has it, or nil where they were edited.
func (e *Event) members(first, last Node) []byte {
	for i := int32(first); ; i = e.nodes[i].next {
		if i < 0 || e.nodes[i].flags&(flagDirty|flagMoved|flagGone) != 0 || e.nodes[i].key0&inExt != 0 {
			return nil
		}
		if i == int32(last) {
			return e.line[e.nodes[first].key0-1 : e.nodes[last].val1]
		}
	}
}

// End ends the line, in the memory of b, and makes it e's.
func (w *Builder) End(e *Event, b *Batch) {
	w.Line = append(w.Line, '}')
	line := b.End(w.Line)
	e.Replace(line)
	if w.tape {
		w.nodes[0].val1, w.nodes[0].last = uint32(len(line)), w.open[0].last
		e.nodes, w.nodes = w.nodes, e.nodes
		e.parsed = true
	}
}
