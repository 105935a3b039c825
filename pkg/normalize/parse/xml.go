package parse

import "bytes"

// Bounds of what is read of one XML text; a text beyond them is no record of ours.
const (
	maxXMLDepth    = 32
	maxXMLElements = 2048
)

// XML adds an XML document to the object at parent, under the name of its root element: an element of nothing but text is
// that text, any other an object of its attributes, of its elements and, as #text, of the text among them. The second of
// several elements of one name is called name_2, and so on. Prefixes of namespaces are dropped. Only the five predefined
// entities and character references are decoded; a document type declaration, and with it every other entity, is refused.
// It tells whether s is a well-formed document within the bounds.
func XML(r *Record, parent int32, s []byte) bool {
	x := xmlReader{rest: s}
	root, ok := x.root()
	return ok && x.element(r, parent, root, 0) && x.ended()
}

// element adds the element that t opens, and reads up to its end.
func (x *xmlReader) element(r *Record, parent int32, t xmlToken, depth int) bool {
	if depth > maxXMLDepth || x.elements > 2*maxXMLElements {
		return false
	}
	key := r.freeName(parent, t.name)
	if len(t.attrs) == 0 {
		if text, leaf, ok := x.leaf(r, t); leaf || !ok {
			return ok && r.AddText(parent, key, text) != None
		}
	}
	at := r.AddObject(parent, key)
	if at == None {
		return false
	}
	for attrs := t.attrs; len(bytes.TrimSpace(attrs)) > 0; {
		name, val, rest, ok := attribute(attrs)
		if !ok {
			return false
		}
		if !isNamespace(name) {
			r.AddText(at, r.freeName(at, withoutPrefix(name)), r.unescapeXML(val))
		}
		attrs = rest
	}
	return t.empty || x.content(r, at, t.name, depth)
}

// leaf reads the text of an element that holds nothing else; where it holds more, nothing is read.
func (x *xmlReader) leaf(r *Record, t xmlToken) (text []byte, leaf, ok bool) {
	if t.empty {
		return nil, true, true
	}
	before := *x
	c := x.next()
	if c.kind == xmlText {
		text = r.textXML(c)
		c = x.next()
	}
	if c.kind == xmlClose {
		return text, true, bytes.Equal(c.name, t.name)
	}
	*x = before
	return nil, false, c.kind != xmlBad && c.kind != xmlEnd
}

// content adds what stands in the element at, up to its closing tag.
func (x *xmlReader) content(r *Record, at int32, name []byte, depth int) bool {
	for {
		switch t := x.next(); t.kind {
		case xmlOpen:
			if !x.element(r, at, t, depth+1) {
				return false
			}
		case xmlClose:
			return bytes.Equal(t.name, name)
		case xmlText:
			if len(bytes.TrimSpace(t.text)) > 0 {
				r.AddText(at, r.freeName(at, keyXMLText), r.textXML(t))
			}
		default:
			return false
		}
	}
}

// freeName returns name, or name_N where the object at parent has N-1 members of that name.
func (r *Record) freeName(parent int32, name []byte) []byte {
	n := 1
	for i := r.Child(parent); i >= 0; i = r.Cells[i].Next {
		if k := r.Cells[i].Key; bytes.HasPrefix(k, name) && (len(k) == len(name) || k[len(name)] == '_' && number(k[len(name)+1:]) > 1) {
			n++
		}
	}
	if n == 1 {
		return name
	}
	return r.Memory(func(dst []byte) []byte { return appendInt(append(append(dst, name...), '_'), n) })
}
