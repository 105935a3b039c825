package sigma

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// CorrelationType is what a correlation looks at (specification, correlation types).
type CorrelationType uint8

// The types. ValueMedian is pySigma's and not in the specification 2.1.
const (
	EventCount CorrelationType = iota
	ValueCount
	Temporal
	TemporalOrdered
	ValueSum
	ValueAvg
	ValuePercentile
	ValueMedian
)

var correlationTypes = []string{
	"event_count", "value_count", "temporal", "temporal_ordered", "value_sum", "value_avg", "value_percentile", "value_median",
}

// String returns the type as rules write it.
func (t CorrelationType) String() string { return correlationTypes[t] }

// OfRules tells whether the type looks at which rules matched, and not at how often or at a field.
func (t CorrelationType) OfRules() bool { return t == Temporal || t == TemporalOrdered }

// OfField tells whether the type looks at the values of a field.
func (t CorrelationType) OfField() bool { return t != EventCount && !t.OfRules() }

// Correlation is one correlation rule, parsed and checked.
type Correlation struct {
	Meta
	Type     CorrelationType
	Rules    []Reference
	GroupBy  []string
	Timespan time.Duration
	// Bounds are what the number that Type makes must satisfy, all of them. Of a temporal type it is the number of
	// different rules; no bounds and no Expr: all rules.
	Bounds []Bound
	// Field is what is counted or measured; several make one value together.
	Field []string
	// Percentile is set where the condition has one: of the values, that percentile is compared. Without, a value_percentile
	// compares the share, in percent, that a value has among all.
	Percentile    float64
	HasPercentile bool
	// Expr is the extended condition of a temporal type, over the indices of Rules; Condition is its text.
	Expr      *Expr
	Condition string
	// Generate tells that the rules referred to raise alerts of their own too.
	Generate bool
	// Feeds and Silent are as a Rule's.
	Feeds, Silent bool

	aliases map[string]map[string]string // alias, rule as written, field
	aliasAt map[string]*yaml.Node
	text    func(line int) string
}

// Reference is a rule that a correlation refers to. After Link exactly one of Rule and Correlation is set.
type Reference struct {
	Name         string // the id or name, as written
	Line, Column int
	Rule         *Rule
	Correlation  *Correlation
}

// Bound is one comparison of a condition; Op is lt, lte, gt, gte, eq or neq.
type Bound struct {
	Op    string
	Value float64
}

// Holds tells whether n satisfies the bound.
func (b Bound) Holds(n float64) bool {
	switch b.Op {
	case "lt":
		return n < b.Value
	case "lte":
		return n <= b.Value
	case "gt":
		return n > b.Value
	case "gte":
		return n >= b.Value
	case "neq":
		return n != b.Value
	}
	return n == b.Value
}

// Expr is an extended condition: a rule (Ref), or kids joined by Op.
type Expr struct {
	Op   ExprOp
	Ref  int
	Kids []*Expr
}

// ExprOp is how an Expr joins its kids.
type ExprOp uint8

// ExprRef is a rule; the others join kids.
const (
	ExprRef ExprOp = iota
	ExprAnd
	ExprOr
	ExprNot
)

// maxReferences bounds the rules of one correlation of a temporal type.
const maxReferences = 64

func (c *Correlation) label() string {
	if c.ID != "" {
		return c.ID
	}
	return c.Title
}

// FieldOf returns the field that name stands for in the events of rule i of Rules: what an alias says, or name itself.
func (c *Correlation) FieldOf(i int, name string) string {
	alias, ok := c.aliases[name]
	if !ok {
		return name
	}
	ref := &c.Rules[i]
	names := []string{ref.Name}
	switch {
	case ref.Rule != nil:
		names = append(names, ref.Rule.Name, ref.Rule.ID)
	case ref.Correlation != nil:
		names = append(names, ref.Correlation.Name, ref.Correlation.ID)
	}
	for _, n := range names {
		if f, ok := alias[n]; ok && n != "" {
			return f
		}
	}
	return name
}

// correlationParser reads the section correlation.
type correlationParser struct {
	*header
	c *Correlation
}

func parseCorrelation(n *yaml.Node) (*Correlation, error) {
	h := readHeader(n)
	p := &correlationParser{header: h, c: &Correlation{}}
	h.needs(n, "title")
	sect := target(member(n, "correlation"))
	if sect.Kind != yaml.MappingNode {
		return nil, bad(sect, "correlation", "expected a table with type, rules, group-by, timespan and condition")
	}
	p.kind(sect)
	p.keys(sect)
	if g := member(n, "generate"); g != nil {
		p.generate(g, "generate")
	}
	p.check(sect)
	if len(h.faults) > 0 {
		return nil, errors.Join(h.faults...)
	}
	p.c.Meta = h.meta
	return p.c, nil
}

func (p *correlationParser) kind(sect *yaml.Node) {
	n := member(sect, "type")
	if n == nil {
		p.fault(sect, "correlation.type", "is missing")
		return
	}
	name := p.text(target(n), "correlation.type")
	i := slices.Index(correlationTypes, name)
	if i < 0 {
		p.fault(n, "correlation.type", "%q is none of %s", name, strings.Join(correlationTypes, ", "))
		return
	}
	p.c.Type = CorrelationType(i)
}

