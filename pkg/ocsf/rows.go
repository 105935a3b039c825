package ocsf

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"leat/pkg/event"
)

// node is a member of the output: an object, a list of objects, or a value.
type node struct {
	name     string
	key      []byte // `"name":`
	attr     *attribute
	obj      *object // an object's, or a list's element's
	root     bool
	kids     []*node    // of an object
	elements []*element // of a list of objects
	leaf     *leaf      // of a value

	required         []int // kids without which the object is not written
	atLeast, justOne []int // constraints of the schema, as kids
	bound            bool  // constraints there are, though no kid of them may be
	profile          int   // 1 + number of the profile that brings the attribute, or 0
	needs            int   // 1 + the kid that the profile requires, or 0
}

// element is an element of a list: one, or one for each value of a list.
type element struct {
	key  string
	each bool
	node *node
}

// leaf is a value's rule.
type leaf struct {
	kind    kind
	sources []*source
	attr    *attribute
	sibling []byte // `"name":` of the caption beside an enum
	def     []byte // what stands there where there is no value, as JSON; nil = nothing
	defName string // its caption
}

// source is where a value comes from.
type source struct {
	slot    int // -1: a constant
	text    string
	each    bool
	col     int // where each: of the split list
	member  string
	fn      string
	table   *valueTable
	members map[string]bool // where each and member: those that some row of the element reads
}

// rows adds the rows of tables to a class.
type rows struct {
	c     *compiler
	class *class
	actor *yaml.Node
}

// table adds a table's rows below the OCSF object at, for the ECS object from. Where lax is set, what the class does not have is
// left out, and so is what ECS does not have below from.
func (b *rows) table(n *yaml.Node, at, from string, lax bool) {
	keys, vals := b.c.entries(n)
	for i, k := range keys {
		path := join(at, k.Value)
		if k.Value == "." {
			path = at
		}
		b.row(k, vals[i], path, from, lax)
	}
}

func join(a, b string) string {
	if a == "" || b == "" || b == "." {
		return a + strings.TrimPrefix(b, ".")
	}
	return a + "." + b
}

func (b *rows) row(k, v *yaml.Node, path, from string, lax bool) {
	specs := []*yaml.Node{v}
	if v.Kind == yaml.SequenceNode {
		specs = v.Content
	}
	var sources []*source
	for _, s := range specs {
		if name, arg, ok := strings.Cut(s.Value, "("); ok && strings.HasSuffix(arg, ")") && !strings.HasPrefix(name, "=") {
			b.template(s, name, path, join(from, strings.TrimSuffix(arg, ")")), lax)
			continue
		}
		if src := b.source(s, from, lax); src != nil {
			sources = append(sources, src)
		}
	}
	if len(sources) > 0 {
		b.insert(k, path, sources, lax)
	}
}

// template adds the rows of an object's table. One that ECS knows nothing of, such as process.parent.parent, adds none.
func (b *rows) template(s *yaml.Node, name, path, from string, lax bool) {
	t, ok := b.c.doc.Objects[name]
	if name == "actor" {
		t, ok = *b.actor, true
		if from != "" {
			path, from = join(path, from), ""
		}
	}
	if !ok {
		b.c.fault(s, "no object %q", name)
		return
	}
	if from != "" && !strings.Contains(strings.TrimPrefix(from, "process.parent"), "parent") || from == "" {
		b.table(&t, path, from, from != "" || lax)
	}
}

func (b *rows) source(s *yaml.Node, from string, lax bool) *source {
	if text, ok := strings.CutPrefix(s.Value, "="); ok {
		return &source{slot: -1, text: text}
	}
	parts := strings.Split(s.Value, "|")
	name := strings.TrimSpace(parts[0])
	out := &source{}
	if list, member, ok := strings.Cut(name, "[]."); ok {
		name, out.member = list, member
	}
	full := join(from, name)
	if !b.c.known(full) {
		if !lax {
			b.c.fault(s, "%q is no field of ECS", full)
		}
		return nil
	}
	out.slot, out.text = b.c.plan.slot(full), full
	for _, p := range parts[1:] {
		fn, arg, _ := strings.Cut(strings.TrimSpace(p), " ")
		out.fn = fn
		switch fn {
		case "map":
			out.table = b.c.table(s, arg)
		case "ms", "basename", "upper", "version":
		default:
			b.c.fault(s, "no function %q; expected map, ms, basename, upper, version", fn)
		}
	}
	return out
}

// insert puts a row in its place in the class's tree, over one that is there.
func (b *rows) insert(k *yaml.Node, path string, sources []*source, lax bool) {
	at := b.class.root
	each := false
	parts := strings.Split(path, ".")
	for i, part := range parts {
		name, sel, isElement := strings.Cut(part, "[")
		a := at.obj.byName[name]
		if a == nil {
			if !lax {
				b.c.fault(k, "%s has no attribute %q", at.obj.name, name)
			}
			return
		}
		kid := at.kid(name, a)
		if i == len(parts)-1 {
			b.leaf(k, kid, a, sources, each)
			return
		}
		if kid.obj = b.c.schema.objects[a.object]; kid.obj == nil {
			b.c.fault(k, "%q is no object", name)
			return
		}
		if a.array {
			if !isElement {
				b.c.fault(k, "%q is a list: write %s[key] or %s[*]", name, name, name)
				return
			}
			el := kid.element(strings.TrimSuffix(sel, "]"))
			each = each || el.each
			kid = el.node
			kid.obj = b.c.schema.objects[a.object]
		}
		at = kid
	}
}

func (n *node) kid(name string, a *attribute) *node {
	for _, k := range n.kids {
		if k.name == name {
			return k
		}
	}
	k := &node{name: name, key: append(event.AppendString(nil, name), ':'), attr: a}
	n.kids = append(n.kids, k)
	return k
}

func (n *node) element(key string) *element {
	for _, e := range n.elements {
		if e.key == key {
			return e
		}
	}
	e := &element{key: key, each: strings.HasSuffix(key, "*"), node: &node{}}
	n.elements = append(n.elements, e)
	return e
}

func (b *rows) leaf(k *yaml.Node, n *node, a *attribute, sources []*source, each bool) {
	if a.object != "" {
		b.c.fault(k, "%q is an object: name its members", a.name)
		return
	}
	l := &leaf{kind: kindOf(b.c.schema, a), attr: a, sources: sources}
	for _, s := range sources {
		switch {
		case s.slot >= 0:
			if each {
				s.each, s.col = true, b.c.plan.cols
				b.c.plan.cols++
			}
		case l.kind == kindEnum:
			v, ok := a.find(s.text)
			if !ok {
				b.c.fault(k, "%s has no value %q", a.name, s.text)
			}
			s.text = v.key
		}
	}
	n.leaf = l
	if l.kind == kindEnum && a.sibling != "" {
		l.sibling = append(event.AppendString(nil, a.sibling), ':')
	}
}
