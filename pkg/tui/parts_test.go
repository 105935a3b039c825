package tui

import (
	"strings"
	"testing"
	"time"
)

func TestSpark(t *testing.T) {
	var s spark
	s.tick(start)
	s.add(8)
	s.tick(start.Add(sparkCell))
	s.add(1)
	s.tick(start.Add(3 * sparkCell))
	s.add(4)
	if got := s.draw(6, s.top(6)); got != "  █▁ ▄" {
		t.Errorf("%q", got)
	}
	if s.total != 13 {
		t.Errorf("total %d", s.total)
	}
	s.tick(start.Add(2 * sparkCell)) // a clock that was set back
	s.tick(start.Add(1000 * sparkCell))
	if got := s.draw(4, s.top(4)); got != "    " {
		t.Errorf("after a long silence: %q", got)
	}
	var huge spark
	huge.tick(start)
	huge.add(1 << 31)
	if got := huge.draw(1, huge.top(1)); got != "█" {
		t.Errorf("huge: %q", got)
	}
}

func TestEdit(t *testing.T) {
	var l edit
	l.open("")
	line := func(keys ...string) string {
		for _, k := range keys {
			l.key(k, []rune(strings.TrimPrefix(k, "ctrl+")))
		}
		return string(l.text)
	}
	if got := line("a", "b", "ü", "left", "x", "right", "y"); got != "abxüy" {
		t.Errorf("%q", got)
	}
	if got := line("backspace", "home", "delete", "end", "backspace"); got != "bx" {
		t.Errorf("%q", got)
	}
	l.insert([]rune(" two words\x1b"))
	if got := line("ctrl+w"); got != "bx two " {
		t.Errorf("ctrl+w: %q", got)
	}
	if got := line("home", "right", "ctrl+k"); got != "b" {
		t.Errorf("ctrl+k: %q", got)
	}
	if got := line("ctrl+u"); got != "" {
		t.Errorf("ctrl+u: %q", got)
	}
	for range 5 {
		line("backspace", "delete", "left", "right", "ctrl+w", "up", "down")
	}
	l.insert([]rune(strings.Repeat("x", 2*maxEdit)))
	if len(l.text) != maxEdit {
		t.Errorf("a line of %d", len(l.text))
	}
}

func TestEditHistory(t *testing.T) {
	var l edit
	for _, s := range []string{"one", "two", "two", ""} {
		l.open(s)
		l.done()
	}
	l.open("draft")
	var got []string
	for _, k := range []string{"up", "up", "up", "down", "down", "down"} {
		l.key(k, nil)
		got = append(got, string(l.text))
	}
	if s := strings.Join(got, ","); s != "two,one,one,two,draft,draft" {
		t.Errorf("%s", s)
	}
	for i := range 100 {
		l.open(strings.Repeat("x", i+1))
		l.done()
	}
	if len(l.history) != 50 {
		t.Errorf("history of %d", len(l.history))
	}
}

func TestRow(t *testing.T) {
	for _, c := range []struct{ line, user, host, source, rule, entity string }{
		{`{"event":{"kind":"alert"},"user":{"email":"a@b"},"host":{"ip":["10.0.0.1","10.0.0.2"]},"rule":{"id":"r"}}`, "a@b", "10.0.0.1", "", "r", "a@b @ 10.0.0.1"},
		{`{"event":{"kind":"alert","action":"login"},"source":{"address":"x.test"}}`, "", "", "x.test", "login", "x.test"},
		{`{"event":{"kind":"alert"},"user":{"name":["",null,"eve"]},"rule":{"name":" padded "}}`, "eve", "", "", "padded", "eve"},
		{`{"event":{"kind":"alert"},"user":null,"host":"text","rule":[]}`, "", "", "", "", ""},
	} {
		r := rowOf(t, c.line)
		if r.user != c.user || r.host != c.host || r.source != c.source || r.rule != c.rule || r.entity() != c.entity {
			t.Errorf("%s: %+v", c.line, r)
		}
	}
	long := rowOf(t, `{"event":{"kind":"alert"},"message":"`+strings.Repeat("ä", 10_000)+`"}`)
	if len(long.message) > maxText+4 {
		t.Errorf("a message of %d bytes", len(long.message))
	}
}

func TestRowIsDrawnOnce(t *testing.T) {
	r := rowOf(t, alertLine(1, "high"))
	k := drawKey{width: 100, palette: Many, zone: time.UTC}
	first := r.draw(k, columnsFor(100))
	r.user = "changed"
	if r.draw(k, columnsFor(100)) != first {
		t.Error("drawn again though nothing changed")
	}
	k.width = 120
	if r.draw(k, columnsFor(120)) == first {
		t.Error("not drawn again for another width")
	}
}

func TestPlainLine(t *testing.T) {
	r := rowOf(t, `{"@timestamp":"2026-11-24T09:00:00Z","event":{"kind":"alert"},"rule":{"name":"R"},"leat":{"alert":{"level":"high"}},"user":{"name":"a b"},"message":"m"}`)
	if got := string(r.plainLine(nil, Plain, time.UTC)); got != `2026-11-24T09:00:00Z high          R user="a b" m` {
		t.Errorf("%q", got)
	}
	r = rowOf(t, `{"event":{"kind":"alert"}}`)
	if got := string(r.plainLine(nil, Plain, time.UTC)); got != `- -             `+" " {
		t.Errorf("%q", got)
	}
}

func TestSteps(t *testing.T) {
	m := testModel(100, 40)
	feed(t, m, alertLine(1, "high"))
	step := `{"@timestamp":"2026-11-24T09:00:01Z","event":{"kind":"event","action":"respond-done"},"message":"play lock has run act on user.name u1","leat":{"respond":{"alert":"a1"}}}`
	keys(m, "enter")
	m.view()
	m.arrive(arrival{steps: []*row{rowOf(t, step)}, now: m.now})
	if s := checkScreen(t, m); !strings.Contains(s, "RESPONSE") || !strings.Contains(s, "09:00:01 play lock has run act") {
		t.Errorf("the step is not in the open detail:\n%s", s)
	}
	for range 2 * maxSteps {
		m.steps.add(&row{stepOf: time.Now().String()})
	}
	if len(m.steps.byAlert) > maxSteps || len(m.steps.order) > maxSteps {
		t.Errorf("%d alerts with steps are kept", len(m.steps.byAlert))
	}
}

// TestDetailIsBounded has an alert of many members and of deep ones.
func TestDetailIsBounded(t *testing.T) {
	m := testModel(100, 40)
	var b strings.Builder
	b.WriteString(`{"event":{"kind":"alert","id":"x"},"user":{`)
	for i := range 20_000 {
		b.WriteString(`"k` + strings.Repeat("x", i%300) + `":"v",`)
	}
	b.WriteString(`"z":1},"deep":` + strings.Repeat(`{"a":[`, 50) + strings.Repeat(`]}`, 50) + `}`)
	feed(t, m, b.String())
	keys(m, "enter", "tab", "end")
	checkScreen(t, m)
	if n := len(m.detail.lines); n > maxDetailLines {
		t.Errorf("%d lines", n)
	}
}

func BenchmarkView(b *testing.B) {
	m := testModel(160, 45)
	m.palette = Many
	for i := range 1000 {
		feed(b, m, alertLine(i, "high"))
	}
	b.ReportAllocs()
	for b.Loop() {
		m.view()
	}
}
