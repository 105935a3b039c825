package detect

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"leat/pkg/sigma"
)

func TestCoverage(t *testing.T) {
	dir := folder(t, map[string]string{"a.yml": graded("a", "low", "attack.t1059.001, attack.lateral_movement") + graded("b", "low", "attack.t1059.001, attack.s0154") +
		"title: U\nid: u\nlogsource: {product: nothing, service: known}\ndetection: {s: {odd: 1, user.name: x}, condition: s}\n"})
	l, err := Load(Sources{Rules: []string{dir}})
	if err != nil {
		t.Fatal(err)
	}
	c, err := l.Coverage()
	if err != nil {
		t.Fatal(err)
	}
	if c.Rules != 3 || c.Untagged != 1 || len(c.Tactics) != 1 || c.Tactics[0].ID != "lateral-movement" {
		t.Errorf("%+v", c)
	}
	if len(c.Techniques) != 1 || c.Techniques[0].ID != "T1059.001" || c.Techniques[0].Rules != 2 {
		t.Errorf("techniques %+v", c.Techniques)
	}
	if want := []SourceUse{{"linux/process_creation/-", 2, true}, {"nothing/-/known", 1, false}}; !slices.Equal(c.Sources, want) {
		t.Errorf("sources %+v", c.Sources)
	}
	if want := []FieldUse{{"odd", "nothing/-/known", 1}}; !slices.Equal(c.Fields, want) {
		t.Errorf("fields %+v", c.Fields)
	}
	data, err := json.Marshal(c.Layer())
	if err != nil {
		t.Fatal(err)
	}
	var layer struct {
		Domain     string
		Techniques []struct {
			TechniqueID string
			Score       int
		}
	}
	if err := json.Unmarshal(data, &layer); err != nil || layer.Domain != "enterprise-attack" || layer.Techniques[0].TechniqueID != "T1059.001" || layer.Techniques[0].Score != 2 {
		t.Errorf("%s %v", data, err)
	}
}

// Every log source and field of SigmaHQ's rules has a place, but for those that are named here.
func TestCoverageOfSigmaHQ(t *testing.T) {
	l, err := Load(Sources{Rules: sigmaHQ(t)})
	if err != nil {
		t.Fatal(err)
	}
	c, err := l.Coverage()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range c.Sources {
		if !s.Known {
			t.Errorf("no events are known to be of %s (%d rules)", s.Source, s.Rules)
		}
	}
	if len(c.Sources) < 130 {
		t.Errorf("only %d log sources", len(c.Sources))
	}
	for _, f := range c.Fields {
		t.Errorf("no place for %s of %s (%d rules)", f.Field, f.Source, f.Rules)
	}
}

func TestConvert(t *testing.T) {
	dir := folder(t, map[string]string{
		"r.yml": graded("a", "low", "x.y") + graded("b", "low", "x.y"),
		"f.yml": "title: No lab\nlogsource: {product: linux}\nfilter: {rules: [a], s: {host.name: lab}, condition: not s}\n",
		"p.yml": "transformations:\n- {type: field_name_mapping, mapping: {Image: [exe, program]}}",
	})
	l, err := Load(Sources{Rules: []string{filepath.Join(dir, "r.yml"), filepath.Join(dir, "f.yml")}, Pipelines: []string{filepath.Join(dir, "p.yml")}, Documents: true})
	if err != nil || len(l.Fatal) > 0 {
		t.Fatal(err, l.Fatal)
	}
	list, err := l.Convert([]string{"a"})
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	r := list[0]
	if want := `(exe ends with "a" or program ends with "a") and not host.name is "lab"`; r.Condition != want {
		t.Errorf("condition %s, want %s", r.Condition, want)
	}
	if len(r.Filters) != 1 || r.Filters[0] != "No lab" || len(r.Fields) != 3 || r.Fields[0].Field != "exe" {
		t.Errorf("%+v", r)
	}
	if !strings.HasPrefix(r.Rule, "title: T a\nid: a\n") || !strings.Contains(r.Rule, "- program: '*a'") {
		t.Errorf("rule\n%s", r.Rule)
	}
	// What is printed is a rule that means the same, pipelines and all.
	again, faults := sigma.ParseFile("again.yml", []byte(r.Rule), sigma.Options{})
	if len(faults) > 0 || again[0].Condition() != `exe ends with "a" or program ends with "a"` {
		t.Errorf("%v %v", again, faults)
	}
	if list, err = l.Convert(nil); err != nil || len(list) != 2 {
		t.Errorf("all: %d, %v", len(list), err)
	}
	if list, err = l.Convert([]string{"r"}); err != nil || len(list) != 2 {
		t.Errorf("by the file's name: %d, %v", len(list), err)
	}
	if _, err := l.Convert([]string{"zz"}); err == nil {
		t.Error("a rule that is not there was converted")
	}
}

func TestRuleStats(t *testing.T) {
	dir := folder(t, map[string]string{"a.yml": graded("a", "low", "x.y") + graded("b", "low", "x.y")})
	set := metrics.NewSet()
	s, err := New(Config{Rules: []string{dir}, Routing: true, Count: true, Metrics: set})
	if err != nil {
		t.Fatal(err)
	}
	process(t, s, `{"event":{"category":["process"]},"Image":"/bin/a"}`, `{"event":{"category":["process"]},"Image":"/bin/x"}`)
	st := s.RuleStats()
	if len(st) != 1 || st[0].ID != "a" || st[0].Matched != 1 || st[0].Evaluated != 1 {
		t.Errorf("%+v", st)
	}
	var b bytes.Buffer
	set.WritePrometheus(&b)
	if !strings.Contains(b.String(), `leat_rule_matches_total{rule="a"} 1`) {
		t.Errorf("metrics:\n%s", &b)
	}
	b.Reset()
	if err := s.WriteStats(&b); err != nil || !strings.Contains(b.String(), "T a") {
		t.Errorf("%v\n%s", err, &b)
	}
}

// TestWatch: a rule that is added, also in a new folder, works without a signal; a broken one leaves the old at work.
func TestWatch(t *testing.T) {
	dir := folder(t, map[string]string{"a.yml": graded("a", "low", "x.y")})
	var log lockedBuffer
	s, err := New(Config{Rules: []string{dir}, Strict: true, Watch: true, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	raises := func(id string) bool { return len(raised(t, s, []byte(`{"Image":"/bin/`+id+`"}`))[0]) > 0 }
	await := func(what string, ok func() bool) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s did not happen; log:\n%s", what, log.String())
			}
		}
	}
	if !raises("a") || raises("b") {
		t.Fatal("the first rules are not at work")
	}
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("b.yml", graded("b", "low", "x.y"))
	await("the new rule", func() bool { return raises("b") })
	write("sub/c.yml", graded("c", "low", "x.y"))
	await("the rule in a new folder", func() bool { return raises("c") })
	write("b.yml", "title: broken\n")
	await("the word about the fault", func() bool { return strings.Contains(log.String(), "rules not reloaded") })
	if !raises("a") || !raises("b") {
		t.Error("the old rules are gone")
	}
}
