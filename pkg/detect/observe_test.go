package detect

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"leat/pkg/correlate"
	"leat/pkg/event"
	"leat/pkg/stage"
)

// one is a rule that every event with kind k matches, named k.
func one(k string) string {
	return fmt.Sprintf("title: %[1]s\nname: %[1]s\nid: %[1]s-id\nlogsource: {definition: any}\ndetection: {s: {kind: %[1]s}, condition: s}\nlevel: low\n---\n", k)
}

func corr(body string) string {
	return "title: C\nid: cc\ncorrelation: {" + body + "}\n---\n"
}

// ev is an event at second sec; more is further members.
func ev(id, kind string, sec int, more string) string {
	ts := event.AppendTime(nil, int64(1_800_000_000+sec)*1_000_000_000)
	if more != "" {
		more = "," + more
	}
	return fmt.Sprintf(`{"@timestamp":"%s","event":{"id":"%s"},"kind":"%s"%s}`, ts, id, kind, more)
}

// brief says of each alert which rule it is of, what it was about and which events it names.
func brief(alerts []string) string {
	var out []string
	for _, l := range alerts {
		var e event.Event
		e.Reset([]byte(l))
		text := func(p string) string { return e.Get(event.MustPath(p)).String() }
		ids := ""
		for el := range e.Get(event.MustPath("leat.alert.events")).Elements {
			ids += " " + el.Member("id").String()
		}
		group := ""
		for el := range e.Get(event.MustPath("leat.alert.correlation.group")).Elements {
			group += " " + el.Member("value").String()
		}
		out = append(out, strings.TrimSpace(text("rule.id")+group+" "+text("leat.alert.correlation.value"))+ids)
	}
	return strings.Join(out, "; ")
}

