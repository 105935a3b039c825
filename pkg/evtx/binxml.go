package evtx

import (
	"encoding/binary"
	"fmt"
)

// The tokens of binary XML (MS-EVEN6 section 2.2.12). moreFlag says of an element that it has attributes, and of others that
// more of their kind follow.
const (
	tokenEnd         = 0x00
	tokenOpen        = 0x01
	tokenCloseStart  = 0x02
	tokenCloseEmpty  = 0x03
	tokenCloseTag    = 0x04
	tokenValue       = 0x05
	tokenAttribute   = 0x06
	tokenCDATA       = 0x07
	tokenCharRef     = 0x08
	tokenEntityRef   = 0x09
	tokenPITarget    = 0x0a
	tokenPIData      = 0x0b
	tokenTemplate    = 0x0c
	tokenNormalSub   = 0x0d
	tokenOptionalSub = 0x0e
	tokenFragment    = 0x0f
	moreFlag         = 0x40
)

// AppendJSON appends a record of c as one JSON object. An error says what is wrong with it; nothing was appended then.
func (c *Chunk) AppendJSON(dst []byte, rec Record) ([]byte, error) {
	c.doc.reset()
	p := parser{data: c.data, doc: &c.doc, subs: c.subs[:0], steps: min(maxSteps, c.work)}
	if c.room < 0 {
		return dst, fmt.Errorf("record %d: %w", rec.ID, errSteps)
	}
	before := p.steps
	at := &cursor{b: c.data[:rec.at+len(rec.Raw)-4], at: rec.at + recordHead}
	err := p.content(at, 0, scope{})
	c.subs = p.subs
	c.work -= before - p.steps
	c.room -= len(c.doc.text)
	switch {
	case err == nil && len(c.doc.elems) == 1:
		return dst, fmt.Errorf("record %d: it has no element", rec.ID)
	case err != nil:
		return dst, fmt.Errorf("record %d: %w", rec.ID, err)
	}
	out, err := c.doc.appendJSON(dst)
	c.room -= len(out) - len(dst)
	if err != nil {
		return dst, fmt.Errorf("record %d: %w", rec.ID, err)
	}
	return out, nil
}

// parser makes the document of one record.
type parser struct {
	data  []byte // of the chunk
	doc   *document
	subs  []substitution
	steps int // left
}

// substitution is a value that is put into a template: bytes of the chunk.
type substitution struct {
	kind     byte
	from, to int32
}

// scope is what holds where binary XML stands.
type scope struct {
	template bool // in a definition: elements have a dependency identifier
	from, to int  // in parser.subs: the values that it is filled with
	depth    int
}

// step counts the work, and its depth.
func (p *parser) step(s scope) error {
	p.steps--
	switch {
	case s.depth > maxDepth:
		return errDepth
	case p.steps < 0 || len(p.doc.text) > MaxJSON:
		return errSteps
	}
	return nil
}

