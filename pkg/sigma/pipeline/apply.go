package pipeline

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Apply changes a rule or filter, a YAML table, in place. The error says why a pipeline refuses the rule. names tells what a field
// of the rule is called behind the pipelines, for who speaks of it elsewhere: a correlation's own keys are not changed, for it can
// group events of rules to which different pipelines apply.
func (c Chain) Apply(doc *yaml.Node) (names func(field string) []string, err error) {
	a := &application{
		doc: doc, state: map[string]string{}, done: map[string]bool{},
		items: map[*yaml.Node]map[string]bool{}, listed: map[string]map[string]bool{}, mapped: map[string]bool{},
	}
	if budget := maxNodes; endless(doc, nil, &budget) {
		return nil, errors.New("the rule holds itself by an alias, or unfolds to more than a rule can be")
	}
	for _, p := range c {
		a.pipe = p
		for _, s := range p.items {
			if err := a.apply(s); err != nil {
				return nil, fmt.Errorf("pipeline %s: %w", p.Name, err)
			}
		}
	}
	if len(a.renamings) == 0 {
		return nil, nil
	}
	return a.names, nil
}

// maxNodes bounds what a rule unfolds to.
const maxNodes = 1_000_000

// endless tells whether n holds an alias of what it lies within, or more nodes than budget.
func endless(n *yaml.Node, within []*yaml.Node, budget *int) bool {
	n = target(n)
	if *budget--; *budget < 0 || slices.Contains(within, n) {
		return true
	}
	if len(n.Content) == 0 {
		return false
	}
	within = append(within, n)
	return slices.ContainsFunc(n.Content, func(e *yaml.Node) bool { return endless(e, within, budget) })
}

// application is one rule on its way through pipelines.
type application struct {
	pipe   *Pipeline
	doc    *yaml.Node
	state  map[string]string
	done   map[string]bool                // ids of the transformations that were applied
	items  map[*yaml.Node]map[string]bool // likewise, by the values of a detection item
	listed map[string]map[string]bool     // likewise, by the name in the rule's list of fields
	mapped map[string]bool                // fields that were renamed, and what they became
	// renamings are the transformations that rename fields and were applied, with the state at that time.
	renamings []renaming
	added     int
}

// pair is a detection item: a field with its modifiers, and its values.
type pair struct {
	field, mods string // mods with their leading |
	value       *yaml.Node
	key         *yaml.Node // as it was read, for its place in the file
}

func (p *pair) has(mod string) bool { return slices.Contains(strings.Split(p.mods, "|"), mod) }

// searches is the section that holds the searches: detection of a rule, filter of a filter.
func (a *application) searches() *yaml.Node {
	for _, name := range []string{"detection", "filter"} {
		if n := member(a.doc, name); n != nil && n.Kind == yaml.MappingNode {
			return n
		}
	}
	return nil
}

// apply applies a transformation if its rule conditions hold.
func (a *application) apply(s *step) error {
	if !s.rule.holds(a.ruleHolds) {
		return nil
	}
	var err error
	switch s.kind {
	case "set_state":
		a.state[s.Key] = s.Val.Value
	case "rule_failure":
		return fmt.Errorf("%s", s.Message)
	case "change_logsource":
		a.changeSource(s)
	case "add_condition":
		err = a.addCondition(s)
	case "add_field", "remove_field", "set_field":
		a.fieldList(s)
	case "set_custom_attribute":
		setMember(a.doc, s.Attribute, &s.Value)
	case "nest":
		for _, n := range s.nested {
			if err = a.apply(n); err != nil {
				break
			}
		}
	case "strict_field_mapping_failure":
		err = a.strict()
	default:
		err = a.detections(s)
		a.renameFields(s)
	}
	if err == nil && s.id != "" {
		a.done[s.id] = true
	}
	return err
}

// detections changes the detection items.
func (a *application) detections(s *step) error {
	sect := a.searches()
	if sect == nil {
		return nil
	}
	for i := 0; i+1 < len(sect.Content); i += 2 {
		name := sect.Content[i]
		if notSearches[name.Value] {
			continue
		}
		n, err := a.search(s, target(sect.Content[i+1]))
		if err != nil {
			return err
		}
		if n == nil {
			return fmt.Errorf("nothing is left of the search %s", name.Value)
		}
		sect.Content[i+1] = n
	}
	return nil
}

// notSearches are the keys beside the searches.
var notSearches = map[string]bool{"condition": true, "timeframe": true, "rules": true}

