package pipeline

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// ruleHolds tells whether a condition on the whole rule holds.
func (a *application) ruleHolds(c *condition) bool {
	switch c.kind {
	case "logsource":
		src := member(a.doc, "logsource")
		for _, part := range []struct{ name, want string }{{"product", c.Product}, {"category", c.Category}, {"service", c.Service}} {
			if part.want == "" {
				continue
			}
			if v := member(src, part.name); v == nil || !strings.EqualFold(v.Value, part.want) {
				return false
			}
		}
		return true
	case "contains_detection_item", "contains_field":
		return a.anyItem(func(p *pair) bool {
			return p.field == c.Field && (c.kind == "contains_field" ||
				slices.ContainsFunc(valuesOf(p.value), func(v *yaml.Node) bool { return v.Value == c.Value.Value }))
		})
	case "is_sigma_rule":
		return member(a.doc, "detection") != nil
	case "is_sigma_correlation_rule":
		return member(a.doc, "correlation") != nil
	case "rule_attribute":
		v := member(a.doc, c.Attr)
		return v != nil && v.Kind == yaml.ScalarNode && compare(c.Attr, v.Value, c.Op, valuesOf(&c.Value))
	case "tag":
		return slices.ContainsFunc(valuesOf(member(a.doc, "tags")), func(v *yaml.Node) bool { return strings.EqualFold(v.Value, c.Tag) })
	case "processing_item_applied":
		return a.done[c.Step]
	}
	return a.stateHolds(c)
}

func (a *application) stateHolds(c *condition) bool {
	v, ok := a.state[c.Key]
	return ok && compare("", v, c.Op, valuesOf(&c.Val))
}

// ranks gives the words of levels and states an order.
var ranks = map[string][]string{
	"level":  {"informational", "low", "medium", "high", "critical"},
	"status": {"unsupported", "deprecated", "experimental", "test", "stable"},
}

// compare compares the value of an attribute with what a condition wants.
func compare(attribute, have, op string, want []*yaml.Node) bool {
	is := slices.ContainsFunc(want, func(w *yaml.Node) bool { return w.Value == have })
	switch op {
	case "", "eq", "in":
		return is
	case "ne", "not_in":
		return !is
	}
	if len(want) != 1 {
		return false
	}
	order := strings.Compare(have, want[0].Value) // dates are written so that this is their order
	if words := ranks[attribute]; words != nil {
		order = slices.Index(words, have) - slices.Index(words, want[0].Value)
	}
	switch op {
	case "gte":
		return order >= 0
	case "gt":
		return order > 0
	case "lte":
		return order <= 0
	}
	return order < 0
}

// anyItem tells whether test is true of any item of the rule.
func (a *application) anyItem(test func(*pair) bool) bool {
	var in func(n *yaml.Node) bool
	in = func(n *yaml.Node) bool {
		n = target(n)
		switch n.Kind {
		case yaml.SequenceNode:
			return slices.ContainsFunc(n.Content, in)
		case yaml.MappingNode:
			for i := 0; i+1 < len(n.Content); i += 2 {
				field, _, _ := strings.Cut(n.Content[i].Value, "|")
				if test(&pair{field: field, value: target(n.Content[i+1])}) {
					return true
				}
			}
		}
		return false
	}
	sect := a.searches()
	if sect == nil {
		return false
	}
	for i := 0; i+1 < len(sect.Content); i += 2 {
		if !notSearches[sect.Content[i].Value] && in(sect.Content[i+1]) {
			return true
		}
	}
	return false
}

// itemHolds tells whether a condition on a detection item holds.
func (a *application) itemHolds(c *condition, p *pair) bool {
	switch c.kind {
	case "processing_item_applied":
		return a.items[p.value][c.Step]
	case "processing_state":
		return a.stateHolds(c)
	}
	test := func(v *yaml.Node) bool {
		switch c.kind {
		case "match_string":
			return v.Tag == "!!str" && c.pattern[0].MatchString(p.withWildcards(v.Value)) != c.Negate
		case "match_value":
			return v.Value == c.Value.Value
		case "contains_wildcard":
			return len(splitWildcards(v.Value)) > 1 || p.has("contains") || p.has("startswith") || p.has("endswith")
		}
		return v.Tag == "!!null"
	}
	vals := valuesOf(p.value)
	if c.Cond == "all" {
		return len(vals) > 0 && !slices.ContainsFunc(vals, func(v *yaml.Node) bool { return !test(v) })
	}
	return slices.ContainsFunc(vals, test)
}

// fieldHolds tells whether a condition on a field's name holds; value is that of its item, if it stands in one.
func (a *application) fieldHolds(c *condition, field string, value *yaml.Node) bool {
	switch c.kind {
	case "include_fields", "exclude_fields":
		in := slices.Contains(c.Fields, field)
		if c.Mode == "re" {
			in = false
			for _, re := range c.pattern {
				in = in || re.MatchString(field)
			}
		}
		return in == (c.kind == "include_fields")
	case "processing_item_applied":
		if value == nil {
			return a.listed[field][c.Step]
		}
		return a.items[value][c.Step]
	}
	return a.stateHolds(c)
}
