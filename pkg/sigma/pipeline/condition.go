package pipeline

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// clause is the conditions of one kind of a transformation: all must hold, unless any is enough, or an expression says.
type clause struct {
	list []*condition
	any  bool
	not  bool
	expr *expression
}

// condition is one condition; of its parameters kind says which count.
type condition struct {
	name   string
	kind   string
	Fields oneOrMore `yaml:"fields"`
	Mode   string    `yaml:"mode"`

	Product  string    `yaml:"product"`
	Category string    `yaml:"category"`
	Service  string    `yaml:"service"`
	Field    string    `yaml:"field"`
	Value    yaml.Node `yaml:"value"`
	Step     string    `yaml:"processing_item_id"`
	Key      string    `yaml:"key"`
	Val      yaml.Node `yaml:"val"`
	Attr     string    `yaml:"attribute"`
	Op       string    `yaml:"op"`
	Tag      string    `yaml:"tag"`
	Cond     string    `yaml:"cond"`
	Pattern  string    `yaml:"pattern"`
	Negate   bool      `yaml:"negate"`

	pattern []*regexp.Regexp
}

// What conditions of each kind take; what they need has an exclamation mark.
var (
	ruleConditions = map[string]string{
		"logsource":                 "product category service",
		"contains_detection_item":   "field! value!",
		"contains_field":            "field!",
		"processing_item_applied":   "processing_item_id!",
		"processing_state":          "key! val! op",
		"is_sigma_rule":             "",
		"is_sigma_correlation_rule": "",
		"rule_attribute":            "attribute! value! op",
		"tag":                       "tag!",
	}
	itemConditions = map[string]string{
		"match_string":            "cond pattern! negate",
		"match_value":             "cond value!",
		"contains_wildcard":       "cond",
		"is_null":                 "cond",
		"processing_item_applied": "processing_item_id!",
		"processing_state":        "key! val! op",
	}
	fieldConditions = map[string]string{
		"include_fields":          "fields! mode",
		"exclude_fields":          "fields! mode",
		"processing_item_applied": "processing_item_id!",
		"processing_state":        "key! val! op",
	}
)

// clause reads the conditions whose keys begin with prefix.
func (r *reader) clause(n *yaml.Node, prefix string, known map[string]string) clause {
	var c clause
	if list := member(n, prefix+"_conditions"); list != nil {
		switch list.Kind {
		case yaml.SequenceNode:
			for _, e := range list.Content {
				c.list = append(c.list, r.condition("", target(e), known))
			}
		case yaml.MappingNode: // named, for an expression
			for i := 0; i+1 < len(list.Content); i += 2 {
				c.list = append(c.list, r.condition(list.Content[i].Value, target(list.Content[i+1]), known))
			}
		default:
			r.fault(list, "expected a list of conditions, or a table of named ones")
		}
	}
	if op := member(n, prefix+"_cond_op"); op != nil {
		if op.Value != "and" && op.Value != "or" {
			r.fault(op, "%q is none of and, or", op.Value)
		}
		c.any = op.Value == "or"
	}
	if not := member(n, prefix+"_cond_not"); not != nil {
		if not.Decode(&c.not) != nil {
			r.fault(not, "expected true or false, found %q", not.Value)
		}
	}
	if e := member(n, prefix+"_cond_expr"); e != nil {
		var err error
		names := map[string]int{}
		for i, one := range c.list {
			names[one.name] = i
		}
		if c.expr, err = parseExpression(e.Value, names); err != nil {
			r.fault(e, "%v", err)
		}
	}
	return c
}

func (r *reader) condition(name string, n *yaml.Node, known map[string]string) *condition {
	c := &condition{name: name}
	kind := member(n, "type")
	if kind == nil {
		r.fault(n, "a condition needs a type; there are %s", strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		return c
	}
	c.kind = kind.Value
	takes, ok := known[c.kind]
	if !ok {
		r.fault(kind, "no condition %q here; there are %s", c.kind, strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		return c
	}
	if !r.keys(n, c.kind, takes) {
		return c
	}
	if err := n.Decode(c); err != nil {
		r.fault(n, "%s", strings.TrimPrefix(err.Error(), "yaml: "))
		return c
	}
	if c.Cond != "" && c.Cond != "any" && c.Cond != "all" {
		r.fault(member(n, "cond"), "%q is none of any, all", c.Cond)
	}
	if c.Mode != "" && c.Mode != "plain" && c.Mode != "re" {
		r.fault(member(n, "mode"), "%q is none of plain, re", c.Mode)
	}
	if c.Op != "" && !slices.Contains([]string{"eq", "ne", "gte", "gt", "lte", "lt", "in", "not_in"}, c.Op) {
		r.fault(member(n, "op"), "%q is none of eq, ne, gte, gt, lte, lt, in, not_in", c.Op)
	}
	var expr []string
	if c.Mode == "re" {
		expr = c.Fields
	}
	if c.kind == "match_string" {
		expr = []string{c.Pattern}
	}
	for _, e := range expr {
		re, err := regexp.Compile("^(?:" + e + ")")
		if err != nil {
			r.fault(n, "not a regular expression of RE2: %v", err)
			continue
		}
		c.pattern = append(c.pattern, re)
	}
	return c
}

// holds joins what test says of each condition.
func (c *clause) holds(test func(*condition) bool) bool {
	var ok bool
	switch {
	case len(c.list) == 0:
		return true
	case c.expr != nil:
		ok = c.expr.eval(func(i int) bool { return test(c.list[i]) })
	case c.any:
		ok = slices.ContainsFunc(c.list, test)
	default:
		ok = !slices.ContainsFunc(c.list, func(one *condition) bool { return !test(one) })
	}
	return ok != c.not
}
