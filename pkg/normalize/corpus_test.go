package normalize

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"leat/pkg/ecs"
	"leat/pkg/event"
)

// readFloors reads the shares of expected ECS values, in per cent, that the shipped mappings must reach, by dataset and origin of the
// shared corpus, without a hint. Expected values are other projects' choices: docs/normalize-conformance.md says where we
// differ on purpose. A floor may only rise.
func readFloors(t *testing.T) map[string]float64 {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "floors.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	floors := map[string]float64{}
	for line := range strings.Lines(string(data)) {
		var name string
		var floor float64
		if _, err := fmt.Sscan(line, &name, &floor); err != nil {
			t.Fatalf("floors.tsv: %q: %v", line, err)
		}
		floors[name] = floor / 100
	}
	return floors
}

// sharedDir finds the shared test data; the test is skipped where it is absent.
func sharedDir(t *testing.T) string {
	t.Helper()
	dirs := []string{os.Getenv("LEAT_SHARED"), filepath.Join("..", "..", "..", "shared")}
	for _, d := range dirs {
		if d != "" {
			if _, err := os.Stat(filepath.Join(d, "normalize", "corpus")); err == nil {
				return d
			}
		}
	}
	t.Skip("skipped: the shared corpus is not here (set LEAT_SHARED, or put it beside the repository as ../shared)")
	return ""
}

type corpusCase struct {
	ID       string          `json:"id"`
	Schema   string          `json:"schema"`
	Input    json.RawMessage `json:"input"`
	Expected map[string]any  `json:"expected"`
}

// recordOf is the text of a case's input, as score.py takes it.
func recordOf(in json.RawMessage) string {
	var s string
	if json.Unmarshal(in, &s) == nil {
		return s
	}
	var o map[string]json.RawMessage
	if json.Unmarshal(in, &o) == nil {
		if m, ok := o["message"]; ok && json.Unmarshal(m, &s) == nil && only(o, "message", "sekoiaio", "event", "log") {
			return s
		}
		if j, ok := o["json"]; ok && len(j) > 0 && j[0] == '{' {
			return string(j)
		}
	}
	return string(in)
}

func only(o map[string]json.RawMessage, names ...string) bool {
	for k := range o {
		if !slices.Contains(names, k) {
			return false
		}
	}
	return true
}

