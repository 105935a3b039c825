package respond

import (
	"testing"

	"leat/internal/wildcard"
	"leat/pkg/event"
)

func parsed(t testing.TB, line string) *event.Event {
	t.Helper()
	e := &event.Event{}
	e.Reset([]byte(line))
	if err := e.Parse(); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	return e
}

func read(t testing.TB, line string) alert {
	t.Helper()
	return readAlert(parsed(t, line), make([]event.Value, alertFields.Len()))
}

func TestWhen(t *testing.T) {
	const line = `{"event":{"kind":"alert","id":"a1","severity":99,"code":4625},"rule":{"id":"PAYROLL-1","name":"Payroll Abroad"},
		"leat":{"alert":{"level":"high"}},"source":{"ip":"::ffff:10.1.2.3"},"tags":["a","B c"],"n":null}`
	a := read(t, line)
	for _, c := range []struct {
		when string
		want bool
	}{
		{"{rule: payroll-1}", true},
		{"{rule: [x, 'pay*']}", true},
		{"{rule: 'payroll ab???d'}", true},
		{"{rule: payroll}", false},
		{"{severity: high}", true},
		{"{severity: medium}", true},
		{"{severity: '> high'}", false}, // the level in words counts before event.severity
		{"{severity: '= high'}", true},
		{"{severity: '<= medium'}", false},
		{"{severity: '< critical'}", true},
		{"{fields: {event.code: 4625}}", true},
		{"{fields: {event.code: 46}}", false},
		{"{fields: {tags: 'b*'}}", true},
		{"{fields: {source.ip: 10.0.0.0/8}}", true},
		{"{fields: {source.ip: 11.0.0.0/8}}", false},
		{"{fields: {n: '*'}}", false},
		{"{fields: {no.such: '*'}}", false},
		{"{fields: {event.code: 4625, tags: z}}", false},
		{"{rule: payroll-1, severity: critical}", false},
	} {
		b := book(t, "plays: [{name: p, when: "+c.when+", actions: [{exec: {argv: [/bin/true]}}]}]")
		if got := b.Plays[0].When.match(&a); got != c.want {
			t.Errorf("%s: %v", c.when, got)
		}
	}
}

func TestLevel(t *testing.T) {
	for line, want := range map[string]string{
		`{"leat":{"alert":{"level":"Critical"}},"log":{"level":"low"}}`: "critical",
		`{"log":{"level":"low"},"event":{"severity":99}}`:               "low",
		`{"log":{"level":"warning"},"event":{"severity":73}}`:           "high",
		`{"event":{"severity":21}}`:                                     "low",
		`{"event":{"severity":0}}`:                                      "informational",
		`{"event":{"severity":"47"}}`:                                   "medium",
		`{}`:                                                            "",
	} {
		a := read(t, line)
		got := ""
		if a.level >= 0 {
			got = levels[a.level]
		}
		if got != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
	if a := read(t, `{}`); (Severity{op: "<=", level: 4}).holds(a.level) {
		t.Error("an alert without a level met a comparison")
	}
}

func TestAlertWithoutID(t *testing.T) {
	a, b := read(t, `{"x":1}`), read(t, `{"x":2}`)
	if a.id == "" || a.id == b.id || a.id != read(t, `{"x":1}`).id {
		t.Errorf("ids %q %q", a.id, b.id)
	}
}

func FuzzGlob(f *testing.F) {
	f.Add("a*b?c", "axxbyc")
	f.Add("*", "")
	f.Fuzz(func(t *testing.T, pat, s string) {
		if wildcard.Match(pat, s) && !wildcard.Match("*"+pat+"*", "x"+s+"y") {
			t.Fatalf("%q matches %q but not around it", pat, s)
		}
		if !wildcard.Match("*", s) {
			t.Fatalf("* does not match %q", s)
		}
	})
}