// search changes what one search holds; nil is nothing left.
func (a *application) search(s *step, n *yaml.Node) (*yaml.Node, error) {
	switch n.Kind {
	case yaml.MappingNode:
		return a.table(s, n)
	case yaml.SequenceNode:
		out := &yaml.Node{Kind: yaml.SequenceNode, Line: n.Line, Column: n.Column}
		for _, e := range n.Content {
			e = target(e)
			if e.Kind == yaml.ScalarNode {
				e = a.keyword(s, e)
			}
			changed, err := a.search(s, e)
			switch {
			case err != nil:
				return nil, err
			case changed == nil:
			case changed.Kind == yaml.SequenceNode: // alternatives of one table
				out.Content = append(out.Content, changed.Content...)
			default:
				out.Content = append(out.Content, changed)
			}
		}
		if len(out.Content) == 0 {
			return nil, nil
		}
		return out, nil
	}
	return n, nil
}

// keyword changes a text that is looked for anywhere.
func (a *application) keyword(s *step, n *yaml.Node) *yaml.Node {
	p := &pair{value: n}
	if !s.field.holds(func(c *condition) bool { return a.fieldHolds(c, "", n) }) || !s.item.holds(func(c *condition) bool { return a.itemHolds(c, p) }) {
		return n
	}
	switch s.kind {
	case "replace_string", "map_string", "case":
		if alts, err := a.change(s, p); err == nil && len(alts) == 1 && len(alts[0]) == 1 && alts[0][0].value.Kind == yaml.ScalarNode {
			return alts[0][0].value
		}
	}
	return n
}

// maxAlternatives bounds the tables that one table becomes.
const maxAlternatives = 1024

// table changes a table of items, all of which must hold. Where an item becomes several of which one is enough, the table
// becomes a list of tables.
func (a *application) table(s *step, n *yaml.Node) (*yaml.Node, error) {
	tables := [][]pair{nil}
	for i := 0; i+1 < len(n.Content); i += 2 {
		field, mods, _ := strings.Cut(n.Content[i].Value, "|")
		p := pair{field: field, value: target(n.Content[i+1]), key: n.Content[i]}
		if mods != "" {
			p.mods = "|" + mods
		}
		alts := [][]pair{{p}}
		if s.field.holds(func(c *condition) bool { return a.fieldHolds(c, p.field, p.value) }) &&
			s.item.holds(func(c *condition) bool { return a.itemHolds(c, &p) }) {
			var err error
			if alts, err = a.change(s, &p); err != nil {
				return nil, err
			}
			if s.concernsField(p.field) {
				a.note(s, alts)
			}
		}
		if len(tables)*len(alts) > maxAlternatives {
			return nil, fmt.Errorf("more than %d alternatives of one search", maxAlternatives)
		}
		var next [][]pair
		for _, t := range tables {
			for _, alt := range alts {
				next = append(next, append(t[:len(t):len(t)], alt...))
			}
		}
		tables = next
	}
	out := &yaml.Node{Kind: yaml.SequenceNode, Line: n.Line, Column: n.Column}
	for _, t := range tables {
		if len(t) == 0 {
			continue
		}
		made, err := a.tablesOf(t, n)
		if err != nil {
			return nil, err
		}
		if out.Content = append(out.Content, made...); len(out.Content) > maxAlternatives {
			return nil, fmt.Errorf("more than %d alternatives of one search", maxAlternatives)
		}
	}
	switch len(out.Content) {
	case 0:
		return nil, nil
	case 1:
		return out.Content[0], nil
	}
	return out, nil
}

// note remembers that s was applied to the items.
func (a *application) note(s *step, alts [][]pair) {
	if s.id == "" {
		return
	}
	for _, alt := range alts {
		for _, p := range alt {
			if a.items[p.value] == nil {
				a.items[p.value] = map[string]bool{}
			}
			a.items[p.value][s.id] = true
		}
	}
}

// keyAt returns where in m's content key is, or -1.
func keyAt(m *yaml.Node, key string) int {
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == key {
			return i
		}
	}
	return -1
}

func setMember(n *yaml.Node, key string, v *yaml.Node) {
	if i := keyAt(n, key); i >= 0 {
		n.Content[i+1] = v
		return
	}
	n.Content = append(n.Content, text(key, n), v)
}

// text makes a text that stands where at stands.
func text(s string, at *yaml.Node) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s, Line: at.Line, Column: at.Column}
}
