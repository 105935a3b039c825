package sigma

import (
	"math"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

var boundOps = []string{"lt", "lte", "gt", "gte", "eq", "neq"}

// condition reads a table of bounds, or the text of an extended condition.
func (p *correlationParser) condition(n *yaml.Node, key string) {
	switch n.Kind {
	case yaml.ScalarNode:
		p.extended(n, key)
	case yaml.MappingNode:
		p.bounds(n, key)
	default:
		p.fault(n, key, "expected a table with one of %s, or text", strings.Join(boundOps, ", "))
	}
}

func (p *correlationParser) bounds(n *yaml.Node, key string) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], target(n.Content[i+1])
		at := key + "." + k.Value
		switch {
		case slices.ContainsFunc(p.c.Bounds, func(b Bound) bool { return b.Op == k.Value }):
			p.fault(k, at, "is there twice")
		case slices.Contains(boundOps, k.Value):
			f, ok := finite(p.text(v, at))
			if !ok {
				p.fault(v, at, "expected a number, found %q", v.Value)
			}
			p.c.Bounds = append(p.c.Bounds, Bound{k.Value, f})
		case k.Value == "field" && !p.c.Type.OfField():
			p.fault(k, at, "does not go with %s", p.c.Type)
		case k.Value == "field":
			p.field(v, at)
		case k.Value == "percentile":
			p.percentile(k, v, at)
		default:
			p.fault(k, at, "unknown key; expected %s, field or percentile", strings.Join(boundOps, ", "))
		}
	}
	switch {
	case len(p.c.Bounds) == 0:
		p.fault(n, key, "expected one of %s", strings.Join(boundOps, ", "))
	case impossible(p.c.Bounds):
		p.fault(n, key, "no number satisfies it")
	}
}

func (p *correlationParser) field(v *yaml.Node, at string) {
	p.c.Field = p.fieldNames(v, at)
	if len(p.c.Field) > 1 && p.c.Type != ValueCount {
		p.fault(v, at, "%s takes one field", p.c.Type)
	}
}

func (p *correlationParser) percentile(k, v *yaml.Node, at string) {
	f, ok := finite(p.text(v, at))
	switch {
	case p.c.Type != ValuePercentile:
		p.fault(k, at, "does not go with %s", p.c.Type)
	case !ok || f < 0 || f > 100:
		p.fault(v, at, "expected a number from 0 to 100, found %q", v.Value)
	}
	p.c.Percentile, p.c.HasPercentile = f, true
}

// impossible tells whether the bounds exclude every number.
func impossible(list []Bound) bool {
	lo, hi := math.Inf(-1), math.Inf(1)
	open := false // one of the ends is excluded
	for _, b := range list {
		switch b.Op {
		case "gt", "gte":
			if b.Value >= lo {
				lo, open = b.Value, open || b.Op == "gt"
			}
		case "lt", "lte":
			if b.Value <= hi {
				hi, open = b.Value, open || b.Op == "lt"
			}
		case "eq":
			lo, hi = max(lo, b.Value), min(hi, b.Value)
		}
	}
	return lo > hi || lo == hi && (open || slices.Contains(list, Bound{"neq", lo}))
}

// extended reads a condition over the names of rules: and, or, not, parentheses, 1 of, all of.
func (p *correlationParser) extended(n *yaml.Node, key string) {
	if !p.c.Type.OfRules() {
		p.fault(n, key, "text goes with temporal and temporal_ordered; %s takes a table with one of %s", p.c.Type, strings.Join(boundOps, ", "))
		return
	}
	if len(p.c.Rules) == 0 {
		p.named(n, key)
	}
	look := map[string]*node{}
	var names []string
	for _, r := range p.c.Rules {
		names = append(names, r.Name)
		look[r.Name] = &node{name: r.Name}
	}
	root, err := parseCondition(n.Value, "rule", names, look)
	if err != nil {
		p.fault(n, key, "%s", err)
		return
	}
	p.c.Expr, p.c.Condition = p.expr(root), n.Value
	for i, name := range names {
		if !mentions(p.c.Expr, i) {
			p.fault(n, key, "does not mention the rule %s", name)
		}
	}
}

// named takes the rules from the condition where the key rules is not there.
func (p *correlationParser) named(n *yaml.Node, key string) {
	words := strings.FieldsFunc(n.Value, func(r rune) bool { return strings.ContainsRune(" \t\r\n()", r) })
	for _, w := range words {
		known := slices.ContainsFunc(p.c.Rules, func(r Reference) bool { return r.Name == w })
		if !known && !slices.Contains([]string{"and", "or", "not"}, strings.ToLower(w)) {
			p.c.Rules = append(p.c.Rules, Reference{Name: w, Line: n.Line, Column: n.Column})
		}
	}
}

func (p *correlationParser) expr(n *node) *Expr {
	e := &Expr{Op: map[nodeKind]ExprOp{isAtom: ExprRef, isAnd: ExprAnd, isOr: ExprOr, isNot: ExprNot}[n.kind]}
	if n.kind == isAtom {
		e.Ref = slices.IndexFunc(p.c.Rules, func(r Reference) bool { return r.Name == n.name })
	}
	for _, k := range n.kids {
		e.Kids = append(e.Kids, p.expr(k))
	}
	return e
}

func mentions(e *Expr, ref int) bool {
	return e.Op == ExprRef && e.Ref == ref || slices.ContainsFunc(e.Kids, func(k *Expr) bool { return mentions(k, ref) })
}
