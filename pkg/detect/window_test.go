package detect

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"leat/pkg/correlate"
	"leat/pkg/event"
	"leat/pkg/stage"
)

// A window with twice as many events is told again: the same alert, a higher revision. Correlations above do not count that.
func TestRevision(t *testing.T) {
	rules := corr("type: event_count, rules: [a], group-by: [u], timespan: 1m, condition: {gte: 2}") +
		"title: Outer\nid: o-id\ncorrelation: {type: event_count, rules: [cc], group-by: [u], timespan: 1h, condition: {gte: 2}, generate: true}\n---\n" + one("a")
	told := func(lines []string) (out string) {
		for _, l := range lines {
			e := parsedEvent(t, l)
			text := func(p string) string { return e.Get(event.MustPath(p)).String() }
			if text("event.id") != parsedEvent(t, lines[0]).Get(event.MustPath("event.id")).String() {
				t.Errorf("another id: %s", l)
			}
			out += text("leat.alert.correlation.revision") + ":" + text("leat.alert.correlation.count") + " "
		}
		return out
	}
	s := correlating(t, rules, Config{})
	got := alertsOf(t, s, 3, ev("1", "a", 10, `"u":"x"`), ev("2", "a", 20, `"u":"x"`), ev("3", "a", 12, `"u":"x"`), ev("4", "a", 70, `"u":"x"`), ev("5", "a", 30, `"u":"x"`))
	if told(got) != "1:2 2:4 " || brief(got) != "cc x 2 1 2; cc x 4 4" {
		t.Errorf("told %s: %s", told(got), brief(got))
	}
	// What is suppressed is so as a revision too.
	s = correlating(t, strings.Replace(rules, "\n---", "\nleat: {suppress: {by: [u], for: 1h}}\n---", 1), Config{})
	if got := alertsOf(t, s, 3, ev("1", "a", 10, `"u":"x"`), ev("2", "a", 20, `"u":"x"`), ev("3", "a", 12, `"u":"x"`), ev("4", "a", 70, `"u":"x"`)); told(got) != "1:2 " {
		t.Errorf("told %s", told(got))
	}
}

// A revision goes on counting behind a restart.
func TestRevisionAfterRestart(t *testing.T) {
	dir := t.TempDir()
	start := func(mark int64) *Stage {
		s := correlating(t, corr("type: event_count, rules: [a], group-by: [u], timespan: 1m, condition: {gte: 2}")+one("a"), Config{State: dir})
		if err := s.Hello(stage.Hello{Lake: "l", Pipeline: "p", Run: "r", Resume: mark, ResumeRun: "r"}); err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := start(0)
	got := alertsOf(t, s, 1, ev("1", "a", 10, `"u":"x"`), ev("2", "a", 20, `"u":"x"`), ev("3", "a", 12, `"u":"x"`), ev("4", "a", 30, `"u":"x"`))
	if err := s.Mark(stage.Mark{N: 1, Run: "r"}); err != nil {
		t.Fatal(err)
	}
	alertsOf(t, s, 1, ev("5", "a", 31, `"u":"x"`)) // comes again: it was not committed
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = start(1)
	defer s.Close()
	for i := range 4 {
		got = append(got, alertsOf(t, s, 1, ev(fmt.Sprint(5+i), "a", 31+i, `"u":"x"`))...)
	}
	if brief(got) != "cc x 2 1 2; cc x 4 4; cc x 8 8" || !strings.Contains(got[2], `"revision":3`) {
		t.Errorf("%s\n%s", brief(got), got)
	}
}

// In an idle, unmarked pipe a window that is over is told by itself, once.
func TestRelease(t *testing.T) {
	s := correlating(t, corr("type: event_count, rules: [a], group-by: [u], timespan: 10s, condition: {lt: 2}")+one("a"),
		Config{Limits: correlate.Limits{Lateness: 10 * time.Second}})
	released := func() (out []string) {
		var b event.Batch
		if err := s.Release(&b); err != nil {
			t.Fatal(err)
		}
		for _, e := range b.Events {
			out = append(out, string(e.Append(nil)))
		}
		return out
	}
	var b event.Batch
	b.Push([]byte(ev("1", "a", 0, `"u":"x"`)))
	if err := s.Process(&b); err != nil {
		t.Fatal(err)
	}
	var got []string
	for i := range 30 {
		if err := s.Tick(time.Unix(1_900_000_000+int64(i), 0)); err != nil {
			t.Fatal(err)
		}
		got = append(got, released()...)
		if (len(got) > 0) != (i > 20) {
			t.Fatalf("second %d: %d alerts", i, len(got))
		}
	}
	if brief(got) != "cc x 1 1" {
		t.Error(brief(got))
	}
	if more := alertsOf(t, s, 1); len(more) > 0 {
		t.Errorf("at the end again: %s", brief(more))
	}
}

// In a marked pipe ticks release nothing: a replay has none of them.
func TestNoReleaseInAMarkedPipe(t *testing.T) {
	s := correlating(t, corr("type: event_count, rules: [a], timespan: 1s, condition: {lt: 2}")+one("a"),
		Config{State: t.TempDir(), Limits: correlate.Limits{Lateness: time.Second}})
	if err := s.Hello(stage.Hello{Lake: "l", Pipeline: "p", Run: "r"}); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var b event.Batch
	b.Push([]byte(ev("1", "a", 0, "")))
	if err := s.Process(&b); err != nil {
		t.Fatal(err)
	}
	b.Reset()
	for i := range 10 {
		if err := s.Tick(time.Unix(1_900_000_000+int64(i), 0)); err != nil {
			t.Fatal(err)
		}
		if err := s.Release(&b); err != nil || len(b.Events) > 0 {
			t.Fatalf("second %d: %d alerts, %v", i, len(b.Events), err)
		}
	}
}
