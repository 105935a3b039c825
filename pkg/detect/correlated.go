package detect

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"leat/pkg/alert"
	"leat/pkg/correlate"
	"leat/pkg/event"
	"leat/pkg/sigma"
)

// alert writes the alert of a match. e, which c.subject holds, is the event that completed it.
func (c *correlator) alert(r *corRule, m *correlate.Match, e *event.Event, base int32) []byte {
	a := alert.Correlation{
		Type: r.Type.String(), Key: m.Key, Start: m.Start, End: m.End, Timespan: int64(r.Timespan), Count: m.Count, Value: m.Value, Events: m.IDs,
		Revision: m.Revision,
	}
	c.x.each(e, r.plans[base].group, func(key []byte) {
		if a.Group != nil || string(key) != m.Key {
			return
		}
		for i, text := range c.x.show(len(r.GroupBy)) {
			a.Group = append(a.Group, alert.Clause{Field: r.GroupBy[i], Want: text, Value: text})
		}
	})
	if a.Group == nil { // the field was too large to be kept
		for i, text := range keyTexts(m.Key, len(r.GroupBy)) {
			a.Group = append(a.Group, alert.Clause{Field: r.GroupBy[i], Want: text, Value: text})
		}
	}
	return c.out.End(r.writer.AppendCorrelation(c.out.Begin(8<<10), &c.subject, &a, append(a.Group, r.clauses(m)...)))
}

// clauses says what of the condition held.
func (r *corRule) clauses(m *correlate.Match) []alert.Clause {
	within := " within " + spanText(r.Timespan)
	if r.Expr != nil {
		return []alert.Clause{{Field: r.subject() + within, Want: r.Condition, Value: r.Condition}}
	}
	var out []alert.Clause
	value := strconv.FormatFloat(m.Value, 'f', -1, 64)
	for _, bound := range r.Bounds {
		out = append(out, alert.Clause{
			Field: r.subject() + within, Modifiers: bound.Op, Want: strconv.FormatFloat(bound.Value, 'f', -1, 64), Value: value,
		})
	}
	return out
}

// subject names the number that the correlation is about.
func (r *corRule) subject() string {
	field := strings.Join(r.Field, " and ")
	switch r.Type {
	case sigma.ValueCount:
		return "number of different " + field
	case sigma.ValueSum:
		return "sum of " + field
	case sigma.ValueAvg:
		return "average of " + field
	case sigma.ValueMedian:
		return "median of " + field
	case sigma.ValuePercentile:
		if !r.HasPercentile {
			return "share in percent of one " + field
		}
		return fmt.Sprintf("percentile %g of %s", r.Percentile, field)
	case sigma.Temporal:
		return "number of different rules"
	case sigma.TemporalOrdered:
		return "number of different rules in their order"
	}
	return "number of events"
}

// spanText is a timespan as rules write it.
func spanText(d time.Duration) string {
	for _, u := range []struct {
		d    time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}} {
		if d%u.d == 0 {
			return strconv.FormatInt(int64(d/u.d), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(d/time.Second), 10) + "s"
}