func TestCorrelationTypes(t *testing.T) {
	for _, c := range []struct {
		name, rule string
		events     []string
		want       string
	}{
		{"event_count", corr("type: event_count, rules: [a], group-by: [u], timespan: 10s, condition: {gte: 2}"),
			[]string{ev("1", "a", 0, `"u":"x"`), ev("2", "a", 10, `"u":"X"`), ev("3", "a", 11, `"u":"x"`), ev("4", "a", 12, `"u":"x"`)},
			"cc X 2 1 2; cc x 2 3 4"},
		{"without groups", corr("type: event_count, rules: [a], timespan: 10s, condition: {gt: 1}"),
			[]string{ev("1", "a", 0, `"u":"x"`), ev("2", "a", 5, `"u":"y"`)}, "cc 2 1 2"},
		{"two fields", corr("type: event_count, rules: [a], group-by: [u, v.w], timespan: 10s, condition: {gte: 2}"),
			[]string{ev("1", "a", 0, `"u":"x","v":{"w":1}`), ev("2", "a", 1, `"u":"x","v":{"w":2}`), ev("3", "a", 2, `"u":"x","v":{"w":"1"}`), ev("4", "a", 3, `"u":"x"`)},
			"cc x 1 2 1 3"},
		{"lists are each of their values", corr("type: event_count, rules: [a], group-by: [u], timespan: 10s, condition: {gte: 2}"),
			[]string{ev("1", "a", 0, `"u":["x","y"]`), ev("2", "a", 1, `"u":["y","z"]`)}, "cc y 2 1 2"},
		{"an event counts once", corr("type: event_count, rules: [a, b], group-by: [u], timespan: 10s, condition: {gte: 2}"),
			[]string{strings.Replace(ev("1", "a", 0, `"u":"x"`), `"a"`, `["a","b"]`, 1), ev("2", "b", 1, `"u":"x"`)}, "cc x 2 1 2"},
		{"value_count", corr("type: value_count, rules: [a], group-by: [u], timespan: 10s, condition: {field: v, gte: 3}"),
			[]string{ev("1", "a", 0, `"u":"x","v":"p"`), ev("2", "a", 1, `"u":"x","v":"P"`), ev("3", "a", 2, `"u":"x","v":["q","r"]`), ev("4", "a", 3, `"u":"x"`)},
			"cc x 3 1 2 3 3"},
		{"value_count of pairs", corr("type: value_count, rules: [a], timespan: 10s, condition: {field: [u, v], gte: 2}"),
			[]string{ev("1", "a", 0, `"u":"x"`), ev("2", "a", 1, `"u":"x","v":"p"`), ev("3", "a", 2, `"u":"x","v":"p"`), ev("4", "a", 3, `"u":"x","v":"q"`)}, "cc 2 2 3 4"},
		{"value_sum", corr("type: value_sum, rules: [a], group-by: [u], timespan: 10s, condition: {field: n, gt: 10}"),
			[]string{ev("1", "a", 0, `"u":"x","n":5`), ev("2", "a", 1, `"u":"x","n":"5"`), ev("3", "a", 2, `"u":"x","n":"many"`), ev("4", "a", 3, `"u":"x","n":0.5`)},
			"cc x 10.5 1 2 4"},
		{"value_avg", corr("type: value_avg, rules: [a], group-by: [u], timespan: 10s, condition: {field: n, gt: 4}"),
			[]string{ev("1", "a", 0, `"u":"x","n":9`), ev("2", "a", 1, `"u":"x","n":1`), ev("3", "a", 2, `"u":"y","n":5`)}, "cc x 5 1 2; cc y 5 3"},
		{"value_median", corr("type: value_median, rules: [a], timespan: 10s, condition: {field: n, eq: 2}"),
			[]string{ev("1", "a", 0, `"n":900`), ev("2", "a", 1, `"n":1`), ev("3", "a", 2, `"n":2`)}, "cc 2 1 2 3"},
		{"value_percentile", corr("type: value_percentile, rules: [a], timespan: 10s, condition: {field: n, percentile: 90, gte: 9}"),
			[]string{ev("1", "a", 0, `"n":1`), ev("2", "a", 1, `"n":10`)}, "cc 9.1 1 2"},
		{"the share of a value", corr("type: value_percentile, rules: [a], timespan: 10s, condition: {field: v, lte: 25}"),
			[]string{ev("1", "a", 0, `"v":"p"`), ev("2", "a", 1, `"v":"q"`), ev("3", "a", 2, `"v":"p"`), ev("4", "a", 3, `"v":"p"`)}, "cc 25 1 2 3 4"},
		{"a range", corr("type: event_count, rules: [a], group-by: [u], timespan: 10s, condition: {gte: 2, lte: 3}"),
			[]string{ev("1", "a", 0, `"u":"x"`), ev("2", "a", 1, `"u":"x"`), ev("3", "a", 0, `"u":"y"`), ev("4", "a", 1, `"u":"y"`), ev("5", "a", 2, `"u":"y"`), ev("6", "a", 3, `"u":"y"`)},
			"cc x 2 1 2"},
		{"temporal", corr("type: temporal, rules: [b, a], group-by: [u], timespan: 10s"),
			[]string{ev("1", "a", 0, `"u":"x"`), ev("2", "a", 1, `"u":"x"`), ev("3", "b", 2, `"u":"y"`), ev("4", "b", 3, `"u":"x"`)}, "cc x 2 1 2 4"},
		{"temporal of two out of three", corr("type: temporal, rules: [b, a, c], timespan: 10s, condition: {gte: 2}"),
			[]string{ev("1", "a", 0, ""), ev("2", "a", 1, ""), ev("3", "c", 2, "")}, "cc 2 1 2 3"},
		{"an extended condition with not", corr("type: temporal, rules: [a, b], timespan: 10s, condition: a and not b"),
			[]string{ev("1", "a", 0, ""), ev("2", "b", 5, ""), ev("3", "a", 20, ""), ev("4", "b", 40, "")}, "cc 1 3"},
		{"temporal_ordered", corr("type: temporal_ordered, rules: [b, a], timespan: 10s"),
			[]string{ev("1", "a", 0, ""), ev("2", "b", 1, ""), ev("3", "a", 2, "")}, "cc 2 1 2 3"},
		{"aliases", corr("type: temporal, rules: [a, b], group-by: [ip], timespan: 10s, aliases: {ip: {a: u, b: v}}"),
			[]string{ev("1", "a", 0, `"u":"1.1.1.1","v":"2.2.2.2"`), ev("2", "b", 1, `"u":"1.1.1.1","v":"3.3.3.3"`), ev("3", "b", 2, `"v":"1.1.1.1"`)}, "cc 1.1.1.1 2 1 3"},
		{"generate", corr("type: event_count, rules: [a], timespan: 10s, condition: {gte: 1}, generate: true"),
			[]string{ev("1", "a", 0, "")}, "a-id 1; cc 1 1"},
		{"a filter", corr("type: event_count, rules: [a], timespan: 10s, condition: {gte: 1}") +
			"title: F\nlogsource: {definition: any}\nfilter: {rules: any, s: {u: good}, condition: not s}\n---\n",
			[]string{ev("1", "a", 0, `"u":"good"`), ev("2", "a", 1, `"u":"bad"`)}, "cc 1 2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := correlating(t, c.rule+one("a")+one("b")+one("c"), Config{})
			if got := brief(alertsOf(t, s, 2, c.events...)); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestSuppress(t *testing.T) {
	rules := strings.Replace(one("a"), "level: low", "level: low\nleat: {suppress: {by: [u], for: 1m}}", 1)
	s := correlating(t, rules, Config{})
	got := brief(alertsOf(t, s, 2, ev("1", "a", 0, `"u":"x"`), ev("2", "a", 30, `"u":"x"`), ev("3", "a", 31, `"u":"y"`), ev("4", "a", 60, `"u":"x"`),
		ev("5", "a", 61, `"u":"x"`), ev("6", "a", 62, "")))
	if got != "a-id 1; a-id 3; a-id 5; a-id 6" {
		t.Error(got)
	}
	rules = strings.Replace(corr("type: event_count, rules: [a], group-by: [u, v], timespan: 10s, condition: {gte: 1}"), "\n---", "\nleat: {suppress: {by: [u], for: 1h}}\n---", 1) + one("a")
	s = correlating(t, rules, Config{})
	got = brief(alertsOf(t, s, 2, ev("1", "a", 0, `"u":"x","v":1`), ev("2", "a", 30, `"u":"x","v":2`), ev("3", "a", 31, `"u":"y","v":3`)))
	if got != "cc x 1 1 1; cc y 3 1 3" {
		t.Error(got)
	}
}

// One event dated 2099 does not blind detect, neither for its own group nor for others.
func TestFutureEvent(t *testing.T) {
	s := correlating(t, corr("type: event_count, rules: [a], group-by: [u], timespan: 10s, condition: {gte: 3}")+one("a"), Config{})
	future := strings.Replace(ev("f", "a", 0, `"u":"x"`), "2027-01-15", "2099-01-15", 1)
	got := brief(alertsOf(t, s, 1, ev("1", "a", 0, `"u":"x"`), future, ev("2", "a", 1, `"u":"x"`), ev("3", "a", 2, `"u":"y"`), ev("4", "a", 3, `"u":"y"`), ev("5", "a", 4, `"u":"y"`)))
	if got != "cc x 3 1 f 2; cc y 3 3 4 5" {
		t.Error(got)
	}
}

// Events that say no time have that of the stream, or where nothing says one that of their arrival.
func TestNoTime(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	cfg := Config{Rules: []string{folder(t, map[string]string{"r.yml": corr("type: event_count, rules: [a], timespan: 10s, condition: {gte: 2}") + one("a")})}, Now: func() time.Time { return now }}
	s := newStage(t, cfg)
	bare := func(id string) string { return `{"event":{"id":"` + id + `"},"kind":"a"}` }
	first := alertsOf(t, s, 1, bare("1"))
	now = now.Add(time.Minute)
	if got := brief(append(first, alertsOf(t, s, 1, bare("2"))...)); got != "" {
		t.Errorf("a minute apart: %s", got)
	}
	now = now.Add(5 * time.Second)
	if got := brief(alertsOf(t, s, 1, bare("3"))); got != "cc 2 2 3" {
		t.Error(got)
	}
	s = newStage(t, cfg)
	if got := brief(alertsOf(t, s, 1, ev("1", "a", -1000, ""), bare("2"))); got != "cc 2 1 2" {
		t.Errorf("beside events with times: %s", got)
	}
}

// Sysmon's own time says no zone, and is UTC.
func TestUtcTime(t *testing.T) {
	s := correlating(t, corr("type: event_count, rules: [a], timespan: 10m, condition: {gte: 2}")+one("a"), Config{})
	at := func(clock string) string {
		return `{"EventID":1,"kind":"a","event":{"id":"` + clock + `"},"UtcTime":"2026-11-24 ` + clock + `"}`
	}
	if got := brief(alertsOf(t, s, 2, at("08:00:00.000"), at("08:20:00.000"), at("08:29:59.999"))); got != "cc 2 08:20:00.000 08:29:59.999" {
		t.Error(got)
	}
}

// An idle stream's windows come to their end on marks.
func TestIdleMarks(t *testing.T) {
	s := correlating(t, corr("type: event_count, rules: [a], group-by: [u], timespan: 10s, condition: {lt: 2}")+one("a"),
		Config{State: t.TempDir(), Limits: correlate.Limits{Lateness: 10 * time.Second}})
	if err := s.Hello(stage.Hello{Lake: "l", Pipeline: "p", Run: "r"}); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	got := alertsOf(t, s, 1, ev("1", "a", 0, `"u":"x"`))
	for i := range 5 {
		at := event.AppendTime(nil, int64(1_850_000_000+i*10)*1_000_000_000)
		if err := s.Mark(stage.Mark{N: int64(i + 1), Run: "r", Time: string(at)}); err != nil {
			t.Fatal(err)
		}
		got = append(got, alertsOf(t, s, 1)...)
		if want := i >= 3; (len(got) > 0) != want {
			t.Errorf("mark %d: %d alerts", i, len(got))
		}
	}
	if brief(got) != "cc x 1 1" {
		t.Error(brief(got))
	}
}

// A window that is over is told with the entities of its newest event, also where that is too large to be kept whole.
func TestWhatIsKeptOfAWindow(t *testing.T) {
	s := correlating(t, corr("type: value_avg, rules: [a], group-by: [user.name], timespan: 10s, condition: {field: n, lt: 5}")+
		"title: Outer\nid: o-id\ncorrelation: {type: event_count, rules: [cc], group-by: [deep.er.x], timespan: 1h, condition: {gte: 1}, generate: true}\n---\n"+one("a"), Config{})
	large := strings.Repeat("x", 5000)
	got := alertsOf(t, s, 1, ev("1", "a", 0, `"user":{"name":"anna","department":"Sales","note":"`+large+`"},"deep":{"big":"`+large+`","er":{"x":"y"}},"n":1,"message":"`+large+`"`))
	if brief(got) != "cc anna 1 1; o-id y 1 1" || !strings.Contains(got[0], `"user":{"name":"anna","department":"Sales"}`) {
		t.Errorf("%s\n%s", brief(got), got)
	}
}

// A reload keeps what a rule that has not changed remembers.
func TestReloadKeepsMemory(t *testing.T) {
	rule := corr("type: event_count, rules: [a], group-by: [u], timespan: 1h, condition: {gte: 3}") + one("a")
	dir := folder(t, map[string]string{"r.yml": rule})
	var log lockedBuffer
	s := newStage(t, Config{Rules: []string{dir}, Now: testNow, Log: slog.New(slog.NewTextHandler(&log, nil))})
	alertsOf(t, s, 1) // the end of input is not the end of the stage in this test
	var b event.Batch
	see := func(id string, sec int) int {
		b.Reset()
		b.Push([]byte(ev(id, "a", sec, `"u":"x"`)))
		if err := s.Process(&b); err != nil {
			t.Fatal(err)
		}
		b.Compact()
		return len(b.Events) - 1
	}
	reload := func(text string) {
		if err := os.WriteFile(filepath.Join(dir, "r.yml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		old := s.shared.set.Load()
		s.Reload()
		for range 500 {
			if s.shared.set.Load() != old {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Fatalf("nothing happened in 5 s: %s", log.String())
	}
	n := see("1", 0) + see("2", 1)
	reload(rule + strings.ReplaceAll(one("b"), "b-id", "other"))
	if n += see("3", 2); n != 1 {
		t.Errorf("%d alerts, want 1 with the third event", n)
	}
	see("4", 4000)
	see("5", 4001)
	reload(strings.Replace(rule, "gte: 3", "gte: 4", 1))
	if see("6", 4002)+see("7", 4003) != 0 || see("8", 4004)+see("9", 4005) != 1 {
		t.Error("a rule that was changed does not begin anew")
	}
}

func TestBoundsAreTold(t *testing.T) {
	var log bytes.Buffer
	s := correlating(t, corr("type: event_count, rules: [a], group-by: [u], timespan: 1h, condition: {gte: 3}")+one("a"),
		Config{Limits: correlate.Limits{Keys: 2}, Log: slog.New(slog.NewTextHandler(&log, nil))})
	for i := range 20 {
		alertsOf(t, s, 1, ev("x", "a", i, fmt.Sprintf(`"u":%d`, i)))
	}
	for range 20 {
		alertsOf(t, s, 1, ev("x", "a", 30, ""))
	}
	if n := strings.Count(log.String(), "have not the fields"); n != 2 || !strings.Contains(log.String(), "events=10 group_by=[u]") {
		t.Errorf("told %d times of missing fields: %s", n, log.String())
	}
	if n := strings.Count(log.String(), "groups_forgotten"); n < 2 || n > 8 {
		t.Errorf("told %d times: %s", n, log.String())
	}
}

func TestLookups(t *testing.T) {
	dir := folder(t, map[string]string{"in/admins.txt": "root\n", "in/net.json": `["10.*"]`, "other.yml": "- x\n", "bad.txt": "# none\n"})
	look, err := Lookups([]string{filepath.Join(dir, "in"), "%one%=" + filepath.Join(dir, "other.yml")})
	if err != nil || fmt.Sprint(look) != "map[admins:[root] net:[10.*] one:[x]]" {
		t.Errorf("%v %v", look, err)
	}
	for arg, want := range map[string]string{
		filepath.Join(dir, "none"):                  "expected NAME=FILE or a folder",
		"=x":                                        "expected NAME=FILE",
		"a=" + filepath.Join(dir, "none"):           "read lookup a",
		"a=" + filepath.Join(dir, "bad.txt"):        "no values",
		"admins=" + filepath.Join(dir, "other.yml"): "second file",
	} {
		if _, err := Lookups([]string{filepath.Join(dir, "in"), arg}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", arg, err)
		}
	}
	rules := strings.Replace(one("a"), "{kind: a}", "{'kind|expand': '%admins%'}", 1)
	s := newStage(t, Config{Rules: []string{folder(t, map[string]string{"r.yml": rules})}, Lookups: []string{filepath.Join(dir, "in")}})
	if got := brief(alertsOf(t, s, 1, ev("1", "ROOT", 0, ""))); got != "a-id 1" {
		t.Error(got)
	}
}

func FuzzRestoreClock(f *testing.F) {
	s := correlating(f, bruteForce, Config{})
	f.Add(s.cor.base(nil))
	f.Add([]byte{4, 1, 0, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		// The stage is used after what was refused, as it would be.
		_ = s.cor.restore(data, [][]byte{data})
		if err := s.cor.restore(s.cor.base(nil), nil); err != nil {
			t.Fatal(err)
		}
	})
}
