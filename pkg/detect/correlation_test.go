package detect

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"leat/pkg/event"
	"leat/pkg/stage"
)

// bruteForce is the specification's example: many failed log-ins of a user, followed by one that succeeds.
const bruteForce = `title: Failed Log-ins Followed by a Successful One
id: 00000000-0000-4000-8000-0000000000c1
correlation:
    type: temporal_ordered
    rules: [many_failed, login_ok]
    group-by: [user.name]
    timespan: 10m
level: high
---
title: Many Failed Log-ins
id: 00000000-0000-4000-8000-0000000000c2
name: many_failed
correlation:
    type: event_count
    rules: [login_failed]
    group-by: [user.name]
    timespan: 10m
    condition: {gte: 3}
---
title: Failed Log-in
id: 00000000-0000-4000-8000-0000000000c3
name: login_failed
logsource: {product: linux, service: auth}
detection: {s: {event.outcome: failure}, condition: s}
---
title: Successful Log-in
id: 00000000-0000-4000-8000-0000000000c4
name: login_ok
logsource: {product: linux, service: auth}
detection: {s: {event.outcome: success}, condition: s}
`

// login is an event at second sec.
func login(id, user, outcome string, sec int) string {
	ts := string(event.AppendTime(nil, int64(1_800_000_000+sec)*1_000_000_000))
	return fmt.Sprintf(`{"@timestamp":%q,"event":{"id":%q,"outcome":%q},"user":{"name":%q,"department":"Sales"},"source":{"ip":"192.0.2.%d"}}`,
		ts, id, outcome, user, sec%200)
}

// testNow is a clock that stands behind all events of the tests.
func testNow() time.Time { return time.Unix(1_900_000_000, 0) }

func correlating(t testing.TB, rules string, cfg Config) *Stage {
	t.Helper()
	cfg.Rules, cfg.Now = []string{folder(t, map[string]string{"r.yml": rules})}, testNow
	cfg.Strict = true
	return newStage(t, cfg)
}

// alertsOf sends lines in batches of a size, ends the stream, and returns the alerts.
func alertsOf(t testing.TB, s *Stage, size int, lines ...string) (out []string) {
	t.Helper()
	keep := func(b *event.Batch) {
		b.Compact()
		for l := range strings.Lines(string(b.AppendLines(nil))) {
			if strings.Contains(l, `"kind":"alert"`) {
				out = append(out, strings.TrimSuffix(l, "\n"))
			}
		}
	}
	for len(lines) > 0 {
		n := min(size, len(lines))
		var b event.Batch
		for _, l := range lines[:n] {
			b.Push([]byte(l))
		}
		lines = lines[n:]
		if err := s.Process(&b); err != nil {
			t.Fatal(err)
		}
		keep(&b)
	}
	var b event.Batch
	if err := s.Flush(&b); err != nil {
		t.Fatal(err)
	}
	keep(&b)
	return out
}

func TestBruteForceThenSuccess(t *testing.T) {
	lines := []string{
		login("a1", "anna", "failure", 0), login("b1", "bela", "failure", 1), login("a2", "ANNA", "failure", 5),
		login("b2", "bela", "success", 20), login("a4", "anna", "success", 60), login("a3", "anna", "failure", 50),
		login("a5", "anna", "success", 61),
	}
	s := correlating(t, bruteForce, Config{})
	got := alertsOf(t, s, 100, lines...)
	if len(got) != 1 {
		t.Fatalf("%d alerts: %s", len(got), strings.Join(got, "\n"))
	}
	for _, want := range []string{
		`"rule":{"id":"00000000-0000-4000-8000-0000000000c1"`, `"user":{"name":"anna","department":"Sales"}`,
		`"correlation":{"type":"temporal_ordered","group":[{"field":"user.name","value":"anna"}],"revision":1`,
		`"count":2,"value":2`, `"severity":73`, `"events":[{"id":"a1"},{"id":"a2"},{"id":"a3"},{"id":"a4"}]`, `number of different rules in their order within 10m is at least 2`,
	} {
		if !strings.Contains(got[0], want) {
			t.Errorf("no %s in %s", want, got[0])
		}
	}
	for _, size := range []int{1, 2, 3} {
		if again := alertsOf(t, correlating(t, bruteForce, Config{}), size, lines...); !slices.Equal(again, got) {
			t.Errorf("batches of %d: %s", size, strings.Join(again, "\n"))
		}
	}
}

