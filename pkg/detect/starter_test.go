package detect

import (
	"io/fs"
	"path"
	"strings"
	"testing"

	"leat/pkg/sigma"
	"leat/pkg/yamlfile"
	"leat/rules"
)

// TestStarterRules runs each starter rule's tests: a positive and a negative one at least.
func TestStarterRules(t *testing.T) {
	all, err := Load(Sources{})
	if err != nil || len(all.Faults) > 0 {
		t.Fatal(err, all.Faults)
	}
	ran := 0
	if err := Test(Sources{}, true, func(r TestResult) {
		if ran++; r.Fault != "" {
			t.Errorf("%s:%d: %s: %s %s", r.File, r.Line, r.Name, r.Rule, r.Fault)
		}
	}); err != nil || ran < 80 {
		t.Errorf("%d tests, %v", ran, err)
	}
	count := 0
	err = fs.WalkDir(rules.FS, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !sigma.IsRuleFile(p) {
			return err
		}
		count++
		t.Run(strings.TrimSuffix(p, path.Ext(p)), func(t *testing.T) { testFile(t, all, p) })
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if count < 40 {
		t.Errorf("only %d starter rules", count)
	}
}

// testFile looks at a file and the tests beside it, for the one rule in it that raises alerts.
func testFile(t *testing.T, all *Loaded, p string) {
	var raise []*sigma.Meta
	for _, r := range all.Rules {
		if r.File == "builtin/"+p && !r.Silent {
			raise = append(raise, &r.Meta)
		}
	}
	for _, c := range all.Correlations {
		if c.File == "builtin/"+p && !c.Silent {
			raise = append(raise, &c.Meta)
		}
	}
	if len(raise) != 1 {
		t.Fatalf("%d rules that raise alerts", len(raise))
	}
	data, err := fs.ReadFile(rules.FS, strings.TrimSuffix(p, path.Ext(p))+rules.TestSuffix)
	if err != nil {
		t.Fatalf("no tests: %v", err)
	}
	var file ruleTests
	if _, err := yamlfile.Decode(p, data, &file); err != nil {
		t.Fatal(err)
	}
	r, kinds := raise[0], map[bool]bool{}
	for _, c := range file.Tests {
		kinds[c.Raises] = true
	}
	if !kinds[true] || !kinds[false] {
		t.Error("one test that raises and one that does not are the least")
	}
	if r.Description == "" || len(r.Tags) == 0 || r.Level == sigma.LevelNone || r.ID == "" {
		t.Error("a starter rule has a description, tags, a level and an id")
	}
}
