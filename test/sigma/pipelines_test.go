package sigma

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"leat/pkg/sigma/pipeline"
)

// applied is what pySigma made of a rule by a pipeline.
type applied struct {
	Pipeline string
	Rule     string
	Fields   []string
	Source   []string
	Error    string
	LeftOut  string `json:"left_out"`
}

// TestPipelinesOfPlugins takes the whole pipelines that pySigma's plugins carry as Python, wherever they are installed, and
// compares what they make of SigmaHQ's rules with what pySigma makes: the same fields and log sources, and the same refusals.
func TestPipelinesOfPlugins(t *testing.T) {
	python := os.Getenv("LEAT_PYTHON")
	if python == "" {
		python = "python3"
	}
	if out, err := exec.Command(python, "-c", "import sigma.pipelines.windows, yaml").CombinedOutput(); err != nil {
		t.Skipf("no Python with pySigma's plugins (pysigma-pipeline-windows and others; LEAT_PYTHON names it): %v: %s", err, lastLine(out))
	}
	dir := t.TempDir()
	roots := []string{rulesOf(t, filepath.Join("rules", "windows")), rulesOf(t, filepath.Join("rules", "network")), rulesOf(t, filepath.Join("rules", "macos"))}
	cmd := exec.Command(python, append([]string{filepath.Join("testdata", "pipelines.py"), dir, "8"}, roots...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, lastLine(stderr.Bytes()))
	}
	rules := rulesByID(t, roots)
	pipes := map[string]pipeline.Chain{}
	compared, refused := 0, 0
	for sc := bufio.NewScanner(bytes.NewReader(out)); sc.Scan(); {
		var want applied
		if err := json.Unmarshal(sc.Bytes(), &want); err != nil {
			t.Fatal(err)
		}
		if want.LeftOut != "" {
			t.Errorf("pipeline %s can't be written down: %s", want.Pipeline, want.LeftOut)
			continue
		}
		c, ok := pipes[want.Pipeline]
		if !ok {
			if c, err = pipeline.Read([]string{filepath.Join(dir, want.Pipeline+".yml")}); err != nil {
				t.Errorf("pipeline %s: %v", want.Pipeline, err)
			}
			pipes[want.Pipeline] = c
		}
		if c == nil || rules[want.Rule] == nil {
			continue
		}
		got := apply(t, c, rules[want.Rule])
		switch {
		case want.Error != "" && got.Error == "", want.Error == "" && got.Error != "":
			t.Errorf("%s, rule %s: refused with %q, by pySigma with %q", want.Pipeline, want.Rule, got.Error, want.Error)
		case want.Error != "":
			refused++
		case !slices.Equal(got.Fields, want.Fields) || !slices.Equal(got.Source, want.Source):
			t.Errorf("%s, rule %s:\ngot  %q of %q\nwant %q of %q", want.Pipeline, want.Rule, got.Fields, got.Source, want.Fields, want.Source)
		default:
			compared++
		}
	}
	t.Logf("%d pipelines, %d rules alike, %d refused alike", len(pipes), compared, refused)
	if len(pipes) == 0 || compared < 100 {
		t.Error("nothing was compared")
	}
}

func lastLine(b []byte) string {
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return lines[len(lines)-1]
}

func rulesByID(t *testing.T, roots []string) map[string][]byte {
	t.Helper()
	rules := map[string][]byte{}
	for _, root := range roots {
		err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".yml" {
				return err
			}
			data, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			var head struct{ ID string }
			if err := yaml.Unmarshal(data, &head); err == nil {
				rules[head.ID] = data
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return rules
}

// apply returns what c makes of a rule.
func apply(t *testing.T, c pipeline.Chain, rule []byte) (out applied) {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal(rule, &doc); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Apply(doc.Content[0]); err != nil {
		out.Error = err.Error()
		return out
	}
	var parsed struct {
		Detection map[string]any
		Logsource struct{ Product, Category, Service string }
	}
	if err := doc.Decode(&parsed); err != nil {
		t.Fatal(err)
	}
	out.Source = []string{parsed.Logsource.Product, parsed.Logsource.Category, parsed.Logsource.Service}
	delete(parsed.Detection, "condition")
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			for k := range v {
				if name, _, _ := strings.Cut(k, "|"); !slices.Contains(out.Fields, name) && name != "" {
					out.Fields = append(out.Fields, name)
				}
			}
		case map[any]any:
			t.Fatalf("a table with keys that are no text: %v", v)
		}
	}
	for _, search := range parsed.Detection {
		walk(search)
	}
	slices.Sort(out.Fields)
	return out
}
