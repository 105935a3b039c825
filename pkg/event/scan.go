package event

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"slices"
	"unicode/utf8"
)

// MaxDepth is how many levels of objects and arrays a line may have.
const MaxDepth = 256

// maxSize keeps offsets below the bit that marks the extension buffer.
const maxSize = 1<<31 - 1

// SyntaxError says where a line stops being one JSON object.
type SyntaxError struct {
	Offset int    // byte offset in the line, from 0
	Reason string // what was found or expected
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("not a JSON object: %s at byte %d", e.Reason, e.Offset)
}

// node is one object member on the tape; node 0 is the event itself. Offsets with the bit inExt set are in Event.ext.
type node struct {
	key0, key1 uint32 // the key's text, between its quotes
	val0, val1 uint32 // the value's text
	next       int32  // next member of the same object, or -1
	child      int32  // an object's first member, or -1
	last       int32  // an object's last member, or -1
	kind       Kind
	flags      uint8
}

const (
	flagKeyEsc uint8 = 1 << iota // the key has escapes
	flagValEsc                   // the string value has escapes
	flagDirty                    // this object, or one below it, was edited
	flagGone                     // deleted
	flagMoved                    // not where the line has it
)

const inExt uint32 = 1 << 31

// scanner makes the tape of one JSON object in one pass that also checks it.
type scanner struct {
	s     []byte
	nodes []node
	marks []byte // of s (see mark)
	base  uint32
	fault SyntaxError

	wrapped bool   // the text of event.original is wanted (unwrap.go)
	text    []byte // that text, decoded
	member  int32  // its node; 0 = none
}

func (p *scanner) fail(i int, reason string) int {
	p.fault = SyntaxError{Offset: i, Reason: reason}
	return -1
}

// scan appends the tape of s to nodes: the object's own node first. base is added to every offset. memory is for the scan alone.
func scan(s []byte, nodes []node, base uint32, memory *[]byte) ([]node, error) {
	if len(s) > maxSize {
		return nodes, &SyntaxError{Offset: maxSize, Reason: "longer than 2 GiB"}
	}
	p := scanner{s: s, nodes: nodes, base: base, marks: *memory}
	err := p.line()
	*memory = p.marks
	if err != nil {
		return nodes, err
	}
	return p.nodes, nil
}

// line scans all of s.
func (p *scanner) line() error {
	s := p.s
	i := skipSpace(s, 0)
	if i == len(s) || s[i] != '{' {
		return &SyntaxError{Offset: i, Reason: "no '{'"}
	}
	var high bool
	p.marks, high = mark(p.marks, s)
	root := int32(len(p.nodes))
	p.nodes = append(p.nodes, node{next: -1, child: -1, last: -1, kind: Object, val0: p.base + uint32(i)})
	end := p.object(i, root, 1)
	if end < 0 {
		f := p.fault
		return &f
	}
	p.nodes[root].val1 = p.base + uint32(end)
	if i = skipSpace(s, end); i != len(s) {
		return &SyntaxError{Offset: i, Reason: "text after the object"}
	}
	if high && !utf8.Valid(s) {
		return &SyntaxError{Offset: firstInvalid(s), Reason: "not UTF-8"}
	}
	return nil
}

