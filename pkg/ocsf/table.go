package ocsf

import (
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"leat/pkg/ecs"
	"leat/pkg/yamlfile"
)

//go:embed tables.yaml
var tablesText []byte

// builtin is the embedded table, compiled once: it is never changed after that.
var builtin = sync.OnceValues(func() (*plan, error) { return compile("tables.yaml", tablesText) })

// document is tables.yaml. The parts that read like tables are nodes: their order counts, and every fault has its place.
type document struct {
	Tables  map[string]yaml.Node `yaml:"tables"`
	Objects map[string]yaml.Node `yaml:"objects"`
	Common  yaml.Node            `yaml:"common"`
	Groups  map[string]yaml.Node `yaml:"groups"`
	Actors  map[string]yaml.Node `yaml:"actors"`
	Classes []classDocument      `yaml:"classes"`
}

type classDocument struct {
	Class    yaml.Node `yaml:"class"`
	When     []string  `yaml:"when"`
	Groups   []string  `yaml:"groups"`
	Activity yaml.Node `yaml:"activity"`
	Fields   yaml.Node `yaml:"fields"`
	Actor    yaml.Node `yaml:"actor"`
}

// plan is the compiled table.
type plan struct {
	schema  *schema
	root    level // of the ECS fields that are read
	slots   []*level
	levels  int
	cols    int
	classes []*class
}

// class is one entry of the table.
type class struct {
	object     *object
	when       []condition // any of them
	activities []activity
	root       *node
	profiles   []string
}

// activity says what an event of the class did.
type activity struct {
	when condition // nil = always
	head []byte    // class, category, type and activity as JSON members
	// other: the activity's name is missing in head. It is the event's own word for it.
	other bool
}

// compiler makes the plan, and collects faults instead of stopping at the first.
type compiler struct {
	file   *yamlfile.File
	doc    document
	schema *schema
	plan   *plan
	faults []error
}

func (c *compiler) fault(n *yaml.Node, format string, args ...any) {
	c.faults = append(c.faults, c.file.At(n, format, args...))
}

// compile reads a table. The error joins every fault, each with file, line, column and a caret.
func compile(name string, data []byte) (*plan, error) {
	s, err := published()
	if err != nil {
		return nil, err
	}
	c := &compiler{schema: s, plan: &plan{schema: s}}
	if c.file, err = yamlfile.Decode(name, data, &c.doc); err != nil {
		return nil, err
	}
	for i := range c.doc.Classes {
		c.class(&c.doc.Classes[i])
	}
	if n := len(c.plan.classes); len(c.faults) == 0 && (n == 0 || c.plan.classes[n-1].object.uid != 0 || len(c.plan.classes[n-1].when) > 0) {
		c.faults = append(c.faults, c.file.AtLine(1, 1, "classes: the last one must be base_event without a condition"))
	}
	return c.plan, errors.Join(c.faults...)
}

// entries returns the keys and values of a table in order.
func (c *compiler) entries(n *yaml.Node) (keys, vals []*yaml.Node) {
	if n.Kind == 0 {
		return nil, nil
	}
	if n.Kind != yaml.MappingNode {
		c.fault(n, "expected a table")
		return nil, nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		keys, vals = append(keys, n.Content[i]), append(vals, n.Content[i+1])
	}
	return keys, vals
}

func (c *compiler) class(d *classDocument) {
	o := c.schema.classes[d.Class.Value]
	if o == nil {
		c.fault(&d.Class, "class: the schema's part that was generated has no %q", d.Class.Value)
		return
	}
	k := &class{object: o, root: &node{obj: o, root: true}}
	for _, w := range d.When {
		k.when = append(k.when, c.condition(&d.Class, w))
	}
	c.activities(k, &d.Activity)
	actor := &d.Actor
	if actor.Kind == 0 {
		n := c.doc.Actors["default"]
		actor = &n
	}
	b := rows{c: c, class: k, actor: actor}
	b.table(&c.doc.Common, "", "", true)
	for _, g := range d.Groups {
		n, ok := c.doc.Groups[g]
		if !ok {
			c.fault(&d.Class, "groups: no group %q", g)
		}
		b.table(&n, "", "", true)
	}
	b.table(&d.Fields, "", "", false)
	if len(c.faults) > 0 {
		return // the tree may have holes
	}
	k.root.finish(k)
	c.plan.classes = append(c.plan.classes, k)
}

