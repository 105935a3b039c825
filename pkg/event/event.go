package event

// Event is one JSON object. The zero Event is empty; Reset gives it a line. It is not safe for concurrent use.
type Event struct {
	line  []byte // as it came; not owned
	ext   []byte // what was added; owned
	nodes []node // tape; empty until parsed
	marks []byte // memory of a scan
	after []*Event

	record []byte // raw record that is not in the line yet; nil: none
	hole   int    // its place in the line
	whole  []byte // memory of the line with the record in it

	parsed  bool
	dropped bool
	failed  bool
}

// Reset makes e the event on line, which must stay unchanged as long as e is used. Nothing is parsed yet.
func (e *Event) Reset(line []byte) {
	e.line = line
	e.ext = e.ext[:0]
	e.nodes = e.nodes[:0]
	e.after = e.after[:0]
	e.record = nil
	e.parsed, e.dropped, e.failed = false, false, false
}

// Replace gives e another line and forgets what was read or edited; what was added behind e stays.
func (e *Event) Replace(line []byte) {
	e.line = line
	e.ext = e.ext[:0]
	e.nodes = e.nodes[:0]
	e.record = nil
	e.parsed = false
}

// Line returns the bytes that e was reset to, without any edit.
func (e *Event) Line() []byte {
	e.Whole()
	return e.line
}

// Parse checks the line and builds the tape, once. Methods that read or edit call it themselves: of a line that is no JSON
// object every field is Missing, and editing it fails. The error is a *SyntaxError.
func (e *Event) Parse() error {
	if e.parsed {
		return nil
	}
	e.Whole()
	return e.scan()
}

// scan builds the tape of the line as it is.
func (e *Event) scan() error {
	nodes, err := scan(e.line, e.nodes[:0], 0, &e.marks)
	e.nodes = nodes
	if err != nil {
		e.nodes = e.nodes[:0]
		return err
	}
	e.parsed = true
	return nil
}

// Drop takes e out of the stream.
func (e *Event) Drop() { e.dropped = true }

// Dropped tells whether Drop was called.
func (e *Event) Dropped() bool { return e.dropped }

// Failed tells whether e is a pipeline_error made by Fail in this process.
func (e *Event) Failed() bool { return e.failed }

func (e *Event) span(a, b uint32) []byte {
	if a&inExt != 0 {
		return e.ext[a&^inExt : b&^inExt]
	}
	return e.line[a:b]
}

func (e *Event) keyIs(n *node, name string) bool {
	if n.flags&(flagKeyEsc|flagGone) != 0 {
		if n.flags&flagGone != 0 {
			return false
		}
		return string(AppendUnquoted(nil, e.span(n.key0, n.key1))) == name
	}
	return int(n.key1-n.key0) == len(name) && string(e.span(n.key0, n.key1)) == name
}

// Node is a place on the event's tape; None where there is nothing. Nodes are good until the next edit.
type Node int32

// None is no place.
const None Node = -1

// Root is the event's own object; None where the line is none.
func (e *Event) Root() Node {
	if !e.parsed && e.Parse() != nil {
		return None
	}
	return 0
}

// First returns the first member of the object at n, or None.
func (e *Event) First(n Node) Node { return e.live(e.nodes[n].child) }

// Next returns the member behind n in the same object, or None.
func (e *Event) Next(n Node) Node { return e.live(e.nodes[n].next) }

func (e *Event) live(i int32) Node {
	for i >= 0 && e.nodes[i].flags&flagGone != 0 {
		i = e.nodes[i].next
	}
	return Node(i)
}

// Key returns the name of the member at n; it allocates only where the key has escapes.
func (e *Event) Key(n Node) []byte {
	nd := &e.nodes[n]
	if nd.flags&flagKeyEsc != 0 {
		return AppendUnquoted(nil, e.span(nd.key0, nd.key1))
	}
	return e.span(nd.key0, nd.key1)
}

// RawKey returns the name of the member at n as it stands between its quotes, escapes and all.
func (e *Event) RawKey(n Node) []byte { return e.span(e.nodes[n].key0, e.nodes[n].key1) }

// KindAt returns the kind of the value at n.
func (e *Event) KindAt(n Node) Kind { return e.nodes[n].kind }

// ValueAt returns the value of the member at n. The text of an object that was edited is written anew (allocates).
func (e *Event) ValueAt(n Node) Value {
	nd := &e.nodes[n]
	if nd.flags&flagDirty != 0 {
		return Value{Raw: e.appendObject(nil, int32(n)), Kind: Object}
	}
	return Value{Raw: e.span(nd.val0, nd.val1), Kind: nd.kind, esc: nd.flags&flagValEsc != 0}
}

// Member reads the member at n at once: RawKey, ValueAt and Next.
func (e *Event) Member(n Node) (key []byte, val Value, next Node) {
	nd := &e.nodes[n]
	if next = Node(nd.next); next >= 0 && e.nodes[next].flags&flagGone != 0 {
		next = e.live(int32(next))
	}
	if nd.flags&(flagDirty|flagMoved) != 0 {
		return e.RawKey(n), e.ValueAt(n), next
	}
	val = Value{Raw: e.line[nd.val0:nd.val1], Kind: nd.kind, esc: nd.flags&flagValEsc != 0}
	return e.line[nd.key0:nd.key1], val, next
}

// Find returns the first member of that name in the object at n, or None.
func (e *Event) Find(n Node, name string) Node {
	for i := e.nodes[n].child; i >= 0; i = e.nodes[i].next {
		if e.keyIs(&e.nodes[i], name) {
			return Node(i)
		}
	}
	return None
}

// Lookup returns the place that p names, or None.
func (e *Event) Lookup(p Path) Node {
	n := e.Root()
	for _, k := range p.keys {
		if n == None {
			return None
		}
		n = e.Find(n, k)
	}
	return n
}

// Get returns the value that p names; it is Missing where there is none.
func (e *Event) Get(p Path) Value {
	n := e.Lookup(p)
	if n == None {
		return Value{}
	}
	return e.ValueAt(n)
}

// Append appends the event as one JSON object, without a line feed. What was not edited is copied as it came.
func (e *Event) Append(dst []byte) []byte {
	if e.record != nil {
		return e.appendWhole(dst)
	}
	if !e.parsed || e.nodes[0].flags&flagDirty == 0 {
		return append(dst, e.line...)
	}
	return e.appendObject(dst, 0)
}

// appendObject writes an edited object. Untouched neighbours of the line are copied in one piece, commas and all.
func (e *Event) appendObject(dst []byte, n int32) []byte {
	dst = append(dst, '{')
	first := true
	for i := e.nodes[n].child; i >= 0; {
		nd := &e.nodes[i]
		if nd.flags&flagGone != 0 {
			i = nd.next
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		if nd.flags&(flagDirty|flagMoved) != 0 {
			dst = append(dst, '"')
			dst = append(dst, e.span(nd.key0, nd.key1)...)
			dst = append(dst, '"', ':')
			if nd.flags&flagDirty != 0 {
				dst = e.appendObject(dst, i)
			} else {
				dst = append(dst, e.span(nd.val0, nd.val1)...)
			}
			i = nd.next
			continue
		}
		end, next := nd.val1, nd.next
		for next >= 0 && e.nodes[next].flags&(flagDirty|flagMoved|flagGone) == 0 {
			end, next = e.nodes[next].val1, e.nodes[next].next
		}
		dst = append(dst, e.line[nd.key0-1:end]...)
		i = next
	}
	return append(dst, '}')
}
