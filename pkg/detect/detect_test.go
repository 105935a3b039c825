package detect

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"leat/pkg/event"
	"leat/pkg/stage"
)

const ruleText = `title: %s
id: %s
logsource: {product: windows, category: process_creation}
detection:
    s: {CommandLine|contains: %s}
    condition: s
level: medium
`

// folder writes files into a new folder.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func newStage(t testing.TB, cfg Config) *Stage {
	t.Helper()
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// process runs lines through a stage and returns what comes out.
func process(t testing.TB, s stage.Stage, lines ...string) []string {
	t.Helper()
	var b event.Batch
	for _, l := range lines {
		if err := b.Push([]byte(l)).Parse(); err != nil {
			b.Fail(b.Events[len(b.Events)-1], "test", "json", err.Error())
		}
	}
	if err := s.Process(&b); err != nil {
		t.Fatal(err)
	}
	b.Compact()
	return strings.Split(strings.TrimSuffix(string(b.AppendLines(nil)), "\n"), "\n")
}

type record struct {
	Time    string `json:"@timestamp"`
	Message string
	Event   struct {
		Kind, ID string
		Severity int
	}
	Rule struct{ ID, Name string }
	User struct {
		Name, Department string
		Office           struct{ City string }
	}
	Host struct {
		Name, Function string
		Office         struct{ City, Country string }
	}
	Leat struct {
		Alert struct {
			Matched []struct{ Field, Want, Value string }
			Events  []struct{ ID string }
			Actions []string
		}
	}
}

func decode(t testing.TB, line string) (r record) {
	t.Helper()
	if err := json.Unmarshal([]byte(line), &r); err != nil {
		t.Fatalf("%v: %s", err, line)
	}
	return r
}

func person(name, department, city, host, function, hostCity, country string) string {
	return fmt.Sprintf(`{"@timestamp":"2026-11-24T08:17:44.000Z","event":{"id":"e-%s","kind":"event","dataset":"linux.auth","category":["authentication"]},`+
		`"user":{"name":%q,"department":%q,"office":{"city":%q}},"host":{"name":%q,"function":%q,"office":{"city":%q,"country":%q}}}`,
		name, name, department, city, host, function, hostCity, country)
}

// TestTheSeed is the case that leat was made for: a user of the development team in Budapest opens a payroll host in
// Ireland. The alert names the user, the office, the host, the host's office, and why.
func TestTheSeed(t *testing.T) {
	s := newStage(t, Config{Routing: true})
	line := person("anna.kovacs", "Development", "Budapest", "pay-01", "Payroll", "Dublin", "Ireland")
	out := process(t, s, line, person("bela", "Development", "Vienna", "pay-01", "Payroll", "Dublin", "Ireland"),
		person("cili", "Development", "Budapest", "dev-07", "Build", "Dublin", "Ireland"))
	if len(out) != 4 || out[0] != line {
		t.Fatalf("%d lines: %s", len(out), strings.Join(out, "\n"))
	}
	a := decode(t, out[1])
	if a.Event.Kind != "alert" || a.Event.ID != event.DeriveID(a.Rule.ID, "e-anna.kovacs") || a.Time != "2026-11-24T08:17:44.000Z" ||
		a.Event.Severity != 73 || a.Leat.Alert.Events[0].ID != "e-anna.kovacs" || len(a.Leat.Alert.Actions) == 0 {
		t.Errorf("%+v", a)
	}
	if a.User.Name != "anna.kovacs" || a.User.Office.City != "Budapest" || a.Host.Name != "pay-01" || a.Host.Office.City != "Dublin" {
		t.Errorf("%+v", a)
	}
	want := "anna.kovacs (Development, Budapest) opened pay-01 (Payroll, Dublin, Ireland); because user.department is Development and " +
		"user.office.city is Budapest and host.function is Payroll and host.office.country is Ireland"
	if a.Message != want {
		t.Errorf("%q", a.Message)
	}
	if len(a.Leat.Alert.Matched) != 4 || a.Leat.Alert.Matched[2].Value != "Payroll" {
		t.Errorf("%+v", a.Leat.Alert.Matched)
	}
}

// The same with a directory of other names, cities and departments: nothing of the first is built in.
func TestTheSeedElsewhere(t *testing.T) {
	dir := folder(t, map[string]string{"lab.yml": `title: Auditor From Lyon Opens a Laboratory Host in Chile
id: 00000000-0000-4000-8000-00000000000a
logsource: {definition: any}
detection:
    s:
        user.department: Audit
        user.office.city: Lyon
        host.function: Laboratory
        host.office.country: Chile
    condition: s
level: critical
leat: {message: '{user} reached {host}'}
`})
	s := newStage(t, Config{Rules: []string{dir}, Routing: true})
	out := process(t, s, person("Żofia", "audit", "LYON", "lab-9", "Laboratory", "Valparaíso", "Chile"),
		person("anna.kovacs", "Development", "Budapest", "pay-01", "Payroll", "Dublin", "Ireland"))
	if len(out) != 3 {
		t.Fatal(strings.Join(out, "\n"))
	}
	if m := decode(t, out[1]).Message; !strings.HasPrefix(m, "Żofia (audit, LYON) reached lab-9 (Laboratory, Valparaíso, Chile); because ") {
		t.Error(m)
	}
}

