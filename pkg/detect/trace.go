package detect

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"leat/pkg/correlate"
	"leat/pkg/event"
	"leat/pkg/sigma"
)

// Trace says what one correlation made of an event, for one group; or the suppression of a rule that matched it.
type Trace struct {
	Correlation *sigma.Correlation // nil: it is about the suppression of Rule
	Rule        *sigma.Rule
	// By is the title of the rule, or correlation, that the event came by.
	By string
	// Group is field and value, as field=value; empty: the correlation has no group-by.
	Group []string
	// Missing are the fields of group-by, or of the value, that the event has not: it is in no group.
	Missing []string
	// Status is that of the group's window; Placed is false where it is in none (its window was decided before).
	Status correlate.Status
	Placed bool
}

// Trace tells what the correlations made of e, the event that was processed last, in a batch of its own. It is for explanations.
func (s *Stage) Trace(e *event.Event) []Trace {
	if s.cor == nil || len(s.matchers[0].times) != 1 {
		return nil
	}
	if in := s.records.inside(e); in != nil {
		e = in
	}
	t := tracer{c: s.cor, e: e, at: s.cor.clock.at(s.matchers[0].times[0], s.cor.eng.Time(), s.cfg.Now().UnixNano())}
	for _, f := range s.matchers[0].found {
		t.suppressed(f.rule)
		for _, to := range s.cor.feeds[f.rule] {
			t.follow(to, f.rule, s.set.rules[f.rule].Title)
		}
	}
	return t.out
}

// tracer follows one event through the correlations.
type tracer struct {
	c   *correlator
	e   *event.Event
	at  int64
	out []Trace
}

// suppressed notes what the suppression of a detection rule made of the event.
func (t *tracer) suppressed(rule int32) {
	r := t.c.set.rules[rule]
	if t.c.hold[rule] < 0 || r.Silent {
		return
	}
	t.c.x.each(t.e, t.c.by[rule], func(key []byte) {
		one := Trace{Rule: r}
		for i, text := range t.c.x.show(len(r.Suppress.By)) {
			one.Group = append(one.Group, r.Suppress.By[i]+"="+text)
		}
		one.Status, one.Placed = t.c.eng.Status(t.c.hold[rule], key, t.at)
		t.out = append(t.out, one)
	})
}

// follow notes what the correlation that to names made of the event, which came by base, and what those above it did.
func (t *tracer) follow(to feed, base int32, by string) {
	r := t.c.rules[to.cor]
	pl := r.plans[base]
	one := Trace{Correlation: r.Correlation, By: by}
	for _, f := range slices.Concat(pl.group, pl.value) {
		if len(f.values(t.e, nil)) == 0 {
			one.Missing = append(one.Missing, f.name)
		}
	}
	if len(one.Missing) > 0 {
		t.out = append(t.out, one)
		return
	}
	t.c.x.each(t.e, pl.group, func(key []byte) {
		each := one
		each.Group = nil
		for i, text := range t.c.x.show(len(r.GroupBy)) {
			each.Group = append(each.Group, r.GroupBy[i]+"="+text)
		}
		each.Status, each.Placed = t.c.eng.Status(to.cor, key, t.at)
		if !slices.ContainsFunc(t.out, func(have Trace) bool {
			return have.Correlation == each.Correlation && slices.Equal(have.Group, each.Group)
		}) {
			t.out = append(t.out, each)
		}
	})
	if s := t.out[len(t.out)-1].Status; s.Revision != 1 || s.Count != s.Told {
		return // e has not raised it
	}
	for _, up := range r.feeds {
		t.follow(up, base, r.Title)
	}
}

// Write prints the trace for people: which group, how many of how many, until when.
func (x *Trace) Write(w io.Writer) {
	c := x.Correlation
	if c == nil {
		x.writeSuppression(w)
		return
	}
	r := corRule{Correlation: c}
	fmt.Fprintf(w, "   %s (%s): takes it by %s", c.Title, c.Type, x.By)
	if len(x.Missing) > 0 {
		fmt.Fprintf(w, "; in no group, for the event has no %s\n", strings.Join(x.Missing, ", no "))
		return
	}
	if len(x.Group) > 0 {
		fmt.Fprintf(w, ", group %s", strings.Join(x.Group, " "))
	}
	if !x.Placed {
		fmt.Fprintln(w, "\n      its window was decided before: the event came too late")
		return
	}
	at := func(ns int64) string { return string(event.AppendTime(nil, ns)) }
	s := x.Status
	fmt.Fprintf(w, "\n      %s within %s: %s; window from %s until %s\n", r.subject(), spanText(c.Timespan), x.amount(), at(s.Start), at(s.Until))
	switch {
	case s.Revision > 0 && s.Count == s.Told:
		fmt.Fprintf(w, "      its alert is told, revision %d; with %d events it is told again\n", s.Revision, 2*s.Told)
	case s.Revision > 0:
		fmt.Fprintf(w, "      its alert was told, revision %d: %d events by now; with %d it is told again\n", s.Revision, s.Count, 2*s.Told)
	case s.Due != 0:
		fmt.Fprintf(w, "      decided when the window is over and the stream has passed %s\n", at(s.Due))
	default:
		fmt.Fprintln(w, "      no alert yet")
	}
}

// writeSuppression says whether the rule's alert was held back.
func (x *Trace) writeSuppression(w io.Writer) {
	s, group := x.Status, strings.Join(x.Group, " ")
	from, until := event.AppendTime(nil, s.Start), event.AppendTime(nil, s.Until)
	switch {
	case !x.Placed:
	case s.Count > s.Told:
		fmt.Fprintf(w, "   leat.suppress of %s: held back, for one with %s was told at %s; until %s\n", x.Rule.Title, group, from, until)
	default:
		fmt.Fprintf(w, "   leat.suppress of %s: told; others with %s are held back until %s\n", x.Rule.Title, group, until)
	}
}

// amount says how much of what is needed is there.
func (x *Trace) amount() string {
	have := strconv.FormatFloat(x.Status.Value, 'f', -1, 64)
	if x.Correlation.Expr != nil {
		return fmt.Sprintf("%d events, wanted %s", x.Status.Count, x.Correlation.Condition)
	}
	words := map[string]string{"gte": "at least", "gt": "more than", "lte": "at most", "lt": "less than", "eq": "exactly", "neq": "other than"}
	var want []string
	for _, b := range x.Correlation.Bounds {
		want = append(want, words[b.Op]+" "+strconv.FormatFloat(b.Value, 'f', -1, 64))
	}
	return have + ", wanted " + strings.Join(want, " and ")
}
