package normalize

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"leat/pkg/ecs"
	"leat/pkg/event"
	"leat/pkg/normalize/parse"
)

// rule writes one field from the first of its sources that has a value.
type rule struct {
	leaf    int
	field   ecs.Field
	textual bool // any text fits it
	soft    bool // a value that does not fit is no fault: the next source, or nothing
	sources []*source
}

func newRule(leaf int, f ecs.Field, soft bool) rule {
	return rule{leaf: leaf, field: f, textual: f.Type.Textual(), soft: soft}
}

// action sets a field to a constant, or to a source.
type action struct {
	leaf   int
	consts []value
	rule   *rule
}

// branch is one switch.
type branch struct {
	on     []*source      // the first that has a value
	exact  map[string]int // text -> case
	globs  []globCase
	cases  [][]action
	absent []action
	other  []action
}

type globCase struct {
	glob string
	n    int
}

// timing says where the event's time stands.
type timing struct {
	sources []*source
	layouts []string
	zone    *source
}

// field finds the field of a key such as source.ip or source.ip?, and its leaf.
func (c *compiler) field(n *yaml.Node) (f ecs.Field, leaf int, soft, ok bool) {
	name, soft := strings.CutSuffix(n.Value, "?")
	f, known := ecs.Lookup(name)
	if !known && !c.plan.keeps(name) {
		hint := ""
		if near := ecs.Nearest(name); near != "" {
			hint = "; did you mean " + near + "?"
		}
		c.fault(n, "%q is no field of ECS %s%s (what ECS has no place for stays under keep)", name, ecs.Version, hint)
		return f, 0, soft, false
	}
	if !known {
		f = ecs.Field{Name: name, Type: ecs.Keyword}
	}
	leaf, err := c.plan.leaf(name)
	if err != nil {
		c.fault(n, "%v", err)
		return f, 0, soft, false
	}
	return f, leaf, soft, true
}

// fields reads the table of ECS names and sources.
func (c *compiler) fields(n *yaml.Node) {
	keys, vals := c.entries(n, "fields")
	for i, k := range keys {
		f, leaf, soft, ok := c.field(k)
		if !ok {
			continue
		}
		r := newRule(leaf, f, soft)
		for _, s := range c.alternatives(vals[i], "fields."+k.Value) {
			if s.Kind == yaml.MappingNode {
				if src, ok := c.object(f, s); ok {
					r.sources = append(r.sources, src)
				}
				continue
			}
			src, err := c.plan.compileSource(s.Value, c.tables)
			if err != nil {
				c.fault(s, "%s: %v", k.Value, err)
				continue
			}
			r.sources = append(r.sources, src)
		}
		c.plan.replaceRule(r)
	}
}

// actions reads a table of constants; a value that begins with $ is a source ($$ for a dollar).
func (c *compiler) actions(n *yaml.Node, what string) []action {
	var out []action
	keys, vals := c.entries(n, what)
	for i, k := range keys {
		f, leaf, soft, ok := c.field(k)
		if !ok {
			continue
		}
		a := action{leaf: leaf}
		for _, s := range c.scalars(vals[i], what+"."+k.Value) {
			if src, ok := strings.CutPrefix(s.Value, "$"); ok && !strings.HasPrefix(src, "$") {
				compiled, err := c.plan.compileSource(src, c.tables)
				if err != nil {
					c.fault(s, "%s: %v", k.Value, err)
					continue
				}
				if a.rule == nil {
					r := newRule(leaf, f, soft)
					a.rule = &r
				}
				a.rule.sources = append(a.rule.sources, compiled)
				continue
			}
			if v, ok := c.constant(f, s); ok {
				a.consts = append(a.consts, v)
			}
		}
		if len(a.consts) > 1 && !f.Array {
			c.fault(vals[i], "%s holds one value, not a list", f.Name)
		}
		out = append(out, a)
	}
	return out
}

// constant checks a constant against the field's type and allowed values.
func (c *compiler) constant(f ecs.Field, n *yaml.Node) (value, bool) {
	s := strings.TrimPrefix(n.Value, "$")
	if !f.Allows(s) {
		c.fault(n, "%s may not be %q; expected one of %s", f.Name, s, strings.Join(f.Values, ", "))
		return value{}, false
	}
	r := runner{plan: c.plan}
	v, ok := r.convert(f.Type, text([]byte(s)))
	if !ok {
		c.fault(n, "%s is of type %s; %q does not fit", f.Name, f.Type, s)
		return value{}, false
	}
	if !v.json {
		v = value{b: event.AppendString(nil, v.b), kind: event.String, json: true}
	}
	return v, true
}

