package sigma

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"leat/pkg/detect"
	"leat/pkg/event"
	"leat/pkg/ingest"
	"leat/pkg/normalize"
	"leat/pkg/stage"
)

// alerts is the Sink behind detect: it keeps the ids of the rules that fired.
type alerts struct{ rules []string }

func (a *alerts) Batch(b *event.Batch) error {
	for _, e := range b.Events {
		if e.Parse() == nil && e.Get(event.MustPath("event.kind")).Is("alert") {
			a.rules = append(a.rules, e.Get(event.MustPath("rule.id")).String())
		}
	}
	return nil
}
func (a *alerts) Hello(stage.Hello) error { return nil }
func (a *alerts) Mark(stage.Mark) error   { return nil }
func (a *alerts) Close() error            { return nil }

// TestRegressionFromEVTX runs SigmaHQ's regression cases from their event logs: through ingest, with normalize and without, each
// log raises its rule, as its .json form does (TestRegression in pkg/detect).
func TestRegressionFromEVTX(t *testing.T) {
	root := rulesOf(t, "regression")
	mappings, err := normalize.Load()
	if err != nil {
		t.Fatal(err)
	}
	d, err := detect.New(detect.Config{
		Rules: []string{rulesOf(t, "rules"), rulesOf(t, "rules-emerging-threats"), rulesOf(t, "rules-threat-hunting")}, Routing: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	id := regexp.MustCompile(`(?m)^\s+- id:\s*(\S+)`)
	cases := 0
	err = filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".evtx" {
			return err
		}
		info, err := os.ReadFile(filepath.Join(filepath.Dir(path), "info.yml"))
		if err != nil {
			return err
		}
		want := string(id.FindSubmatch(info)[1])
		cases++
		for name, stages := range map[string][]stage.Stage{
			"normalized": {normalize.New(normalize.Config{Mappings: mappings}), d}, "as it is": {d},
		} {
			src, err := ingest.New(ingest.Config{Sources: []string{path}})
			if err != nil {
				return err
			}
			var got alerts
			if err := stage.Pump(context.Background(), src, stage.NewChain(&got, stages...)); err != nil {
				return err
			}
			if !slices.Contains(got.rules, want) {
				t.Errorf("%s, %s: raised %v, not %s", path, name, got.rules, want)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if cases < 100 {
		t.Errorf("only %d cases", cases)
	}
}