// activities compiles `condition: caption`.
func (c *compiler) activities(k *class, n *yaml.Node) {
	keys, vals := c.entries(n)
	attr := k.object.byName["activity_id"]
	for i, key := range keys {
		v, ok := attr.find(vals[i].Value)
		if !ok {
			c.fault(vals[i], "activity: %s has no activity %q", k.object.name, vals[i].Value)
			continue
		}
		a := newActivity(k.object, v)
		if key.Value != "else" {
			a.when = c.condition(key, key.Value)
		}
		k.activities = append(k.activities, a)
	}
	k.activities = append(k.activities, newActivity(k.object, enumValue{"0", "Unknown"}))
}

// condition compiles `field=glob|glob & !field`.
func (c *compiler) condition(at *yaml.Node, text string) condition {
	var out condition
	for _, part := range strings.Split(text, " & ") {
		t := test{}
		part, t.not = strings.CutPrefix(strings.TrimSpace(part), "!")
		name, globs, has := strings.Cut(part, "=")
		if has {
			t.globs = strings.Split(strings.ToLower(globs), "|")
		}
		if !c.known(name) {
			c.fault(at, "%q is no field of ECS", name)
		}
		t.slot = c.plan.slot(name)
		out = append(out, t)
	}
	return out
}

// known tells whether name may be a field: what lies outside ECS belongs to a dataset and is free.
func (c *compiler) known(name string) bool {
	if _, ok := ecs.Lookup(name); ok {
		return true
	}
	root, _, _ := strings.Cut(name, ".")
	return !ecs.Root(root) || slices.Contains([]string{"events"}, root)
}

// table looks a value table up.
func (c *compiler) table(at *yaml.Node, name string) *valueTable {
	n, ok := c.doc.Tables[name]
	if !ok {
		c.fault(at, "no table %q", name)
		return nil
	}
	t := &valueTable{exact: map[string][]byte{}}
	keys, vals := c.entries(&n)
	for i, k := range keys {
		if strings.Contains(k.Value, "*") {
			t.globs = append(t.globs, globValue{k.Value, []byte(vals[i].Value)})
		} else {
			t.exact[strings.ToLower(k.Value)] = []byte(vals[i].Value)
		}
	}
	return t
}

// level is an object of the event whose members are read.
type level struct {
	id     int
	parent *level
	slot   int // its own value's, or -1
	kids   map[string]*level
}

// slot returns the number of the field of that name, which it enters among those that are read.
func (p *plan) slot(name string) int {
	at := &p.root
	for _, part := range strings.Split(name, ".") {
		if at.kids == nil {
			at.kids = map[string]*level{}
		}
		k := at.kids[part]
		if k == nil {
			p.levels++
			k = &level{id: p.levels, parent: at, slot: -1}
			at.kids[part] = k
		}
		at = k
	}
	if at.slot < 0 {
		at.slot = len(p.slots)
		p.slots = append(p.slots, at)
	}
	return at.slot
}

func newActivity(o *object, v enumValue) activity {
	id, _ := strconv.Atoi(v.key) // the schema's own number
	head := fmt.Sprintf(`"class_uid":%d,"class_name":%q,"category_uid":%d,"category_name":%q,"activity_id":%d,"type_uid":%d,"type_name":%q,"activity_name":`,
		o.uid, o.caption, o.categoryUID, o.categoryName, id, o.uid*100+id, o.caption+": "+v.caption)
	if v.key == other {
		return activity{head: []byte(head), other: true}
	}
	return activity{head: []byte(head + strconv.Quote(v.caption))}
}

// other is the key of the value of every enum that says: something else, as the caption tells.
const other = "99"