// switches reads the list of switches.
func (c *compiler) switches(n *yaml.Node) {
	if n.Kind == 0 {
		return
	}
	if n.Kind != yaml.SequenceNode {
		c.fault(n, "switch: expected a list, found %s", kindOf(n))
		return
	}
	for _, e := range n.Content {
		b := branch{exact: map[string]int{}}
		keys, vals := c.entries(e, "switch")
		for i, k := range keys {
			switch v := vals[i]; k.Value {
			case "on":
				for _, o := range c.scalars(v, "on") {
					src, err := c.plan.compileSource(o.Value, c.tables)
					if err != nil {
						c.fault(o, "on: %v", err)
					}
					b.on = append(b.on, src)
				}
			case "cases":
				c.cases(&b, v)
			case "absent":
				b.absent = c.actions(v, "absent")
			case "else":
				b.other = c.actions(v, "else")
			default:
				c.fault(k, "switch: unknown key %q; expected on, cases, absent, else", k.Value)
			}
		}
		if b.on == nil {
			c.fault(e, "switch: the key on (what to look at) is missing")
			continue
		}
		c.plan.branches = append(c.plan.branches, b)
	}
}

// cases reads {glob glob ...: actions}; a glob with spaces stands in single quotes.
func (c *compiler) cases(b *branch, n *yaml.Node) {
	keys, vals := c.entries(n, "cases")
	for i, k := range keys {
		num := len(b.cases)
		b.cases = append(b.cases, c.actions(vals[i], "cases"))
		for _, g := range globWords(k.Value) {
			if strings.ContainsAny(g, "*?") {
				b.globs = append(b.globs, globCase{g, num})
			} else if _, twice := b.exact[g]; twice {
				c.fault(k, "cases: %q is there twice", g)
			} else {
				b.exact[g] = num
			}
		}
	}
}

func globWords(s string) []string {
	var out []string
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		if s[0] == '\'' {
			if end := strings.IndexByte(s[1:], '\''); end >= 0 {
				out = append(out, s[1:1+end])
				s = s[end+2:]
				continue
			}
		}
		w, rest, _ := strings.Cut(s, " ")
		out = append(out, w)
		s = rest
	}
	return out
}

// time reads `time: source`, a list of them, or {field:, layout:, zone:}.
func (c *compiler) time(n *yaml.Node) {
	if n.Kind == 0 {
		return
	}
	t := &timing{}
	from := n
	if n.Kind == yaml.MappingNode {
		from = &yaml.Node{}
		keys, vals := c.entries(n, "time")
		for i, k := range keys {
			switch k.Value {
			case "field":
				from = vals[i]
			case "layout":
				for _, l := range c.scalars(vals[i], "time.layout") {
					if err := parse.CheckLayout(l.Value); err != nil {
						c.fault(l, "%v", err)
					}
					t.layouts = append(t.layouts, l.Value)
				}
			case "zone":
				src, err := c.plan.compileSource(vals[i].Value, c.tables)
				if err != nil {
					c.fault(vals[i], "time.zone: %v", err)
				}
				t.zone = src
			default:
				c.fault(k, "time: unknown key %q; expected field, layout, zone", k.Value)
			}
		}
	}
	for _, s := range c.scalars(from, "time") {
		src, err := c.plan.compileSource(s.Value, c.tables)
		if err != nil {
			c.fault(s, "time: %v", err)
			continue
		}
		t.sources = append(t.sources, src)
	}
	c.plan.timing = t
}

// keep reads `keep: path`, or {under: path, used: true} to keep also what fields took.
func (c *compiler) keep(n *yaml.Node) {
	if n.Kind == 0 {
		return
	}
	under, used := n, false
	if n.Kind == yaml.MappingNode {
		keys, vals := c.entries(n, "keep")
		for i, k := range keys {
			switch k.Value {
			case "under":
				under = vals[i]
			case "used":
				used = vals[i].Value == "true"
			default:
				c.fault(k, "keep: unknown key %q; expected under, used", k.Value)
			}
		}
	}
	if _, err := event.ParsePath(under.Value); err != nil || under.Kind != yaml.ScalarNode {
		c.fault(n, "keep: expected the name of the object that takes what has no place in ECS, such as aws.cloudtrail")
		return
	}
	if _, taken := ecs.Lookup(under.Value); taken {
		c.fault(under, "keep: %q is a field of ECS; choose the dataset's own name", under.Value)
		return
	}
	c.plan.keepPath, c.plan.keepUsed = under.Value, used
}

// lines reads the line patterns: name: pattern, or name: [pattern, ...].
func (c *compiler) lines(n *yaml.Node) {
	keys, vals := c.entries(n, "lines")
	for i, k := range keys {
		for _, s := range c.scalars(vals[i], "lines."+k.Value) {
			if p, ok := c.pattern(s, "lines."+k.Value, parse.CompilePattern); ok {
				c.plan.lines = append(c.plan.lines, linePattern{name: []byte(k.Value), p: p})
			}
		}
	}
}

// TypeError says that a value does not fit its field.
type TypeError struct {
	Mapping string
	Field   string
	Want    string // the type
	Value   string // the beginning of what was found
}

func (e *TypeError) Error() string {
	return fmt.Sprintf("mapping %s: %s wants %s, found %q", e.Mapping, e.Field, e.Want, e.Value)
}

func wrongType(p *plan, f ecs.Field, got []byte) error {
	return &TypeError{p.name, f.Name, string(f.Type), string(got[:min(len(got), 120)])}
}
