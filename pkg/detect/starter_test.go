package detect

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"leat/pkg/event"
	"leat/pkg/sigma"
	"leat/rules"
)

// ruleTest is one test of a rule's file: an event, or a stream of them, that must raise the rule or must not.
type ruleTest struct {
	Name   string
	Raises bool
	Event  map[string]any
	Events []struct {
		Event  map[string]any
		Repeat int    // so many times, 0 is once
		Every  string // apart, with ids and times of their own
	}
}

// lines are the events of the test as lines.
func (c *ruleTest) lines(t *testing.T) (out []string) {
	put := func(e map[string]any) {
		line, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(line))
	}
	if c.Event != nil {
		put(c.Event)
	}
	for _, s := range c.Events {
		every, err := time.ParseDuration(s.Every)
		if s.Repeat > 0 && err != nil {
			t.Fatalf("%s: every: %v", c.Name, err)
		}
		for i := range max(s.Repeat, 1) {
			if s.Repeat > 0 {
				s.Event = again(t, s.Event, every, i)
			}
			put(s.Event)
		}
	}
	return out
}

// again is the event a number of times later: the first stays what it is.
func again(t *testing.T, e map[string]any, every time.Duration, n int) map[string]any {
	for _, key := range []string{"@timestamp", "SystemTime"} {
		text, ok := e[key].(string)
		if !ok || n == 0 {
			continue
		}
		ns, ok := event.ParseTime([]byte(text))
		if !ok {
			t.Fatalf("%s is no time", text)
		}
		e[key] = string(event.AppendTime(nil, ns+int64(every)))
	}
	if ev, ok := e["event"].(map[string]any); ok {
		first, _, _ := strings.Cut(fmt.Sprint(ev["id"]), "+")
		ev["id"] = fmt.Sprintf("%s+%d", first, n)
	}
	return e
}

// TestStarterRules runs each starter rule's tests: a positive and a negative one at least.
func TestStarterRules(t *testing.T) {
	all, err := Load(Sources{})
	if err != nil || len(all.Faults) > 0 {
		t.Fatal(err, all.Faults)
	}
	s, err := New(Config{Routing: true, Strict: true, Now: testNow})
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	err = fs.WalkDir(rules.FS, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !sigma.IsRuleFile(p) {
			return err
		}
		count++
		t.Run(strings.TrimSuffix(p, path.Ext(p)), func(t *testing.T) { testFile(t, all, s, p) })
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if count < 40 {
		t.Errorf("only %d starter rules", count)
	}
}

// testFile runs the tests beside a file for the one rule in it that raises alerts.
func testFile(t *testing.T, all *Loaded, s *Stage, p string) {
	var raise []*sigma.Meta
	correlates := false
	for _, r := range all.Rules {
		if r.File == "builtin/"+p && !r.Silent {
			raise = append(raise, &r.Meta)
		}
	}
	for _, c := range all.Correlations {
		if c.File == "builtin/"+p && !c.Silent {
			raise, correlates = append(raise, &c.Meta), true
		}
	}
	if len(raise) != 1 {
		t.Fatalf("%d rules that raise alerts", len(raise))
	}
	data, err := fs.ReadFile(rules.FS, strings.TrimSuffix(p, path.Ext(p))+rules.TestSuffix)
	if err != nil {
		t.Fatalf("no tests: %v", err)
	}
	var file struct{ Tests []ruleTest }
	if err := yaml.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	r, kinds := raise[0], map[bool]bool{}
	for _, c := range file.Tests {
		kinds[c.Raises] = true
		on := s
		if correlates { // every stream begins with nothing remembered
			if on, err = New(Config{Routing: true, Now: testNow}); err != nil {
				t.Fatal(err)
			}
		}
		lines := c.lines(t)
		got := slices.ContainsFunc(alertsOf(t, on, 10, lines...), func(l string) bool { return strings.Contains(l, `"rule":{"id":"`+r.ID+`"`) })
		if got != c.Raises {
			t.Errorf("%s: raised %v, want %v: %s", c.Name, got, c.Raises, strings.Join(lines, "\n"))
		}
	}
	if !kinds[true] || !kinds[false] {
		t.Error("one test that raises and one that does not are the least")
	}
	if r.Description == "" || len(r.Tags) == 0 || r.Level == sigma.LevelNone || r.ID == "" {
		t.Error("a starter rule has a description, tags, a level and an id")
	}
}
