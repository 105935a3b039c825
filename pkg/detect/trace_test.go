package detect

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"leat/pkg/correlate"
	"leat/pkg/event"
)

// TestTrace: correlations above one that an event completes are traced too, others not; of each group of the event there is a trace.
func TestTrace(t *testing.T) {
	s := correlating(t, corr("type: event_count, rules: [a], group-by: [u], timespan: 1m, condition: {gte: 2}")+
		"title: Outer\nid: o-id\ncorrelation: {type: event_count, rules: [cc], group-by: [v], timespan: 1h, condition: {gte: 2}}\n---\n"+one("a"), Config{})
	for i, c := range []struct{ rest, want string }{
		{`"u":["x","y"],"v":"1"`, "C u=x 1; C u=y 1"},
		{`"u":"x","v":"1"`, "C u=x 2; Outer v=1 1"},
		{`"u":"x","v":"1"`, "C u=x 3"},
		{`"v":"1"`, "C -[u]"},
		{`"u":"y"`, "C u=y 2; Outer -[v]"},
	} {
		var b event.Batch
		e := b.Push([]byte(ev(fmt.Sprint(i), "a", i, c.rest)))
		if err := s.Process(&b); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, x := range s.Trace(e) {
			if len(x.Missing) > 0 {
				got = append(got, fmt.Sprintf("%s -%s", x.Correlation.Title, x.Missing))
			} else {
				got = append(got, fmt.Sprintf("%s %s %g", x.Correlation.Title, strings.Join(x.Group, " "), x.Status.Value))
			}
			var out strings.Builder
			if x.Write(&out); !strings.Contains(out.String(), x.Correlation.Title) {
				t.Errorf("written as %s", out.String())
			}
		}
		if strings.Join(got, "; ") != c.want {
			t.Errorf("event %d: %s, want %s", i, strings.Join(got, "; "), c.want)
		}
	}
}

// TestLimitsOfFile: a detect.yaml bounds what is remembered; what is said beside it goes before it.
func TestLimitsOfFile(t *testing.T) {
	dir := folder(t, map[string]string{"d.yaml": "limits: {lateness: 1m, groups: 7, group_events: 8, correlated: 9}", "bad.yaml": "limits: {lateness: -1m}"})
	got, err := limits(dir+"/d.yaml", correlate.Limits{Keys: 3})
	if want := (correlate.Limits{Lateness: time.Minute, Keys: 3, Events: 8, Total: 9}); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := limits(dir+"/bad.yaml", correlate.Limits{}); err == nil || !strings.Contains(err.Error(), "no time") {
		t.Errorf("taken: %v", err)
	}
}

// TestTraceSuppression: an alert that is held back says since when, and until when.
func TestTraceSuppression(t *testing.T) {
	s := correlating(t, strings.Replace(one("a"), "level: low", "level: low\nleat: {suppress: {by: [u], for: 1m}}", 1), Config{})
	for i, c := range []struct {
		sec  int
		want string
	}{
		{0, "told; others with u=x are held back until 2027-01-15T08:01:00.000Z"},
		{30, "held back, for one with u=x was told at 2027-01-15T08:00:00.000Z; until 2027-01-15T08:01:00.000Z"},
		{61, "told; others with u=x are held back until 2027-01-15T08:02:01.000Z"},
	} {
		var b event.Batch
		e := b.Push([]byte(ev(fmt.Sprint(i), "a", c.sec, `"u":"x"`)))
		if err := s.Process(&b); err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		for _, x := range s.Trace(e) {
			x.Write(&out)
		}
		if !strings.Contains(out.String(), c.want) || strings.Count(out.String(), "\n") != 1 {
			t.Errorf("event %d: %s", i, out.String())
		}
	}
}
