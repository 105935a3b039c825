package evtx

import (
	"bytes"
	"errors"
	"fmt"

	"leat/pkg/event"
)

// MaxJSON bounds what one record may become, in bytes: a template can repeat a large value.
const MaxJSON = 8 << 20

// Bounds on the work for one record, and for all records of a chunk: many small ones can use one large template.
const (
	maxDepth      = 64      // of elements and templates within each other
	maxSteps      = 1 << 16 // tokens, those of templates each time they are used
	maxChunkSteps = 1 << 20
	maxChunkJSON  = 64 << 20
)

var (
	errShort = errors.New("the record ends too early")
	errDepth = fmt.Errorf("more than %d elements and templates within each other", maxDepth)
	errSteps = errors.New("its templates make it too long")
)

// span is a part of document.text.
type span struct{ from, to int32 }

// document is a record's XML as a tree. Its memory is used again for the next record.
type document struct {
	elems []element
	attrs []attribute
	vals  []value
	text  []byte
	limit int // of the JSON
}

// element is an XML element. Numbers are indices in document; 0 = none, for the element at 0 is the document.
type element struct {
	name        span // UTF-8
	child, last int32
	next        int32
	attr        int32 // its first attribute + 1
	attrs       int32 // how many
	val, valEnd int32 // its first and last value + 1
}

type attribute struct {
	name span
	val  span // JSON
	kind kind
}

// value is a piece of an element's text.
type value struct {
	json span
	kind kind
	next int32 // + 1
}

// kind says what a JSON text is.
type kind uint8

const (
	isNull kind = iota
	isString
	isOther // a number, a boolean or an array
)

func (d *document) reset() {
	d.elems = append(d.elems[:0], element{})
	d.attrs, d.vals, d.text = d.attrs[:0], d.vals[:0], d.text[:0]
}

func (d *document) bytes(s span) []byte { return d.text[s.from:s.to] }

// add makes a child of parent.
func (d *document) add(parent int32, name span) int32 {
	n := int32(len(d.elems))
	d.elems = append(d.elems, element{name: name})
	p := &d.elems[parent]
	if p.last == 0 {
		p.child = n
	} else {
		d.elems[p.last].next = n
	}
	p.last = n
	return n
}

// addValue adds a piece of text to an element.
func (d *document) addValue(n int32, json span, k kind) {
	d.vals = append(d.vals, value{json: json, kind: k})
	v := int32(len(d.vals))
	e := &d.elems[n]
	if e.valEnd == 0 {
		e.val = v
	} else {
		d.vals[e.valEnd-1].next = v
	}
	e.valEnd = v
}

// appendJSON writes the document.
func (d *document) appendJSON(dst []byte) ([]byte, error) {
	d.limit = len(dst) + MaxJSON
	dst = d.appendMembers(append(dst, '{'), 0, true)
	if len(dst) > d.limit {
		return dst, errSteps
	}
	return append(dst, '}'), nil
}

// appendElement writes the value of an element.
func (d *document) appendElement(dst []byte, n int32) []byte {
	if len(dst) > d.limit {
		return dst
	}
	e := &d.elems[n]
	attrs := d.attributes(e)
	if len(attrs) == 0 && e.child == 0 {
		return d.appendText(dst, e)
	}
	dst = append(dst, '{')
	first := true
	if len(attrs) > 0 {
		dst = append(dst, `"#attributes":{`...)
		for i, a := range attrs {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(event.AppendString(dst, d.bytes(a.name)), ':')
			dst = append(dst, d.bytes(a.val)...)
		}
		dst, first = append(dst, '}'), false
	}
	if e.val > 0 && (e.child == 0 || e.val != e.valEnd || d.vals[e.val-1].kind != isNull) {
		if !first {
			dst = append(dst, ',')
		}
		dst, first = d.appendText(append(dst, `"#text":`...), e), false
	}
	return append(d.appendMembers(dst, n, first), '}')
}

