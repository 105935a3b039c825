package sigma

import (
	"fmt"
	"slices"
	"strings"
)

// FieldNames returns the fields that the rule's condition asks for, filters included, in alphabetical order.
func (r *Rule) FieldNames() []string {
	var out []string
	var walk func(n *node)
	walk = func(n *node) {
		if n.kind == isAtom {
			for _, f := range []string{n.atom.field, n.atom.ref} {
				if f != "" {
					out = append(out, f)
				}
			}
		}
		for _, k := range n.kids {
			walk(k)
		}
	}
	walk(r.root)
	slices.Sort(out)
	return slices.Compact(out)
}

// Condition returns what the rule was compiled to, as an expression for people: comparisons joined by and, or, not.
func (r *Rule) Condition() string {
	var b strings.Builder
	r.root.show(&b, r.root.kind)
	return b.String()
}

// show writes n; within is what it stands in, so that parentheses are there only where they count.
func (n *node) show(b *strings.Builder, within nodeKind) {
	switch n.kind {
	case isAtom:
		n.atom.show(b)
		return
	case isNot:
		b.WriteString("not ")
		n.kids[0].show(b, isNot)
		return
	}
	word := " and "
	if n.kind == isOr {
		word = " or "
	}
	inner := n.kind != within && len(n.kids) > 1
	if inner {
		b.WriteByte('(')
	}
	for i, k := range n.kids {
		if i > 0 {
			b.WriteString(word)
		}
		k.show(b, n.kind)
	}
	if inner {
		b.WriteByte(')')
	}
}

// opNames are what comparisons are called.
var opNames = [...]string{
	opExact: "is", opPrefix: "begins with", opSuffix: "ends with", opContains: "contains", opGlob: "is like", opPresent: "is there",
	opNull: "is null", opExists: "exists", opAbsent: "does not exist", opRegex: "matches", opCIDR: "is within", opCompare: "", opRef: "", opTime: "",
	opGroup: "",
}

func (a *atom) show(b *strings.Builder) {
	field := a.field
	if field == "" {
		field = "any value"
	}
	b.WriteString(field + " ")
	if a.cased {
		b.WriteString("exactly ")
	}
	switch a.op {
	case opPresent, opNull, opExists, opAbsent:
		b.WriteString(opNames[a.op])
	case opCompare:
		fmt.Fprintf(b, "%s %g", map[string]string{"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}[a.cmp], a.num)
	case opTime:
		fmt.Fprintf(b, "is of %s %g", a.cmp, a.num)
	case opRef:
		fmt.Fprintf(b, "%s the value of %s", opNames[a.refOp], a.ref)
	case opRegex:
		fmt.Fprintf(b, "%s %q", opNames[a.op], a.re)
	case opCIDR:
		fmt.Fprintf(b, "%s %s", opNames[a.op], a.prefix)
	case opGlob:
		fmt.Fprintf(b, "%s %q", opNames[a.op], a.glob.source())
	default:
		fmt.Fprintf(b, "%s %q", opNames[a.op], a.text)
	}
}
