package detect

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"leat/pkg/sigma"
)

// RuleStat is what one rule did since it was loaded.
type RuleStat struct {
	ID, Title string
	// Evaluated is how often the rule's condition was evaluated, because the index could not rule out a match; Matched is
	// how often it held.
	Evaluated, Matched uint64
	// Took is the time of the evaluations, extrapolated from a sample.
	Took time.Duration
}

// RuleStats returns the counts of the rules that were evaluated at all, the costliest first. Config.Count must be set. It may
// be called while the stage works.
func (s *Stage) RuleStats() []RuleStat {
	set := s.shared.set.Load()
	var out []RuleStat
	for i := range set.counts {
		c := &set.counts[i]
		if n := c.Evaluated.Load(); n > 0 {
			out = append(out, RuleStat{
				ID: ruleID(set.rules[i]), Title: set.rules[i].Title, Evaluated: n, Matched: c.Matched.Load(), Took: time.Duration(c.Nanos.Load()),
			})
		}
	}
	slices.SortFunc(out, func(a, b RuleStat) int {
		switch {
		case a.Took != b.Took:
			return int(min(max(b.Took-a.Took, -1), 1))
		case a.Evaluated != b.Evaluated:
			return int(min(max(int64(b.Evaluated)-int64(a.Evaluated), -1), 1))
		}
		return strings.Compare(a.ID, b.ID)
	})
	return out
}

// WriteStats prints RuleStats for people.
func (s *Stage) WriteStats(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(w, "EVALUATIONS\tMATCHES\tMS\tNS EACH\t  RULE\n")
	for _, r := range s.RuleStats() {
		ms, each := "-", "-" // no evaluation was among those that are timed
		if r.Took > 0 {
			ms, each = fmt.Sprintf("%.1f", float64(r.Took)/1e6), fmt.Sprint(uint64(r.Took)/r.Evaluated)
		}
		fmt.Fprintf(w, "%d\t%d\t%s\t%s\t  %s %s\n", r.Evaluated, r.Matched, ms, each, r.ID, clean(r.Title))
	}
	return w.Flush()
}

// writeMetrics writes RuleStats in Prometheus' text format.
func (s *Stage) writeMetrics(w io.Writer) {
	for _, r := range s.RuleStats() {
		fmt.Fprintf(w, "leat_rule_evaluations_total{rule=%q} %d\n", r.ID, r.Evaluated)
		fmt.Fprintf(w, "leat_rule_matches_total{rule=%q} %d\n", r.ID, r.Matched)
		fmt.Fprintf(w, "leat_rule_seconds_total{rule=%q} %g\n", r.ID, r.Took.Seconds())
	}
}

// clean takes control characters, which a rule of somebody else's may have, out of what goes to a terminal.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7F {
			return ' '
		}
		return r
	}, s)
}

// countsOf returns the counts of the rules of a subset.
func (s *ruleSet) countsOf(sub *subset) []*sigma.RuleCount {
	out := make([]*sigma.RuleCount, len(sub.rules))
	for i, r := range sub.rules {
		out[i] = &s.counts[r]
	}
	return out
}
