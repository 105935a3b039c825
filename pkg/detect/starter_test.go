package detect

import (
	"encoding/json"
	"io/fs"
	"path"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"leat/pkg/sigma"
	"leat/rules"
)

// TestStarterRules runs each starter rule's tests: a positive and a negative one at least.
func TestStarterRules(t *testing.T) {
	s, err := New(Config{Routing: true, Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	err = fs.WalkDir(rules.FS, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !sigma.IsRuleFile(p) {
			return err
		}
		count++
		data, err := fs.ReadFile(rules.FS, p)
		if err != nil {
			return err
		}
		list, faults := sigma.ParseFile(p, data, sigma.Options{})
		if len(faults) > 0 || len(list) != 1 {
			t.Fatalf("%s: %d rules, %v", p, len(list), faults)
		}
		t.Run(strings.TrimSuffix(p, path.Ext(p)), func(t *testing.T) { testRule(t, s, list[0], p) })
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if count < 20 {
		t.Errorf("only %d starter rules", count)
	}
}

func testRule(t *testing.T, s *Stage, r *sigma.Rule, p string) {
	data, err := fs.ReadFile(rules.FS, strings.TrimSuffix(p, path.Ext(p))+rules.TestSuffix)
	if err != nil {
		t.Fatalf("no tests: %v", err)
	}
	var file struct {
		Tests []struct {
			Name   string
			Raises bool
			Event  map[string]any
		}
	}
	if err := yaml.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	kinds := map[bool]bool{}
	for _, c := range file.Tests {
		kinds[c.Raises] = true
		line, err := json.Marshal(c.Event)
		if err != nil {
			t.Fatal(err)
		}
		ids := raised(t, s, line)[0]
		if got := slices.Contains(ids, r.ID); got != c.Raises {
			t.Errorf("%s: raised %v, want %v: %s", c.Name, got, c.Raises, line)
		}
	}
	if !kinds[true] || !kinds[false] {
		t.Error("one test that raises and one that does not are the least")
	}
	if r.Description == "" || len(r.Tags) == 0 || r.Level == sigma.LevelNone || r.ID == "" {
		t.Error("a starter rule has a description, tags, a level and an id")
	}
}