func TestWhatPasses(t *testing.T) {
	dir := folder(t, map[string]string{"a.yml": fmt.Sprintf(ruleText, "T", "00000000-0000-4000-8000-000000000001", "evil")})
	lines := []string{
		`{"CommandLine":"evil"}`,
		`{"event":{"kind":"alert"},"CommandLine":"evil"}`,
		`{"event":{"kind":"pipeline_error"},"CommandLine":"evil"}`,
		`no JSON evil`,
		`{"CommandLine":"good"}`,
	}
	out := process(t, newStage(t, Config{Rules: []string{dir}}), lines...)
	if len(out) != 6 || out[0] != lines[0] || out[2] != lines[1] || out[3] != lines[2] || out[5] != lines[4] {
		t.Errorf("%s", strings.Join(out, "\n"))
	}
	if decode(t, out[1]).Event.Kind != "alert" || decode(t, out[4]).Event.Kind != "pipeline_error" {
		t.Errorf("%s", strings.Join(out, "\n"))
	}
	out = process(t, newStage(t, Config{Rules: []string{dir}, AlertsOnly: true}), lines...)
	if len(out) != 2 || decode(t, out[0]).Rule.Name != "T" || out[1] != lines[1] {
		t.Errorf("alerts only: %s", strings.Join(out, "\n"))
	}
}

// Workers side by side give what one gives.
func TestWorkers(t *testing.T) {
	dir := folder(t, map[string]string{"a.yml": fmt.Sprintf(ruleText, "T", "00000000-0000-4000-8000-000000000001", "evil")})
	s := newStage(t, Config{Rules: []string{dir}, Routing: true})
	var lines []string
	for i := range 500 {
		lines = append(lines, fmt.Sprintf(`{"n":%d,"Channel":%q,"EventID":1,"CommandLine":%q}`, i,
			[]string{"Microsoft-Windows-Sysmon/Operational", "System", "X"}[i%3], []string{"evil", "good"}[i%2]))
	}
	one := process(t, s, lines...)
	four := process(t, newStage(t, Config{Rules: []string{dir}, Routing: true, Workers: 4}), lines...)
	if !slices.Equal(one, four) || len(one) <= len(lines) {
		t.Errorf("%d and %d lines", len(one), len(four))
	}
}

func TestFaultyRules(t *testing.T) {
	good := fmt.Sprintf(ruleText, "T", "00000000-0000-4000-8000-000000000001", "evil")
	bad := strings.Replace(good, "CommandLine|contains", "CommandLine|kontains", 1)
	dir := folder(t, map[string]string{"good.yml": good, "sub/bad.yml": bad, "sub/same.yml": good})
	var log bytes.Buffer
	s := newStage(t, Config{Rules: []string{dir}, Log: slog.New(slog.NewJSONHandler(&log, nil))})
	if len(s.set.rules) != 1 {
		t.Errorf("%d rules", len(s.set.rules))
	}
	for _, want := range []string{`"key":"detection.s.CommandLine|kontains"`, `bad.yml","line":5`, `has the same id`, `"rules":1,"left_out":2`} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("no %s in %s", want, log.String())
		}
	}
	for name, cfg := range map[string]Config{
		"bad.yml:5:": {Rules: []string{filepath.Join(dir, "sub", "bad.yml")}},
		"kontains":   {Rules: []string{dir}, Strict: true},
		"no such":    {Rules: []string{filepath.Join(dir, "none")}},
		"no rule to": {Rules: []string{t.TempDir()}},
	} {
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%v, want %s", err, name)
		}
	}
	msg := folder(t, map[string]string{"m.yml": good + "leat: {message: '{user'}\n"})
	if _, err := New(Config{Rules: []string{msg}}); err == nil || !strings.Contains(err.Error(), "m.yml:1: leat.message") {
		t.Errorf("%v", err)
	}
}

func TestReload(t *testing.T) {
	text := func(word string) string {
		return fmt.Sprintf(ruleText, word, "00000000-0000-4000-8000-000000000001", word)
	}
	dir := folder(t, map[string]string{"a.yml": text("first")})
	var log lockedBuffer
	s := newStage(t, Config{Rules: []string{dir}, Log: slog.New(slog.NewTextHandler(&log, nil))})
	fires := func(word string) bool { return len(process(t, s, `{"CommandLine":"`+word+`"}`)) == 2 }
	if !fires("first") || fires("second") {
		t.Fatal("wrong before")
	}
	reload := func(text string, done func() bool) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "a.yml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s.Reload()
		for range 500 {
			if done() {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
		t.Fatal("nothing happened in 5 s")
	}
	reload(text("second"), func() bool { return fires("second") })
	if fires("first") {
		t.Error("the old rule still works")
	}
	reload("title: broken\n", func() bool { return strings.Contains(log.String(), "the old ones stay") })
	if !fires("second") {
		t.Error("a broken file took the old rules away")
	}
}
