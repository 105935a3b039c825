package alert

import (
	"encoding/json"
	"strings"
	"testing"

	"leat/pkg/event"
)

const enriched = `{"@timestamp":"2026-11-24T08:17:44.000Z","event":{"id":"e1","dataset":"linux.auth","category":["authentication"],"outcome":"success","original":"secret"},` +
	`"user":{"name":"anna.kovacs","department":"Development","office":{"city":"Budapest"}},` +
	`"host":{"name":"pay-01","function":"Payroll","office":{"city":"Dublin","country":"Ireland"}},"source":{"ip":"203.0.113.5"}}`

func subject(t testing.TB, line string) *Subject {
	t.Helper()
	e := &event.Event{}
	e.Reset([]byte(line))
	if err := e.Parse(); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	s := &Subject{}
	s.Read(e)
	return s
}

func writer(t testing.TB, r Rule) *Writer {
	t.Helper()
	w, err := NewWriter(r)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestAlert(t *testing.T) {
	w := writer(t, Rule{
		ID: "r1", Name: "A \"rule\"", Description: "What.\n", Version: "2026-11-24", Author: "us", License: "MIT",
		References: []string{"https://example.org"}, Level: "high", Message: "{user} opened {host}",
		Tags: []string{"attack.lateral_movement", "attack.t1021.002", "attack.t1021", "cve.2021-1"}, Actions: []string{"Ask"},
	})
	got := string(w.Append(nil, subject(t, enriched), []Clause{
		{Field: "user.department", Want: "Development", Value: "Development"},
		{Field: "host.function", Modifiers: "contains|all", Want: "Pay", Value: "Payroll"},
		{Want: "evil", Value: "so evil"},
	}))
	want := `{"@timestamp":"2026-11-24T08:17:44.000Z","event":{"kind":"alert","id":"` + event.DeriveID("r1", "e1") + `","dataset":"leat.alert","severity":73,` +
		`"category":["authentication"],"outcome":"success"},` +
		`"rule":{"id":"r1","name":"A \"rule\"","description":"What.","version":"2026-11-24","license":"MIT","author":["us"],"reference":"https://example.org"},` +
		`"tags":["attack.lateral_movement","attack.t1021.002","attack.t1021","cve.2021-1"],` +
		`"threat":{"framework":"MITRE ATT&CK","tactic":{"id":["TA0008"],"name":["Lateral Movement"]},"technique":{"id":["T1021"],"subtechnique":{"id":["T1021.002"]}}},` +
		`"user":{"name":"anna.kovacs","department":"Development","office":{"city":"Budapest"}},` +
		`"host":{"name":"pay-01","function":"Payroll","office":{"city":"Dublin","country":"Ireland"}},"source":{"ip":"203.0.113.5"},` +
		`"message":"anna.kovacs (Development, Budapest) opened pay-01 (Payroll, Dublin, Ireland); because user.department is Development and host.function contains Pay and the event contains evil",` +
		`"leat":{"alert":{"level":"high","events":[{"id":"e1","dataset":"linux.auth"}],"matched":[` +
		`{"field":"user.department","want":"Development","value":"Development"},{"field":"host.function","modifiers":"contains|all","want":"Pay","value":"Payroll"},` +
		`{"want":"evil","value":"so evil"}],"actions":["Ask"]}}}`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// Whatever an event and a rule hold, the alert is one JSON object with its id, severity and message.
func FuzzAlert(f *testing.F) {
	f.Add(enriched, "{user} at {host} from {source}: {event.outcome}", "attack.t1059", "want")
	f.Add(`{"user":"a text","host":null,"source":[1],"@timestamp":3,"event":"x"}`, "", "attack.execution", "\x00\xff")
	f.Add(`{"Computer":"PC\u0000\ud800","User":"D\\u"}`, "{", "", "")
	f.Fuzz(func(t *testing.T, line, message, tag, want string) {
		var e event.Event
		e.Reset([]byte(line))
		if e.Parse() != nil || strings.Contains(line, "\n") {
			return // an event is one line
		}
		w, err := NewWriter(Rule{ID: "r", Name: want, Level: tag, Message: message, Tags: []string{tag}, Actions: []string{want}})
		if err != nil {
			return
		}
		var s Subject
		s.Read(&e)
		out := w.Append(nil, &s, []Clause{{Field: tag, Modifiers: message, Want: want, Value: line}})
		var got struct {
			Event struct {
				Kind, ID string
				Severity int
			}
			Message string
		}
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if got.Event.Kind != "alert" || len(got.Event.ID) != 32 || got.Event.Severity == 0 || strings.ContainsAny(got.Message, "\x1b\n") && want == "" {
			t.Errorf("%s", out)
		}
		if strings.IndexByte(string(out), '\n') >= 0 {
			t.Errorf("more than a line: %q", out)
		}
	})
}

func TestRawWindowsEvents(t *testing.T) {
	w := writer(t, Rule{ID: "r", Name: "N", Level: "low"})
	for line, want := range map[string]string{
		`{"Computer":"PC-1","User":"DOM\\bob","SystemTime":"2020-06-10T02:50:56.537Z"}`:                                                                `N: DOM\bob on PC-1`,
		`{"Event":{"System":{"Computer":"PC-2","TimeCreated":{"#attributes":{"SystemTime":"2025-11-27T07:40:10.165324Z"}}},"EventData":{"User":"x"}}}`: `N: x on PC-2`,
		`{"Computer":"PC-4","User":"z","UtcTime":"2026-11-24 08:00:00.123"}`:                                                                           `N: z on PC-4`,
		`{"winlog":{"computer_name":"PC-3","event_data":{"SubjectUserName":"y"}},"@timestamp":"2025-11-27T07:40:10.165324Z"}`:                          `N: y on PC-3`,
	} {
		s := subject(t, line)
		var got struct {
			Time    string `json:"@timestamp"`
			Host    struct{ Name string }
			User    struct{ Name string }
			Message string
		}
		if err := json.Unmarshal(w.Append(nil, s, nil), &got); err != nil {
			t.Fatal(err)
		}
		if got.Message != want || got.Time == "" || !strings.HasSuffix(got.Message, got.Host.Name) || got.User.Name == "" {
			t.Errorf("%+v of %s", got, line)
		}
	}
}

// An event without an id gets one from its bytes: the same for the same, another for another.
func TestIDs(t *testing.T) {
	a, b, c := subject(t, `{"x":1}`), subject(t, `{"x":1}`), subject(t, `{"x":2}`)
	if a.EventID() != b.EventID() || a.EventID() == c.EventID() || len(a.EventID()) != 32 {
		t.Error(a.EventID(), b.EventID(), c.EventID())
	}
	w, v := writer(t, Rule{ID: "r1"}), writer(t, Rule{ID: "r2"})
	if w.ID("e") == v.ID("e") || w.ID("e") == w.ID("f") {
		t.Error("two alerts have one id")
	}
}

func TestSeverities(t *testing.T) {
	for _, l := range []string{"informational", "low", "medium", "high", "critical"} {
		if got := Level(int64(Severity(l))); got != l {
			t.Errorf("%s became %s", l, got)
		}
	}
	if Severity("") != Severity("low") || Level(0) != "informational" || Level(100) != "critical" {
		t.Error("the ends are wrong")
	}
}

func TestMessages(t *testing.T) {
	for _, c := range []struct{ template, line, want string }{
		{"{user} did {event.action}", `{"event":{"action":"it"}}`, "an unnamed user did it"},
		{"on {host} from {source}", `{}`, "on an unnamed host from an unknown address"},
		{"{a.b}", `{}`, "(no a.b)"},
		{"{a}", `{"a":17}`, "17"},
		{"{a}", `{"a":"x\u001b[31my\u0085z"}`, "x [31my z"},
		{"{a}", `{"a":"` + strings.Repeat("é", 100) + `"}`, strings.Repeat("é", 60) + "…"},
		{"{user}", `{"user":{"email":"a@b"}}`, "a@b"},
		{"{user}", `{"user":{"name":"anna","full_name":"Anna K","office":{"country":"Hungary"}}}`, "anna (Anna K, Hungary)"},
		{"{user}", `{"user":{"full_name":"Anna K"}}`, "Anna K"},
		{"{host}", `{"host":{"ip":["10.0.0.1"]},"destination":{"ip":"10.0.0.2"}}`, "10.0.0.2"},
		{"{source}", `{"source":{"ip":"203.0.113.1","geo":{"city_name":"Oslo","country_name":"Norway"}}}`, "203.0.113.1 (Oslo, Norway)"},
	} {
		if got := writer(t, Rule{Message: c.template}).Message(subject(t, c.line), nil); got != c.want {
			t.Errorf("%s on %s: %q, want %q", c.template, c.line, got, c.want)
		}
	}
	for _, bad := range []string{"{", "{}", "a {b", "{a..b}"} {
		if _, err := NewWriter(Rule{Message: bad}); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestReasons(t *testing.T) {
	for want, c := range map[string]Clause{
		"f starts with a":      {Field: "f", Modifiers: "startswith", Want: "a"},
		"f ends with a":        {Field: "f", Modifiers: "endswith|windash", Want: "a"},
		"f matches a":          {Field: "f", Modifiers: "re|i", Want: "a"},
		"f lies in a":          {Field: "f", Modifiers: "cidr", Want: "a"},
		"f agrees with a":      {Field: "f", Modifiers: "fieldref", Want: "a"},
		"f is above 1":         {Field: "f", Modifiers: "gt", Want: "1"},
		"f is at most 1":       {Field: "f", Modifiers: "lte", Want: "1"},
		"the event contains a": {Want: "a"},
	} {
		if got := writer(t, Rule{Name: "N"}).Message(subject(t, `{}`), []Clause{c}); got != "N; because "+want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	many := make([]Clause, 9)
	if got := writer(t, Rule{Name: "N"}).Message(subject(t, `{}`), many); !strings.HasSuffix(got, " and 5 more") {
		t.Error(got)
	}
}

// What is too large for an alert stays with the event that the alert refers to.
func TestLargeEntities(t *testing.T) {
	w := writer(t, Rule{ID: "r", Name: "N"})
	line := `{"process":{"command_line":"` + strings.Repeat("x", maxEntity) + `"},"host":{},"user":{"name":"bob"}}`
	out := string(w.Append(nil, subject(t, line), nil))
	if strings.Contains(out, `"process"`) || strings.Contains(out, `"host":{}`) || !strings.Contains(out, `"user":{"name":"bob"}`) {
		t.Error(out[:200])
	}
}

func BenchmarkAppend(b *testing.B) {
	w := writer(b, Rule{ID: "r1", Name: "A rule", Level: "high", Message: "{user} opened {host}", Tags: []string{"attack.t1021"}})
	s := subject(b, enriched)
	matched := []Clause{{Field: "user.department", Want: "Development", Value: "Development"}}
	var dst []byte
	b.SetBytes(int64(len(enriched)))
	b.ReportAllocs()
	for b.Loop() {
		s.Read(s.e)
		dst = w.Append(dst[:0], s, matched)
	}
}