// manyLogins makes a stream in which users fail and succeed, shuffled within 30 s.
func manyLogins(n int) (lines []string) {
	rnd := rand.New(rand.NewPCG(7, 7))
	for i := range n {
		lines = append(lines, login(fmt.Sprintf("e%d", i), fmt.Sprintf("u%d", rnd.IntN(20)), []string{"failure", "failure", "success"}[rnd.IntN(3)], i*3+rnd.IntN(30)))
	}
	return lines
}

func TestCorrelationWorkers(t *testing.T) {
	lines := manyLogins(2000)
	one := alertsOf(t, correlating(t, bruteForce, Config{}), 500, lines...)
	four := alertsOf(t, correlating(t, bruteForce, Config{Workers: 4}), 500, lines...)
	if !slices.Equal(one, four) || len(one) < 20 {
		t.Errorf("%d and %d alerts", len(one), len(four))
	}
}

// TestKilledAndRestored sends a stream under marks, kills the stage at any mark, also after events behind it, and compares the alerts
// with those of a run that nothing befell.
func TestKilledAndRestored(t *testing.T) {
	rules := bruteForce + "---\n" + `title: Few Failures
id: 00000000-0000-4000-8000-0000000000c5
correlation: {type: event_count, rules: [login_failed], group-by: [user.name], timespan: 2m, condition: {lte: 2}}
leat: {suppress: {by: [user.name], for: 10m}}
`
	lines := manyLogins(1500)
	marked := func(kill func(mark int) bool) []string {
		dir := t.TempDir()
		var out []string
		start := func(resume int64) *Stage {
			s := correlating(t, rules, Config{State: dir})
			if err := s.Hello(stage.Hello{Lake: "l", Pipeline: "p", Epoch: 1, Run: "r", Resume: resume}); err != nil {
				t.Fatal(err)
			}
			return s
		}
		s := start(0)
		const size = 100
		for i := 0; i < len(lines)/size; i++ {
			got := alertsOf(t, s, 30, lines[i*size:(i+1)*size]...)
			if kill(i) {
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				s = start(int64(i))
				got = alertsOf(t, s, 17, lines[i*size:(i+1)*size]...)
			}
			out = append(out, got...)
			at := string(event.AppendTime(nil, int64(1_850_000_000+i*10)*1_000_000_000))
			if err := s.Mark(stage.Mark{N: int64(i + 1), Run: "r", Since: int64(max(0, i-2)), Time: at}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		return out
	}
	want := marked(func(int) bool { return false })
	if got := marked(func(i int) bool { return i%2 == 1 }); !slices.Equal(got, want) || len(want) < 20 {
		t.Errorf("%d alerts after kills, %d without", len(got), len(want))
	}
	if !slices.ContainsFunc(want, func(l string) bool { return strings.Contains(l, "0000000000c5") }) {
		t.Error("no alert of a window that was over")
	}
}

func TestMarkedNeedsState(t *testing.T) {
	s := correlating(t, bruteForce, Config{})
	if err := s.Hello(stage.Hello{Lake: "l", Pipeline: "p", Run: "r"}); err != ErrNoState {
		t.Errorf("%v", err)
	}
	plain := newStage(t, Config{Rules: []string{folder(t, map[string]string{"a.yml": fmt.Sprintf(ruleText, "T", "00000000-0000-4000-8000-000000000001", "evil")})}})
	if err := plain.Hello(stage.Hello{Lake: "l", Pipeline: "p", Run: "r", Resume: 9}); err != nil {
		t.Error(err)
	}
}
