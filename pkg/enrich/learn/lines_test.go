package learn

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"leat/pkg/event"
)

// built returns the normalize command: from LEAT_BIN, or built now.
func built(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv("LEAT_BIN"); dir != "" {
		return filepath.Join(dir, "normalize")
	}
	bin := filepath.Join(t.TempDir(), "normalize")
	if out, err := exec.Command("go", "build", "-o", bin, "leat/cmd/normalize").CombinedOutput(); err != nil {
		t.Fatalf("build normalize: %v\n%s", err, out)
	}
	return bin
}

// normalized runs raw lines through normalize.
func normalized(t testing.TB, raw []byte) [][]byte {
	t.Helper()
	cmd := exec.Command(built(t), "--tz", "UTC")
	cmd.Stdin = bytes.NewReader(raw)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("normalize: %v", err)
	}
	var lines [][]byte
	sc := bufio.NewScanner(bytes.NewReader(out))
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		lines = append(lines, bytes.Clone(sc.Bytes()))
	}
	return lines
}

var timePath = event.MustPath("@timestamp")

// learnLines teaches t what lines of events say.
func learnLines(t *Table, lines [][]byte) {
	for _, line := range lines {
		var e event.Event
		e.Reset(line)
		at, ok := event.ParseTime(e.Get(timePath).Text(nil))
		if ok {
			t.Learn(&e, at)
		}
	}
}

// lookedUp returns the answer as JSON.
func lookedUp(t *Table, key, at string) map[string]any {
	ns, ok := event.ParseTime([]byte(at))
	if !ok {
		panic(at)
	}
	row := t.Find([]byte(key), ns)
	if row < 0 {
		return nil
	}
	out := map[string]any{}
	for i, name := range t.Columns() {
		if cell := t.Cell(row, i); len(cell) > 0 {
			var v any
			if err := json.Unmarshal(cell, &v); err != nil {
				panic(err)
			}
			out[name] = v
		}
	}
	return out
}

// TestRealLines takes the lines of testdata/lines.txt through normalize, teaches a table with all presets, and asks what
// testdata/answers.txt says.
func TestRealLines(t *testing.T) {
	raw, err := os.ReadFile("testdata/lines.txt")
	if err != nil {
		t.Fatal(err)
	}
	tab, err := New(&Config{Preset: Presets()}, Options{Name: "leases", Now: func() time.Time { return time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC) }})
	if err != nil {
		t.Fatal(err)
	}
	learnLines(tab, normalized(t, raw))
	answers, err := os.ReadFile("testdata/answers.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(answers)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		key, rest, _ := strings.Cut(line, " ")
		at, want, _ := strings.Cut(rest, " ")
		got := lookedUp(tab, key, at)
		if want == "nothing" {
			if got != nil {
				t.Errorf("%s at %s: %v, want nothing", key, at, got)
			}
			continue
		}
		var fields map[string]any
		if err := json.Unmarshal([]byte(want), &fields); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		for name, v := range fields {
			if v == "" {
				v = nil
			}
			if got[name] != v {
				t.Errorf("%s at %s: %s is %v, want %v (all: %v)", key, at, name, got[name], v, got)
			}
		}
	}
	if s := tab.Stats(); s.Late+s.Old+s.Future+s.EvictedKeys+s.EvictedFacts > 0 {
		t.Errorf("%+v", s)
	}
}
