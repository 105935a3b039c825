package pipeline

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// rename gives an item the names that its field gets, and fields that its values refer to theirs.
func (a *application) rename(s *step, p *pair) (alts [][]pair) {
	names, known := s.renamed(p.field)
	if known {
		a.mapped[p.field] = true
	}
	for _, name := range names {
		a.mapped[name] = a.mapped[name] || known
		q := *p
		q.field = name
		if p.has("fieldref") {
			q.value = a.references(s, p.value)
		}
		alts = append(alts, []pair{q})
	}
	return alts
}

// references renames the fields that are an item's values.
func (a *application) references(s *step, n *yaml.Node) *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode, Line: n.Line, Column: n.Column}
	for _, v := range valuesOf(n) {
		names := []string{v.Value}
		if s.field.holds(func(c *condition) bool { return a.fieldHolds(c, v.Value, nil) }) {
			names, _ = s.renamed(v.Value)
		}
		for _, name := range names {
			list.Content = append(list.Content, text(name, v))
		}
	}
	if len(list.Content) == 1 && n.Kind == yaml.ScalarNode {
		return list.Content[0]
	}
	return list
}

// renaming is a transformation that renames fields, as it was applied.
type renaming struct {
	*step
	state map[string]string
}

// names tells what a field is called behind all renamings: where one makes several names of it, any of them.
func (a *application) names(field string) []string {
	list := []string{field}
	applied := map[string]map[string]bool{field: {}}
	for _, s := range a.renamings {
		var next []string
		at := application{state: s.state, listed: applied}
		for _, name := range list {
			if !s.field.holds(func(c *condition) bool { return at.fieldHolds(c, name, nil) }) {
				next = append(next, name)
				continue
			}
			names, known := s.renamed(name)
			for _, n := range names {
				was := maps.Clone(applied[name])
				was[s.id] = was[s.id] || known
				applied[n] = was
			}
			next = append(next, names...)
		}
		list = next[:min(len(next), maxAlternatives)]
	}
	return list
}

// strict refuses a rule with a field that no transformation renamed.
func (a *application) strict() error {
	var missing []string
	a.anyItem(func(p *pair) bool {
		if p.field != "" && !a.mapped[p.field] && !slices.Contains(missing, p.field) {
			missing = append(missing, p.field)
		}
		return false
	})
	if len(missing) == 0 {
		return nil
	}
	slices.Sort(missing)
	return fmt.Errorf("no mapping for the fields %s", strings.Join(missing, ", "))
}

// concernsField tells whether s does anything to an item of that field: one that does not rename it was not applied to it.
func (s *step) concernsField(field string) bool {
	if !strings.HasPrefix(s.kind, "field_name_") {
		return true
	}
	_, known := s.renamed(field)
	return known
}

// renamed returns the names that a field gets. known is false where it keeps its own because s does not know it.
func (s *step) renamed(field string) (names []string, known bool) {
	if field == "" {
		return []string{""}, false
	}
	switch s.kind {
	case "field_name_mapping":
		if names := s.names[field]; names != nil {
			return names, true
		}
	case "field_name_prefix_mapping":
		for _, prefix := range slices.Sorted(maps.Keys(s.names)) {
			if rest, ok := strings.CutPrefix(field, prefix); ok {
				var out []string
				for _, p := range s.names[prefix] {
					out = append(out, p+rest)
				}
				return out, true
			}
		}
	case "field_name_prefix":
		return []string{s.Prefix + field}, true
	case "field_name_suffix":
		return []string{field + s.Suffix}, true
	}
	return []string{field}, false
}

// renameFields gives the rule's list of fields the names that they have now.
func (a *application) renameFields(s *step) {
	if strings.HasPrefix(s.kind, "field_name_") {
		a.renamings = append(a.renamings, renaming{s, maps.Clone(a.state)})
	}
	list := member(a.doc, "fields")
	if list == nil || list.Kind != yaml.SequenceNode || !strings.HasPrefix(s.kind, "field_name_") {
		return
	}
	var out []*yaml.Node
	for _, e := range list.Content {
		if !s.field.holds(func(c *condition) bool { return a.fieldHolds(c, e.Value, nil) }) {
			out = append(out, e)
			continue
		}
		names, known := s.renamed(e.Value)
		for _, name := range names {
			out = append(out, text(name, e))
			if !known {
				continue
			}
			if a.listed[name] == nil {
				a.listed[name] = map[string]bool{}
			}
			a.listed[name][s.id] = true
		}
	}
	list.Content = out
}
