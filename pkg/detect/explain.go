package detect

import (
	"fmt"
	"io"
	"strings"

	"leat/pkg/event"
	"leat/pkg/sigma"
)

// Explanation says what one rule made of one event.
type Explanation struct {
	Rule    *sigma.Rule
	Routed  bool // the event is one for the rule's log source
	Matched bool // the condition holds, whether or not the rule sees the event
	Clauses []sigma.Clause
}

// Raises tells whether the event raises an alert of the rule, with routing on or off.
func (x *Explanation) Raises(routing bool) bool { return x.Matched && (x.Routed || !routing) }

// Explainer explains why rules did or did not match events.
type Explainer struct {
	rules  []*sigma.Rule
	fields *Taxonomy
	router *router
	view   view
	// records opens those that ingest wrapped.
	records unwrapper
}

// NewExplainer makes one for the given rules, whose fields are where t says.
func NewExplainer(list []*sigma.Rule, t *Taxonomy) (*Explainer, error) {
	r, err := newRouter()
	if err != nil {
		return nil, err
	}
	return &Explainer{rules: list, fields: t, router: r}, nil
}

// Explain returns an Explanation for each rule, in their order. e must have been parsed.
func (x *Explainer) Explain(e *event.Event) ([]Explanation, error) {
	e = x.open(e)
	c := x.class(e)
	ix, err := sigma.NewIndex(x.rules, x.fields)
	if err != nil {
		return nil, err
	}
	m := ix.NewMatcher()
	m.Match(e)
	var out []Explanation
	for i, r := range x.rules {
		one := Explanation{Rule: r, Routed: c.admits(r.LogSource)}
		one.Clauses, one.Matched = m.Explain(int32(i))
		out = append(out, one)
	}
	return out, nil
}

// open returns the object within e, where rules see that, or e.
func (x *Explainer) open(e *event.Event) *event.Event {
	x.records.batch.Reset()
	if in := x.records.inside(e); in != nil {
		return in
	}
	return e
}

func (x *Explainer) class(e *event.Event) class {
	x.router.read(e, &x.view)
	return x.router.class(x.router.classOf(&x.view))
}

// Sources describes the log sources that e is taken to be of.
func (x *Explainer) Sources(e *event.Event) string {
	c := x.class(x.open(e))
	if c.all {
		return "any (neither its channel, its event.dataset nor its event.category says which)"
	}
	part := func(name string, list []string, any bool) string {
		switch {
		case any:
			return name + " any"
		case len(list) == 0:
			return name + " none"
		}
		return name + " " + strings.Join(list, " and ")
	}
	return strings.Join([]string{
		part("product", c.products, c.anyProduct), part("category", c.categories, false), part("service", c.services, c.anyService),
	}, ", ")
}

// Reached tells whether any event with a known channel or dataset is routed to rules of log source l.
func (x *Explainer) Reached(l sigma.LogSource) bool {
	for i := range x.router.classes {
		if i != classAll && x.router.classes[i].admits(l) {
			return true
		}
	}
	return false
}

// Write prints the explanation for people: a clause a line, with what was wanted and what was there.
func (x *Explanation) Write(w io.Writer, routing bool) {
	verdict := "does not match"
	switch {
	case x.Raises(routing) && x.Rule.Silent:
		verdict = "matches; a correlation takes it, and it raises no alert of its own"
	case x.Raises(routing):
		verdict = "raises an alert"
	case x.Matched:
		verdict = "would match, but its log source " + x.Rule.LogSource.String() + " is not the event's (see --routing)"
	}
	fmt.Fprintf(w, "%s: %s\n   %s, %s:%d\n", x.Rule.Title, verdict, ruleID(x.Rule), x.Rule.File, x.Rule.Line)
	for _, c := range x.Clauses {
		mark, field := "no ", c.Field
		if c.Held {
			mark = "yes"
		}
		if field == "" {
			field = "(anywhere)"
		}
		if c.Modifiers != "" {
			field += "|" + c.Modifiers
		}
		have := fmt.Sprintf("%q", c.Have)
		switch {
		case c.Field == "" && !c.Held:
			have = "in no value"
		case !c.Present:
			have = "not there"
		}
		negated := ""
		if c.Negated {
			negated = " (negated)"
		}
		fmt.Fprintf(w, "   %s  %s: %s: %q; event: %s%s\n", mark, c.Detection, field, c.Want, have, negated)
	}
}
