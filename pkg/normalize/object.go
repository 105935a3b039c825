package normalize

import (
	"bytes"
	"strings"

	"go.yaml.in/yaml/v3"

	"leat/pkg/ecs"
	"leat/pkg/event"
)

// objectSource builds the objects of a field that holds such (ECS types nested and object): one of each element of a list,
// or a single one.
//
//	email.attachments: {each: 'parts[]', file.name: it.filename, file.hash.md5: it.md5}
type objectSource struct {
	each *source // nil: a single object, of the record
	root objectNode
	one  bool // the field holds an object, not a list of them
	all  bool // an object is none without any of its members: half a point lies nowhere
}

// objectNode is a member of the object, or an object of members.
type objectNode struct {
	name    string
	key     []byte // `"name":`
	kids    []*objectNode
	field   ecs.Field // of a member
	sources []*source
}

// maxObjects bounds how many objects one field gets.
const maxObjects = 1000

// object reads a table of the members of a field's objects; in it, `it` is the element of the list that `each` names.
func (c *compiler) object(f ecs.Field, n *yaml.Node) (*source, bool) {
	if f.Type != ecs.Nested && f.Type != ecs.Object && f.Type != ecs.Flattened && f.Type != ecs.GeoPoint {
		c.fault(n, "%s is of type %s; only nested, object and geo_point fields take a table", f.Name, f.Type)
		return nil, false
	}
	o := &objectSource{one: !f.Array, all: f.Type == ecs.GeoPoint}
	faults := len(c.faults)
	keys, vals := c.entries(n, "fields."+f.Name)
	for i, k := range keys {
		if k.Value != "each" {
			continue
		}
		src, err := c.plan.compileSource(vals[i].Value, c.tables)
		if err != nil {
			c.fault(vals[i], "%s.each: %v", f.Name, err)
			continue
		}
		o.each = src
	}
	c.plan.inObject = true
	defer func() { c.plan.inObject = false }()
	for i, k := range keys {
		if k.Value != "each" {
			c.member(o, f, k, vals[i])
		}
	}
	return &source{text: f.Name, slot: -1, object: o}, len(c.faults) == faults
}

// member enters one member of an object; a name that ECS knows below the field has its type, others are text.
func (c *compiler) member(o *objectSource, f ecs.Field, k, v *yaml.Node) {
	name := f.Name + "." + k.Value
	mf, known := ecs.Lookup(name)
	switch {
	case f.Type == ecs.GeoPoint:
		mf = ecs.Field{Name: name, Type: ecs.Float}
	case !known:
		mf = ecs.Field{Name: name, Type: ecs.Keyword}
	}
	at := &o.root
	for part := range strings.SplitSeq(k.Value, ".") {
		if len(at.sources) > 0 {
			c.fault(k, "%s: it lies below a member that has a value", k.Value)
			return
		}
		at = at.kid(part)
	}
	if len(at.kids) > 0 {
		c.fault(k, "%s: there are members below it", k.Value)
		return
	}
	at.field = mf
	for _, s := range c.scalars(v, name) {
		src, err := c.plan.compileSource(s.Value, c.tables)
		if err != nil {
			c.fault(s, "%s: %v", name, err)
			continue
		}
		at.sources = append(at.sources, src)
	}
}

func (n *objectNode) kid(name string) *objectNode {
	for _, k := range n.kids {
		if k.name == name {
			return k
		}
	}
	k := &objectNode{name: name, key: append(event.AppendString(nil, name), ':')}
	n.kids = append(n.kids, k)
	return k
}

// build makes the list of objects, or none where no member of any has a value. What does not fit its type is left out.
func (r *runner) build(o *objectSource) value {
	start := len(r.objects)
	if !o.one {
		r.objects = append(r.objects, '[')
	}
	first := len(r.objects)
	if o.each == nil {
		r.buildOne(o, first)
	} else if v, _ := r.read(o.each); !v.empty() {
		n := 0
		elementsOf(v, func(el value) bool {
			r.item, r.itemAt = el, n
			r.buildOne(o, first)
			n++
			return n < maxObjects && !(o.one && len(r.objects) > first)
		})
		r.item, r.itemAt = value{}, 0
	}
	kind, at := event.Object, len(r.mem)
	found := len(r.objects) > first
	r.mem = append(r.mem, r.objects[start:]...)
	r.objects = r.objects[:start]
	if !found {
		return value{}
	}
	if !o.one {
		kind = event.Array
		r.mem = append(r.mem, ']')
	}
	return value{b: r.mem[at:len(r.mem):len(r.mem)], kind: kind, json: true}
}

func (r *runner) buildOne(o *objectSource, first int) {
	mark := len(r.objects)
	if mark > first {
		r.objects = append(r.objects, ',')
	}
	if !r.buildNode(&o.root, o.all) {
		r.objects = r.objects[:mark]
	}
}

// buildNode appends the object of n's members; false where none has a value, or, if all must be there, where one has none.
func (r *runner) buildNode(n *objectNode, all bool) bool {
	r.objects = append(r.objects, '{')
	first := true
	for _, k := range n.kids {
		mark := len(r.objects)
		if !first {
			r.objects = append(r.objects, ',')
		}
		r.objects = append(r.objects, k.key...)
		if len(k.kids) > 0 && r.buildNode(k, all) || len(k.kids) == 0 && r.buildMember(k) {
			first = false
			continue
		}
		if all {
			return false
		}
		r.objects = r.objects[:mark]
	}
	r.objects = append(r.objects, '}')
	return !first
}

func (r *runner) buildMember(n *objectNode) bool {
	for _, s := range n.sources {
		v, _ := r.read(s)
		if v.empty() {
			continue
		}
		if v.kind == event.Array && n.field.Array {
			r.objects = appendRaw(r.objects, v.b, v.kind)
			return true
		}
		out, ok := r.convert(n.field.Type, v)
		if !ok {
			continue
		}
		if n.field.Type == ecs.Date {
			out = value{b: shortTime(out.b), kind: event.String, json: true}
		}
		if n.field.Array {
			r.objects = append(r.objects, '[')
		}
		r.objects = appendValue(r.objects, out)
		if n.field.Array {
			r.objects = append(r.objects, ']')
		}
		return true
	}
	return false
}

// alternatives returns a source, or a list of them; each is a text, or a table of an object's members.
func (c *compiler) alternatives(n *yaml.Node, what string) []*yaml.Node {
	if n.Kind == yaml.MappingNode {
		return []*yaml.Node{n}
	}
	if n.Kind != yaml.SequenceNode {
		return c.scalars(n, what)
	}
	var out []*yaml.Node
	for _, e := range n.Content {
		switch e.Kind {
		case yaml.MappingNode, yaml.ScalarNode:
			out = append(out, e)
		default:
			c.fault(e, "%s: expected a text or a table, found %s", what, kindOf(e))
		}
	}
	return out
}

// itemValue is the member of the element that an object is built of.
func (r *runner) itemValue(path []string) value {
	if len(path) == 0 {
		return r.item
	}
	if r.item.kind != event.Object {
		return value{}
	}
	e := below(event.ValueOf(r.item.b), path)
	return value{b: e.Raw, kind: e.Kind, json: true}
}

// shortTime is the JSON text of a time without the zeros of its fraction: within a list of objects no column gains by them.
func shortTime(b []byte) []byte {
	end := len(b) - len(`Z"`)
	if i := bytes.LastIndexByte(b, '.'); i > 0 && end > i && len(bytes.Trim(b[i+1:end], "0")) == 0 {
		return append(b[:i], `Z"`...)
	}
	return b
}