// attributes are those of e that do not name it.
func (d *document) attributes(e *element) []attribute {
	if e.attrs == 0 {
		return nil
	}
	attrs := d.attrs[e.attr-1 : e.attr-1+e.attrs]
	if len(attrs) == 1 && d.named(e) {
		return nil
	}
	return attrs
}

// named tells whether e is <Data Name="…">.
func (d *document) named(e *element) bool {
	if e.attrs != 1 || string(d.bytes(e.name)) != "Data" {
		return false
	}
	a := d.attrs[e.attr-1]
	return a.kind == isString && string(d.bytes(a.name)) == "Name" && a.val.to-a.val.from > 2
}

// appendKey writes the JSON string that names e among its siblings.
func (d *document) appendKey(dst []byte, e *element) []byte {
	if d.named(e) {
		return append(dst, d.bytes(d.attrs[e.attr-1].val)...)
	}
	return event.AppendString(dst, d.bytes(e.name))
}

// appendMembers writes the children of n, those with one name as an array.
func (d *document) appendMembers(dst []byte, n int32, first bool) []byte {
	groups := d.group(n)
	for c := d.elems[n].child; c != 0; c = d.elems[c].next {
		same, leads := groups[c]
		if !leads && groups != nil {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(d.appendKey(dst, &d.elems[c]), ':')
		if len(same) < 2 {
			dst = d.appendElement(dst, c)
			continue
		}
		for i, s := range same {
			dst = d.appendElement(append(dst, "[,"[min(i, 1)]), s)
		}
		dst = append(dst, ']')
	}
	return dst
}

// group returns the children of n by the first of each name; nil where no name occurs twice.
func (d *document) group(n int32) map[int32][]int32 {
	const few = 24
	count, twice := 0, false
	var seen [few]int32
	for c := d.elems[n].child; c != 0 && !twice; c = d.elems[c].next {
		if count == few {
			twice = true // too many to compare each with each; a map finds out
			break
		}
		for _, s := range seen[:count] {
			twice = twice || d.sameKey(s, c)
		}
		seen[count] = c
		count++
	}
	if !twice {
		return nil
	}
	leads := map[string]int32{}
	groups := map[int32][]int32{}
	var key []byte
	for c := d.elems[n].child; c != 0; c = d.elems[c].next {
		key = d.appendKey(key[:0], &d.elems[c])
		lead, ok := leads[string(key)]
		if !ok {
			lead = c
			leads[string(key)] = c
		}
		groups[lead] = append(groups[lead], c)
	}
	return groups
}

func (d *document) sameKey(a, b int32) bool {
	x, y := &d.elems[a], &d.elems[b]
	switch nx, ny := d.named(x), d.named(y); {
	case nx != ny:
		return false // but for a Data that is named Data: both are told, one after the other
	case nx:
		return bytes.Equal(d.bytes(d.attrs[x.attr-1].val), d.bytes(d.attrs[y.attr-1].val))
	}
	return bytes.Equal(d.bytes(x.name), d.bytes(y.name))
}

// appendText writes the text of an element: one value as what it is, several as one string.
func (d *document) appendText(dst []byte, e *element) []byte {
	if e.val == 0 {
		return append(dst, "null"...)
	}
	return d.appendValues(dst, e.val)
}

// appendValues writes the values from number v on as one.
func (d *document) appendValues(dst []byte, v int32) []byte {
	if d.vals[v-1].next == 0 {
		return append(dst, d.bytes(d.vals[v-1].json)...)
	}
	dst = append(dst, '"')
	for ; v != 0; v = d.vals[v-1].next {
		if len(dst) > MaxJSON {
			break
		}
		switch p := d.vals[v-1]; p.kind {
		case isString:
			dst = append(dst, d.text[p.json.from+1:p.json.to-1]...)
		case isOther:
			dst = appendQuoted(dst, d.bytes(p.json))
		}
	}
	return append(dst, '"')
}

// appendQuoted writes a JSON text as a part of a string.
func appendQuoted(dst, json []byte) []byte {
	n := len(dst)
	dst = event.AppendString(dst, json)
	copy(dst[n:], dst[n+1:])
	return dst[:len(dst)-2]
}