// content reads what is in the element parent, up to its closing tag, or the end.
func (p *parser) content(c *cursor, parent int32, s scope) error {
	for c.at < len(c.b) {
		if err := p.step(s); err != nil {
			return err
		}
		var err error
		switch t := c.u8(); t &^ moreFlag {
		case tokenEnd, tokenCloseTag:
			return nil
		case tokenFragment:
			c.take(3)
		case tokenTemplate:
			err = p.template(c, parent, s)
		case tokenOpen:
			err = p.element(c, parent, s, t&moreFlag != 0)
		case tokenPITarget:
			_, err = p.name(c)
		case tokenPIData:
			c.take(2 * int(c.u16()))
		default:
			err = p.text(c, parent, s, t)
		}
		if err == nil && c.short {
			err = errShort
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// element reads an element, whose token was read.
func (p *parser) element(c *cursor, parent int32, s scope, attributes bool) error {
	if s.template {
		c.u16() // which value it depends on: it is told by the substitution itself
	}
	c.u32() // its size
	name, err := p.name(c)
	if err != nil {
		return err
	}
	n := p.doc.add(parent, name)
	if attributes {
		c.u32() // their size
		for c.peek()&^moreFlag == tokenAttribute {
			if err := p.attribute(c, n, s); err != nil {
				return err
			}
		}
	}
	switch t := c.u8(); {
	case c.short:
		return errShort
	case t == tokenCloseEmpty:
		return nil
	case t == tokenCloseStart:
		s.depth++
		return p.content(c, n, s)
	default:
		return fmt.Errorf("token %#x at byte %d of the chunk, where a start tag ends", t, c.at-1)
	}
}

// attribute reads an attribute of the element n. One of an optional value that is not there is none.
func (p *parser) attribute(c *cursor, n int32, s scope) error {
	if err := p.step(s); err != nil {
		return err
	}
	c.u8()
	name, err := p.name(c)
	if err != nil {
		return err
	}
	// Its values are gathered at an element of no parent.
	d := p.doc
	at := int32(len(d.elems))
	d.elems = append(d.elems, element{})
	optional := false
	for !c.short {
		t := c.peek() &^ moreFlag
		if t != tokenValue && t != tokenCharRef && t != tokenEntityRef && t != tokenNormalSub && t != tokenOptionalSub {
			break
		}
		optional = optional || t == tokenOptionalSub
		if err := p.text(c, at, s, c.u8()); err != nil {
			return err
		}
	}
	e := d.elems[at]
	a := attribute{name: name, kind: isString}
	switch {
	case len(d.elems) > int(at)+1:
		return fmt.Errorf("an element within an attribute, before byte %d of the chunk", c.at)
	case e.val == 0 && optional:
		d.elems = d.elems[:at]
		return nil
	case e.val == 0:
		a.val = d.put(`""`)
	case e.val == e.valEnd:
		a.val, a.kind = d.vals[e.val-1].json, d.vals[e.val-1].kind
	default:
		from := len(d.text)
		d.text = d.appendValues(d.text, e.val)
		a.val = d.since(from)
	}
	d.elems = d.elems[:at]
	d.attrs = append(d.attrs, a)
	if d.elems[n].attrs == 0 {
		d.elems[n].attr = int32(len(d.attrs))
	}
	d.elems[n].attrs++
	return nil
}

// text reads what has token t, which was read, and is a piece of the text of n.
func (p *parser) text(c *cursor, n int32, s scope, t byte) error {
	d := p.doc
	switch t &^ moreFlag {
	case tokenValue:
		k := c.u8()
		if k != typeString {
			return fmt.Errorf("a value of type %#x at byte %d of the chunk, where text is expected", k, c.at-1)
		}
		d.addText(n, c.take(2*int(c.u16())))
	case tokenCDATA:
		d.addText(n, c.take(2*int(c.u16())))
	case tokenCharRef:
		d.addText(n, c.take(2))
	case tokenEntityRef:
		name, err := p.name(c)
		if err != nil {
			return err
		}
		d.addEntity(n, name)
	case tokenNormalSub, tokenOptionalSub:
		i := s.from + int(c.u16())
		c.u8() // the type that the template expects; the value has its own
		if i >= s.to {
			return nil // no such value: none
		}
		return p.substitute(p.subs[i], n, s)
	default:
		return fmt.Errorf("unknown token %#x at byte %d of the chunk", t, c.at-1)
	}
	return nil
}

// substitute adds a value to the element n.
func (p *parser) substitute(v substitution, n int32, s scope) error {
	if v.kind == typeBinXML {
		return p.content(&cursor{b: p.data[:v.to], at: int(v.from)}, n, scope{depth: s.depth + 1})
	}
	if v.kind == typeNull {
		return nil
	}
	p.doc.addTyped(n, v.kind, p.data[v.from:v.to])
	return nil
}

// template reads a template's instance: where its definition stands, and the values that fill it.
func (p *parser) template(c *cursor, parent int32, s scope) error {
	c.u8()
	c.u32() // its identifier
	def := int(c.u32())
	if def == c.at {
		// The definition stands here: the chunk's first record that needs it brings it along.
		c.take(20)
		c.take(int(c.u32()))
	}
	count := int(c.u32())
	if c.short || count > len(c.b)/4 {
		return errShort
	}
	inner := scope{template: true, from: len(p.subs), to: len(p.subs) + count, depth: s.depth + 1}
	sizes := c.take(4 * count)
	if c.short {
		return errShort
	}
	for i := range count {
		from := c.at
		if c.take(int(binary.LittleEndian.Uint16(sizes[4*i:]))); c.short {
			return errShort
		}
		p.subs = append(p.subs, substitution{sizes[4*i+2], int32(from), int32(c.at)})
	}
	if p.steps -= count; p.steps < 0 {
		return errSteps
	}
	body := &cursor{b: p.data, at: def + 20}
	end := int(body.u32()) + body.at
	if def < chunkHead || body.short || end > len(p.data) {
		return fmt.Errorf("its template at byte %d is not within the chunk", def)
	}
	body.b = p.data[:end]
	err := p.content(body, parent, inner)
	p.subs = p.subs[:inner.from]
	return err
}

// name reads a name: where it stands in the chunk, and if that is here, the name itself.
func (p *parser) name(c *cursor) (span, error) {
	at := int(c.u32())
	def := &cursor{b: p.data, at: at}
	if at == c.at {
		def = c
	}
	def.take(6) // the next name with this hash, and the hash
	text := def.take(2 * int(def.u16()))
	def.take(2)
	if c.short || def.short {
		return span{}, fmt.Errorf("a name at byte %d is not within the chunk", at)
	}
	from := len(p.doc.text)
	p.doc.text = appendUTF8(p.doc.text, text)
	return p.doc.since(from), nil
}