func firstInvalid(s []byte) int {
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRune(s[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(s)
}

// object reads the object at s[i] == '{' into children of node n; it returns the offset behind '}' or -1.
func (p *scanner) object(i int, n int32, depth int) int {
	if depth > MaxDepth {
		return p.fail(i, "too deep")
	}
	s := p.s
	i = skipSpace(s, i+1)
	if i < len(s) && s[i] == '}' {
		return i + 1
	}
	prev := int32(-1)
	for {
		if i >= len(s) || s[i] != '"' {
			return p.fail(i, "no field name")
		}
		k0 := i + 1
		end, esc := p.quick(k0), false
		if end < 0 {
			if end, esc = p.str(k0); end < 0 {
				return -1
			}
		}
		if i = end + 1; i < len(s) && s[i] != ':' {
			i = skipSpace(s, i)
		}
		if i >= len(s) || s[i] != ':' {
			return p.fail(i, "no ':'")
		}
		if i++; i < len(s) && s[i] <= ' ' {
			i = skipSpace(s, i)
		}
		m := int32(len(p.nodes))
		nd := p.node()
		// Field by field: a composite would be put together in narrow stores and copied in wide loads, for which the processor waits.
		nd.key0, nd.key1 = p.base+uint32(k0), p.base+uint32(end)
		nd.val0, nd.val1 = p.base+uint32(i), 0
		nd.next, nd.child, nd.last = -1, -1, -1
		nd.kind, nd.flags = Missing, 0
		if esc {
			nd.flags = flagKeyEsc
		}
		if prev < 0 {
			p.nodes[n].child = m
		} else {
			p.nodes[prev].next = m
		}
		prev = m
		switch {
		case p.wrapped && depth == 2 && p.isOriginal(i, n, s[k0:end]):
			i = p.original(i, m)
		case i < len(s) && s[i] == '"':
			if q := p.quick(i + 1); q >= 0 {
				i, nd.kind = q+1, String
				break
			}
			fallthrough
		default:
			i = p.value(i, m, depth)
		}
		if i < 0 {
			return -1
		}
		p.nodes[m].val1 = p.base + uint32(i)
		if i < len(s) && s[i] <= ' ' {
			i = skipSpace(s, i)
		}
		if i >= len(s) {
			return p.fail(i, "ends within an object")
		}
		if s[i] == '}' {
			p.nodes[n].last = m
			return i + 1
		}
		if s[i] != ',' {
			return p.fail(i, "no ',' or '}'")
		}
		i++
		if i < len(s) && s[i] != '"' {
			i = skipSpace(s, i)
		}
	}
}

// node adds one to the tape.
func (p *scanner) node() *node {
	if len(p.nodes) == cap(p.nodes) {
		p.nodes = slices.Grow(p.nodes, len(p.nodes)/2+16)
	}
	p.nodes = p.nodes[:len(p.nodes)+1]
	return &p.nodes[len(p.nodes)-1]
}

// quick is str for a short string without escapes; it is -1 for others.
func (p *scanner) quick(i int) int {
	m := binary.LittleEndian.Uint64(p.marks[i>>3:]) >> (i & 7)
	end := i + bits.TrailingZeros64(m)
	if m != 0 && p.s[end] == '"' {
		return end
	}
	return -1
}

// value checks the value at s[i]; m is its node, or -1 within an array, where no tape is kept.
func (p *scanner) value(i int, m int32, depth int) int {
	s := p.s
	if i >= len(s) {
		return p.fail(i, "no value")
	}
	kind, end := Missing, -1
	switch c := s[i]; c {
	case '"':
		q, esc := p.str(i + 1)
		if q < 0 {
			return -1
		}
		kind, end = String, q+1
		if esc && m >= 0 {
			p.nodes[m].flags |= flagValEsc
		}
	case '{':
		kind = Object
		if m >= 0 {
			end = p.object(i, m, depth+1)
		} else {
			end = p.looseObject(i, depth+1)
		}
	case '[':
		kind, end = Array, p.array(i, depth+1)
	case 't':
		kind, end = True, p.word(i, "true")
	case 'f':
		kind, end = False, p.word(i, "false")
	case 'n':
		kind, end = Null, p.word(i, "null")
	default:
		kind, end = Number, p.number(i)
	}
	if m >= 0 && end >= 0 {
		p.nodes[m].kind = kind
	}
	return end
}

// next returns the offset of the first mark from i <= len(s) on, or len(s).
func (p *scanner) next(i int) int { return nextMark(p.marks, i, len(p.s)) }

// str returns the offset of the quote that ends the string whose text begins at s[i], and whether it has escapes.
func (p *scanner) str(i int) (end int, esc bool) {
	for {
		i = p.next(i)
		if i >= len(p.s) {
			return p.fail(i, "ends within a string"), esc
		}
		switch c := p.s[i]; {
		case c == '"':
			return i, esc
		case c < 0x20:
			return p.fail(i, "control character in a string"), esc
		}
		esc = true
		n := 2
		if i+1 >= len(p.s) || p.s[i+1] != '"' {
			if n = p.escape(i); n < 0 {
				return -1, esc
			}
		}
		i += n
	}
}

// escape checks the escape at s[i] and returns its length.
func (p *scanner) escape(i int) int {
	s := p.s
	if i+1 >= len(s) {
		return p.fail(i, "ends within a string")
	}
	switch s[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if _, ok := hex4(s[i:]); !ok {
			return p.fail(i, `bad \u escape`)
		}
		return 6
	}
	return p.fail(i, "bad escape")
}
