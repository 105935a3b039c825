package sigma

import (
	"errors"
	"fmt"

	"go.yaml.in/yaml/v3"
)

// Filter is a filter document: what the rules that it names, or all of its log source, leave out.
type Filter struct {
	Meta
	LogSource LogSource
	Any       bool        // every rule of the log source
	Rules     []Reference // by id or name; Rule is set by Link

	keep *node // what must hold beside a rule's condition
	text func(line int) string
}

func parseFilter(n *yaml.Node, opt Options) (*Filter, error) {
	h := readHeader(n)
	h.needs(n, "title", "logsource")
	f := &Filter{LogSource: h.source}
	sect := target(member(n, "filter"))
	if sect.Kind != yaml.MappingNode {
		return nil, bad(sect, "filter", "expected a table with rules, searches and a condition")
	}
	d := &detections{opt: opt}
	named := false
	cond, err := d.searches(sect, "filter", func(k, v *yaml.Node) error {
		if k.Value != "rules" {
			return errNotMine
		}
		named = true
		return f.references(target(v))
	})
	if !named {
		h.fault(sect, "filter.rules", "is missing; any stands for every rule of the log source")
	}
	if err == nil {
		f.keep, err = f.condition(d, cond)
	}
	if err != nil {
		h.faults = append(h.faults, err)
	}
	if len(h.faults) > 0 {
		return nil, errors.Join(h.faults...)
	}
	f.Meta = h.meta
	return f, nil
}

func (f *Filter) references(v *yaml.Node) error {
	const key = "filter.rules"
	list := v.Content
	switch {
	case v.Kind == yaml.ScalarNode && v.Value == "any":
		f.Any = true
		return nil
	case v.Kind == yaml.ScalarNode && v.Value != "":
		list = []*yaml.Node{v}
	case v.Kind != yaml.SequenceNode || len(list) == 0:
		return bad(v, key, "expected any, or a list of ids or names of rules")
	}
	for _, e := range list {
		if e = target(e); e.Kind != yaml.ScalarNode || e.Value == "" {
			return bad(e, key, "expected the id or name of a rule")
		}
		f.Rules = append(f.Rules, Reference{Name: e.Value, Line: e.Line, Column: e.Column})
	}
	return nil
}

// condition makes what must hold beside a rule's condition. A filter takes matches away (specification, filters,
// introduction). Its example names what goes ("selection"); pySigma and SigmaHQ's own filters name what stays ("not
// selection"). Both are understood, and a condition that is neither is refused, so that no filter works the wrong way.
func (f *Filter) condition(d *detections, cond *yaml.Node) (*node, error) {
	n, err := d.conditions(cond, "filter.condition")
	if err != nil {
		return nil, err
	}
	switch pos, neg := signs(n, false); {
	case pos && neg:
		return nil, bad(cond, "filter.condition", "whether this is what goes or what stays can't be told; write not (…) around what goes")
	case pos:
		return not(n), nil
	}
	return n, nil
}

// signs tells whether n has searches that must hold, and ones that must not. Within a not nothing more is looked at.
func signs(n *node, negated bool) (pos, neg bool) {
	if n.name != "" || n.kind == isAtom {
		return true, false
	}
	if n.kind == isNot {
		return false, true
	}
	for _, k := range n.kids {
		p, m := signs(k, negated)
		pos, neg = pos || p, neg || m
	}
	return pos, neg
}

// apply joins f to the rules that it is for.
func (s *Set) apply(f *Filter, by *names) {
	fault := func(ref *Reference, format string, args ...any) {
		s.Faults = append(s.Faults, &Fault{
			File: f.File, Line: ref.Line, Column: ref.Column, Rule: f.Title, Key: "filter.rules",
			Reason: fmt.Sprintf(format, args...), Text: f.text(ref.Line),
		})
	}
	for i := range f.Rules {
		ref := &f.Rules[i]
		found, ambiguous := by.find(ref.Name, f.File)
		switch {
		case found == nil:
			fault(ref, "no rule with the id or name %q was loaded", ref.Name)
		case ambiguous:
			fault(ref, "several rules have the name %q; use an id", ref.Name)
		case found.rule == nil:
			fault(ref, "%q is a correlation; filters are for detection rules", ref.Name)
		case !f.LogSource.Admits(found.rule.LogSource):
			fault(ref, "the rule %q is of log source %s, the filter of %s", ref.Name, found.rule.LogSource, f.LogSource)
		default:
			ref.Rule = found.rule
			f.join(found.rule)
		}
	}
	if f.Any {
		for _, r := range s.Rules {
			if f.LogSource.Admits(r.LogSource) {
				f.join(r)
			}
		}
	}
}

func (f *Filter) join(r *Rule) {
	r.Filters = append(r.Filters, f.Title)
	r.root = join(isAnd, []*node{r.root, {kind: isAnd, kids: []*node{f.keep}, name: "filter " + f.Title}})
}
