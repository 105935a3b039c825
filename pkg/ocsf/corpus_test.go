package ocsf

import (
	"bufio"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"leat/pkg/event"
	"leat/pkg/normalize"
)

// sharedDir finds the shared test data; the test is skipped where it is absent.
func sharedDir(t testing.TB) string {
	t.Helper()
	for _, d := range []string{os.Getenv("LEAT_SHARED"), filepath.Join("..", "..", "..", "shared")} {
		if d != "" {
			if _, err := os.Stat(filepath.Join(d, "normalize", "corpus")); err == nil {
				return filepath.Join(d, "normalize", "corpus")
			}
		}
	}
	t.Skip("skipped: the shared corpus is not here (set LEAT_SHARED, or put it beside the repository as ../shared)")
	return ""
}

type corpusCase struct {
	Schema   string          `json:"schema"`
	Input    json.RawMessage `json:"input"`
	Expected json.RawMessage `json:"expected"`
}

func eachCase(t testing.TB, path string, yield func(c corpusCase)) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	in := bufio.NewScanner(f)
	in.Buffer(nil, 16<<20)
	for in.Scan() {
		var c corpusCase
		if json.Unmarshal(in.Bytes(), &c) == nil {
			yield(c)
		}
	}
	if err := in.Err(); err != nil {
		t.Fatal(err)
	}
}

// recordOf is the text of a case's input.
func recordOf(in json.RawMessage) string {
	var s string
	if json.Unmarshal(in, &s) == nil {
		return s
	}
	var o map[string]json.RawMessage
	if json.Unmarshal(in, &o) == nil {
		if json.Unmarshal(o["message"], &s) == nil {
			return s
		}
		if j := o["json"]; len(j) > 0 && j[0] == '{' {
			return string(j)
		}
	}
	return string(in)
}

// pipe takes records through normalize and this stage.
type pipe struct {
	norm *normalize.Stage
	ocsf *Stage
}

func newPipe(t testing.TB) *pipe {
	t.Helper()
	m, err := normalize.Load()
	if err != nil {
		t.Fatal(err)
	}
	now := func() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) }
	s, err := New(now)
	if err != nil {
		t.Fatal(err)
	}
	return &pipe{normalize.New(normalize.Config{Mappings: m, Now: now}), s}
}

// run returns the events of a record, in ECS and in OCSF.
func (p *pipe) run(t testing.TB, record string) (ecs, out []string) {
	t.Helper()
	line, _ := event.AppendRecord([]byte(`{"event":{"id":"case",`), []byte(record))
	var b event.Batch
	b.Push(append(line, `}}`...))
	if err := p.norm.Process(&b); err != nil {
		t.Fatal(err)
	}
	b.Compact()
	for _, e := range b.Events {
		ecs = append(ecs, string(e.Append(nil)))
	}
	if err := p.ocsf.Process(&b); err != nil {
		t.Fatal(err)
	}
	for _, e := range b.Events {
		out = append(out, string(e.Append(nil)))
	}
	return ecs, out
}

// TestCorpusHoldsToTheSchema turns every record of the shared corpus: each event must be as the published schema wants it, and
// nothing of it may be lost.
func TestCorpusHoldsToTheSchema(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(sharedDir(t), "*", "*.jsonl"))
	p, c := newPipe(t), newChecker(t)
	n, classes, faults := 0, map[string]int{}, 0
	for _, f := range files {
		eachCase(t, f, func(k corpusCase) {
			ecs, out := p.run(t, recordOf(k.Input))
			for i, line := range out {
				if strings.Contains(ecs[i], `"kind":"pipeline_error"`) {
					continue
				}
				n++
				m := tree(t, line)
				classes[fmt.Sprint(m["class_name"])]++
				for _, fault := range slices.Concat(c.event([]byte(line)), lost(tree(t, ecs[i]), m)) {
					if faults++; faults < 20 {
						t.Errorf("%s: %s\n%.1500s\n%.1500s", filepath.Base(filepath.Dir(f)), fault, ecs[i], line)
					}
				}
			}
		})
	}
	t.Logf("%d events, %d faults: %v", n, faults, classes)
	if n < 2000 || len(classes) < 12 {
		t.Errorf("only %d events of %d classes", n, len(classes))
	}
}

// translated are the fields whose values OCSF says in its own words.
var translated = []string{
	"event.outcome", "network.type", "network.direction", "cloud.provider", "dns.response_code", "log.level", "http.request.method", "winlog.logon.type", "host.os.type",
	"log.syslog.severity.code", "event.duration", "leat.alert.level", "email.direction", "event.action", "host.mac",
}

// lost returns the values of an ECS event that its OCSF event does not say.
func lost(ecs, ocsf map[string]any) (out []string) {
	have := map[string]bool{}
	leaves("", ocsf, func(_ string, v any) { have[fmt.Sprint(v)] = true })
	leaves("", ecs, func(path string, v any) {
		if v == nil || v == "" || have[fmt.Sprint(v)] || slices.Contains(translated, path) {
			return
		}
		if ts, err := time.Parse(time.RFC3339Nano, fmt.Sprint(v)); err == nil && have[fmt.Sprint(ts.UnixMilli())] {
			return
		}
		out = append(out, fmt.Sprintf("lost: %s = %v", path, v))
	})
	return out
}

func leaves(path string, v any, yield func(path string, v any)) {
	switch o := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(o)) {
			leaves(strings.TrimPrefix(path+"."+k, "."), o[k], yield)
		}
	case []any:
		for _, e := range o {
			leaves(path, e, yield)
		}
	default:
		yield(path, v)
	}
}
