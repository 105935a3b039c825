package normalize

import (
	"path"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"leat/pkg/ecs"
	"leat/pkg/event"
	"leat/pkg/normalize/parse"
)

// copies are the fields that a record has under their ECS names already, as Elastic's shippers write them: they go where no
// other source of the mapping gave a value.
type copies struct {
	from     *source // the object that has them; nil: the record
	prefix   string  // its path and a dot
	patterns []string
	rules    []rule
}

// ownFields are never copied: they are ours to set.
var ownFields = []string{"@timestamp", "ecs.version", "event.dataset", "event.id", "event.ingested", "event.original"}

// ecsFields reads `ecs: {from: object, fields: [process.*, ...]}`, or only the list; a * stands for one part of a name.
func (c *compiler) ecsFields(n *yaml.Node) {
	if n.Kind == 0 {
		return
	}
	cp := &copies{}
	list := n
	if n.Kind == yaml.MappingNode {
		list = &yaml.Node{}
		keys, vals := c.entries(n, "ecs")
		for i, k := range keys {
			switch k.Value {
			case "from":
				src, err := c.plan.compileSource(vals[i].Value, c.tables)
				if err != nil || src.slot < 0 || len(src.picks)+len(src.calls) > 0 {
					c.fault(vals[i], "ecs.from: expected the path of an object of the record")
					continue
				}
				cp.from, cp.prefix = src, vals[i].Value+"."
			case "fields":
				list = vals[i]
			default:
				c.fault(k, "ecs: unknown key %q; expected from, fields", k.Value)
			}
		}
	}
	names := ecs.Names()
	for _, p := range c.scalars(list, "ecs.fields") {
		if !slices.ContainsFunc(names, func(name string) bool { return matchName(p.Value, name) }) {
			c.fault(p, "ecs: no field of ECS %s is called %q", ecs.Version, p.Value)
		}
		cp.patterns = append(cp.patterns, p.Value)
	}
	c.plan.copies = cp
}

func matchName(pattern, name string) bool {
	if strings.Count(pattern, ".") != strings.Count(name, ".") {
		return false
	}
	ok, err := path.Match(strings.ReplaceAll(pattern, ".", "/"), strings.ReplaceAll(name, ".", "/"))
	return ok && err == nil
}

// finishCopies makes the rules once the mapping's other fields are known.
func (c *compiler) finishCopies() error {
	cp := c.plan.copies
	if cp == nil {
		return nil
	}
	for _, name := range ecs.Names() {
		if slices.Contains(ownFields, name) || strings.HasPrefix(name, "related.") ||
			!slices.ContainsFunc(cp.patterns, func(p string) bool { return matchName(p, name) }) {
			continue
		}
		f, _ := ecs.Lookup(name)
		leaf, err := c.plan.leaf(name)
		if err != nil {
			continue // the mapping has a field above or below it
		}
		src, err := c.plan.compileSource(cp.prefix+name, c.tables)
		if err != nil {
			return err
		}
		r := newRule(leaf, f, true)
		r.sources = []*source{src}
		cp.rules = append(cp.rules, r)
	}
	return nil
}

// copy sets the fields that are still empty.
func (r *runner) copy(cp *copies) error {
	if cp.from != nil && r.cells[cp.from.slot] == parse.None {
		return nil
	}
	for i := range cp.rules {
		u := &cp.rules[i]
		if r.has(u.leaf) || r.cells[u.sources[0].slot] == parse.None {
			continue
		}
		if err := r.rule(u); err != nil {
			return err
		}
		if len(u.field.Values) > 0 {
			r.onlyAllowed(u)
		}
	}
	return nil
}

// onlyAllowed drops the values that ECS does not have for the field.
func (r *runner) onlyAllowed(u *rule) {
	before := len(r.leaves[u.leaf])
	r.leaves[u.leaf] = slices.DeleteFunc(r.leaves[u.leaf], func(v value) bool {
		return v.kind != event.String || !u.field.Allows(string(r.textOf(v)))
	})
	if len(r.leaves[u.leaf]) < before {
		r.rec.Cells[r.cells[u.sources[0].slot]].Used = false
	}
}