func (p *correlationParser) keys(sect *yaml.Node) {
	had := map[string]bool{}
	var cond *yaml.Node
	for i := 0; i+1 < len(sect.Content); i += 2 {
		k, v := sect.Content[i], target(sect.Content[i+1])
		key := "correlation." + k.Value
		if had[k.Value] {
			p.fault(k, key, "is there twice")
		}
		had[k.Value] = true
		switch k.Value {
		case "type":
		case "rules":
			p.references(v, key)
		case "group-by":
			p.c.GroupBy = p.fieldNames(v, key)
		case "timespan":
			p.c.Timespan = p.timespan(v, key)
		case "generate":
			p.generate(v, key)
		case "aliases":
			p.aliasTable(v, key)
		case "condition":
			cond = v
		default:
			p.fault(k, key, "unknown key; expected type, rules, group-by, timespan, condition, aliases or generate")
		}
	}
	if cond != nil {
		p.condition(cond, "correlation.condition")
	}
}

// fieldNames reads one name of a field or a list of different ones; the taxonomy's names have no spaces.
func (p *correlationParser) fieldNames(v *yaml.Node, key string) []string {
	var out []string
	for _, name := range p.list(v, key) {
		name = strings.ReplaceAll(name, " ", "")
		switch {
		case name == "":
			p.fault(v, key, "an empty name of a field")
		case slices.Contains(out, name):
			p.fault(v, key, "%s is there twice", name)
		default:
			out = append(out, name)
		}
	}
	return out
}

func (p *correlationParser) references(v *yaml.Node, key string) {
	list := v.Content
	if v.Kind == yaml.ScalarNode {
		list = []*yaml.Node{v}
	} else if v.Kind != yaml.SequenceNode {
		p.fault(v, key, "expected a list of ids or names of rules, found a table")
		return
	}
	for _, e := range list {
		p.reference(target(e), key)
	}
	if len(list) == 0 {
		p.fault(v, key, "an empty list")
	}
}

func (p *correlationParser) reference(e *yaml.Node, key string) {
	name := p.text(e, key)
	switch {
	case name == "":
		p.fault(e, key, "expected the id or name of a rule")
	case slices.ContainsFunc(p.c.Rules, func(r Reference) bool { return r.Name == name }):
		p.fault(e, key, "%s is there twice", name)
	default:
		p.c.Rules = append(p.c.Rules, Reference{Name: name, Line: e.Line, Column: e.Column})
	}
}

func (p *correlationParser) generate(v *yaml.Node, key string) {
	on, err := strconv.ParseBool(p.text(target(v), key))
	if err != nil {
		p.fault(v, key, "expected true or false, found %q", v.Value)
	}
	p.c.Generate = p.c.Generate || on
}

func (p *correlationParser) aliasTable(v *yaml.Node, key string) {
	if v.Kind != yaml.MappingNode {
		p.fault(v, key, "expected a table of aliases, each a table of rules and their fields")
		return
	}
	p.c.aliases, p.c.aliasAt = map[string]map[string]string{}, map[string]*yaml.Node{}
	for i := 0; i+1 < len(v.Content); i += 2 {
		alias, fields := v.Content[i], target(v.Content[i+1])
		at := key + "." + alias.Value
		if fields.Kind != yaml.MappingNode || len(fields.Content) == 0 {
			p.fault(fields, at, "expected a table of rules and their fields")
			continue
		}
		m := map[string]string{}
		for j := 0; j+1 < len(fields.Content); j += 2 {
			rule, field := fields.Content[j], target(fields.Content[j+1])
			name := strings.ReplaceAll(p.text(field, at+"."+rule.Value), " ", "")
			if name == "" {
				p.fault(rule, at+"."+rule.Value, "expected the name of a field")
			}
			m[rule.Value] = name
			p.c.aliasAt[rule.Value] = rule
		}
		p.c.aliases[alias.Value] = m
	}
}

// check is for what several keys say together.
func (p *correlationParser) check(sect *yaml.Node) {
	c := p.c
	if len(c.Rules) == 0 && member(sect, "rules") == nil {
		p.fault(sect, "correlation.rules", "is missing")
	}
	if c.Timespan == 0 && member(sect, "timespan") == nil {
		p.fault(sect, "correlation.timespan", "is missing")
	}
	if c.Type.OfRules() {
		if len(c.Rules) > maxReferences {
			p.fault(member(sect, "rules"), "correlation.rules", "more than %d rules", maxReferences)
		}
		if len(c.Bounds) == 0 && c.Expr == nil {
			c.Bounds = []Bound{{"gte", float64(len(c.Rules))}}
		}
		return
	}
	if member(sect, "condition") == nil {
		p.fault(sect, "correlation.condition", "is missing")
		return
	}
	if c.Type.OfField() && len(c.Field) == 0 {
		p.fault(member(sect, "condition"), "correlation.condition.field", "is missing; %s is about the values of a field", c.Type)
	}
}