func readCorpus(t *testing.T, path string) []corpusCase {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []corpusCase
	in := bufio.NewScanner(f)
	in.Buffer(nil, 16<<20)
	for in.Scan() {
		var c corpusCase
		if err := json.Unmarshal(in.Bytes(), &c); err != nil {
			continue // expected is a list of asserts there
		}
		if c.Schema == "ecs" && c.Expected != nil {
			out = append(out, c)
		}
	}
	if err := in.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// leftOut are expected values that the record's text does not carry, or that an enrichment gives.
func leftOut(name string) bool {
	for _, p := range strings.Split(name, ".") {
		switch p {
		case "geo", "as", "registered_domain", "top_level_domain", "subdomain":
			return true
		}
	}
	for _, p := range []string{
		"agent.", "ecs.", "event.ingested", "event.created", "event.original", "event.module", "event.dataset",
		"event.sequence", "event.id", "tags", "labels", "log.", "input.", "data_stream", "user_agent.name", "user_agent.version",
		"user_agent.os", "user_agent.device", "message", "related.", "action.", "os.",
	} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

func flatten(prefix string, v map[string]any, out map[string]any) {
	for k, e := range v {
		if o, ok := e.(map[string]any); ok {
			flatten(prefix+k+".", o, out)
			continue
		}
		out[prefix+k] = e
	}
}

// same compares as texts, lists as sets, times as instants.
func same(want, got any) bool {
	w, g := set(want), set(got)
	if len(w) != len(g) {
		return false
	}
	for k := range w {
		if !g[k] {
			return false
		}
	}
	return true
}

func set(v any) map[string]bool {
	out := map[string]bool{}
	l, ok := v.([]any)
	if !ok {
		l = []any{v}
	}
	for _, e := range l {
		s := fmt.Sprint(e)
		if f, ok := e.(float64); ok {
			s = fmt.Sprintf("%.0f", f)
		}
		if ts, err := time.Parse(time.RFC3339Nano, s); err == nil {
			s = ts.UTC().Truncate(time.Microsecond).String()
		}
		out[s] = true
	}
	return out
}

// TestCorpus compares with documents that others expect of real records.
func TestCorpus(t *testing.T) {
	dir := sharedDir(t)
	m, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	equals, alls, lawful, means := 0, 0, 0, 0.0
	floors := readFloors(t)
	for name, floor := range floors {
		t.Run(name, func(t *testing.T) {
			equal, all := 0, 0
			for _, c := range readCorpus(t, filepath.Join(dir, "normalize", "corpus", name+".jsonl")) {
				e, a, l := compare(t, m, c)
				equal, all, lawful = equal+e, all+a, lawful+l
			}
			share := float64(equal) / float64(max(all, 1))
			equals, alls, means = equals+equal, alls+all, means+share
			t.Logf("%d of %d expected values equal: %.1f %%", equal, all, 100*share)
			if share < floor {
				t.Errorf("%.1f %% of the expected values are equal, the floor is %.0f %%", 100*share, 100*floor)
			}
		})
	}
	values, mean := float64(equals)/float64(max(alls, 1)), means/float64(len(floors))
	t.Logf("%.1f %% of %d expected values equal, %.1f %% as the mean of %d groups", 100*values, alls, 100*mean, len(floors))
	// What ECS does not allow can't be equal: a mapping that wrote it would not load.
	if share := float64(equals) / float64(max(lawful, 1)); share < 0.95 {
		t.Errorf("%.1f %% of the %d expected values that ECS allows are equal (floor 95 %%)", 100*share, lawful)
	} else {
		t.Logf("%.1f %% of the %d expected values that ECS allows", 100*share, lawful)
	}
	if values < 0.92 || mean < 0.90 {
		t.Errorf("%.1f %% of all expected values are equal (floor 92 %%), %.1f %% as the mean of the groups (floor 90 %%)", 100*values, 100*mean)
	}
}

// compare returns how many expected values are equal, how many there are, and how many of them are equal or what ECS allows.
func compare(t *testing.T, m *Mappings, c corpusCase) (equal, all, lawful int) {
	t.Helper()
	s := New(Config{Mappings: m})
	line, _ := event.AppendRecord([]byte(`{"event":{"id":"case",`), []byte(recordOf(c.Input)))
	var b event.Batch
	b.Push(append(line, `}}`...))
	if err := s.Process(&b); err != nil {
		t.Fatal(err)
	}
	b.Compact()
	if len(b.Events) == 0 {
		t.Fatalf("%s: lost", c.ID)
	}
	out := b.Events[0].Append(nil)
	var got map[string]any
	if err := json.Unmarshal(out, &got); err != nil || strings.ContainsAny(string(out), "\n\r") {
		t.Fatalf("%s: not one line of JSON: %v", c.ID, err)
	}
	have, want := map[string]any{}, map[string]any{}
	flatten("", got, have)
	flatten("", c.Expected, want)
	for k, v := range want {
		if root, _, _ := strings.Cut(k, "."); !isRoot(root) || leftOut(k) || v == nil || v == "" {
			continue
		}
		all++
		h, ok := have[k]
		ok = ok && same(v, h)
		if ok {
			equal++
		}
		if ok || allowed(k, v) {
			lawful++
		}
	}
	return equal, all, lawful
}

// allowed tells whether ECS 9 has the field, the field may have the value, and the value is one.
func allowed(name string, v any) bool {
	f, ok := ecs.Lookup(name)
	if !ok {
		return false
	}
	all, ok := v.([]any)
	if !ok {
		all = []any{v}
	}
	for _, x := range all {
		s := fmt.Sprint(x)
		if !f.Allows(s) || slices.Contains([]string{"-", "N/A", "none", "None", "null"}, s) ||
			strings.HasSuffix(name, ".mac") && !rfc7042.MatchString(s) {
			return false
		}
	}
	return true
}

// rfc7042 is the notation that ECS asks for.
var rfc7042 = regexp.MustCompile(`^[0-9A-F]{2}(-[0-9A-F]{2}){5}$`)

func isRoot(name string) bool { return ecs.Root(name) }

// TestCorpusIsTaken runs every record of the corpus, of whatever dataset: none may be lost, none may come out as
// anything but one line of JSON, and what was its original must still be there.
func TestCorpusIsTaken(t *testing.T) {
	dir := sharedDir(t)
	m, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(filepath.Join(dir, "normalize", "corpus", "*", "*.jsonl"))
	s := New(Config{Mappings: m})
	n, failed := 0, 0
	for _, f := range files {
		for _, c := range readCorpus(t, f) {
			var b event.Batch
			text := recordOf(c.Input)
			line, _ := event.AppendRecord([]byte(`{"event":{"id":"case",`), []byte(text))
			b.Push(append(line, `}}`...))
			if err := s.Process(&b); err != nil {
				t.Fatal(err)
			}
			b.Compact()
			n++
			for _, e := range b.Events {
				if e.Failed() {
					failed++
				}
				out := e.Append(nil)
				if !json.Valid(out) || strings.ContainsAny(string(out), "\n\r") {
					t.Fatalf("%s %s: not one line of JSON: %s", f, c.ID, out)
				}
			}
			if len(b.Events) == 1 {
				var again event.Event
				again.Reset(b.Events[0].Append(nil))
				if got := again.Get(pathOriginal).String(); got != text {
					t.Fatalf("%s %s: the original has changed: %q", f, c.ID, got)
				}
			}
		}
	}
	t.Logf("%d records, %d pipeline_error", n, failed)
	if n < 1500 {
		t.Errorf("only %d records read", n)
	}
	if failed*50 > n {
		t.Errorf("%d of %d records became a pipeline_error", failed, n)
	}
}
