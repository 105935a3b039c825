package persist_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"leat/pkg/lake"
	"leat/pkg/persist"
	"leat/pkg/row/rowtest"
)

func TestWhereEventsAreFiled(t *testing.T) {
	now := func() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) }
	tests := []struct{ name, event, dir string }{
		{"a dataset", `{"@timestamp":"2026-11-23T01:00:00.000Z","event":{"dataset":"linux.auth"}}`, "dataset=linux.auth/date=2026-11-23"},
		{"none", `{"@timestamp":"2026-11-23T01:00:00.000Z"}`, "dataset=_other/date=2026-11-23"},
		{"none and no time", `{}`, "dataset=_other/date=2026-11-24"},
		{"capitals", `{"event":{"dataset":"Linux"}}`, "dataset=_other/date=2026-11-24"},
		{"a way out", `{"event":{"dataset":"../../../tmp/x"}}`, "dataset=_other/date=2026-11-24"},
		{"two dots", `{"event":{"dataset":".."}}`, "dataset=_other/date=2026-11-24"},
		{"a quote", `{"event":{"dataset":"x'; DROP VIEW events; --"}}`, "dataset=_other/date=2026-11-24"},
		{"a NUL", `{"event":{"dataset":"x\u0000"}}`, "dataset=_other/date=2026-11-24"},
		{"a name of ours", `{"event":{"dataset":"_errors"}}`, "dataset=_other/date=2026-11-24"},
		{"too long", `{"event":{"dataset":"` + strings.Repeat("x", 65) + `"}}`, "dataset=_other/date=2026-11-24"},
		{"a number", `{"event":{"dataset":7}}`, "dataset=_other/date=2026-11-24"},
		{"an alert", `{"event":{"dataset":"linux.auth","kind":"alert"}}`, "dataset=_alerts/date=2026-11-24"},
		{"an error", `{"event":{"dataset":"linux.auth","kind":"pipeline_error"}}`, "dataset=_errors/date=2026-11-24"},
		{"no JSON", `hello`, "dataset=_errors/date=2026-11-24"},
		{"30 days ago", `{"@timestamp":"2026-10-25T00:00:00.000Z"}`, "dataset=_other/date=2026-10-25"},
		{"31 days ago", `{"@timestamp":"2026-10-24T23:59:59.999Z"}`, "dataset=_other/date=2026-11-24"},
		{"tomorrow", `{"@timestamp":"2026-11-25T23:59:59.999Z"}`, "dataset=_other/date=2026-11-25"},
		{"the day after", `{"@timestamp":"2026-11-26T00:00:00.000Z"}`, "dataset=_other/date=2026-11-24"},
		{"before 1970", `{"@timestamp":"1969-12-31T23:59:59.000Z"}`, "dataset=_other/date=2026-11-24"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := initLake(t)
			if err := persistAll(t, persist.Config{Dir: l.Dir(), Now: now}, tt.event); err != nil {
				t.Fatal(err)
			}
			for path, f := range state(t, l).Files {
				if filepath.Dir(path) != "data/"+tt.dir {
					t.Errorf("it is in %s", path)
				}
				if f.Rows != 1 || f.Bytes == 0 || len(f.SHA256) != 64 {
					t.Errorf("the log says %+v", f)
				}
			}
			if tt.event == "hello" {
				return
			}
			if got := contents(t, l, ""); len(got) != 1 || rowtest.Diff([]byte(tt.event), []byte(got[0])) != "" {
				t.Errorf("got %s", got)
			}
			sweptClean(t, l)
		})
	}
}

// TestManyDatasets: names that an attacker makes up do not explode the lake.
func TestManyDatasets(t *testing.T) {
	l := initLake(t)
	var lines []string
	for i := range 1500 {
		lines = append(lines, fmt.Sprintf(`{"event":{"dataset":"d%d"}}`, i))
	}
	if err := persistAll(t, persist.Config{Dir: l.Dir()}, lines...); err != nil {
		t.Fatal(err)
	}
	s := state(t, l)
	if n := len(s.Files); n != 257 {
		t.Errorf("%d files in one commit", n)
	}
	if got := ask(t, l, "SELECT count(*), count(DISTINCT event.dataset), count(*) FILTER (dataset = '_other') FROM events"); got != "1500 1500 1244\n" {
		t.Errorf("got %s", got)
	}
}

func TestTypesInConflict(t *testing.T) {
	l := initLake(t)
	lines := []string{
		`{"n":0,"source":{"port":443},"event":{"severity":3}}`,
		`{"n":1,"source":{"port":"https"},"event":{"severity":"high"}}`,
		`{"n":2,"source":"10.0.0.1","event":"login"}`,
		`{"n":3,"source":[{"port":1},{"port":2}],"event":null}`,
		`{"n":4,"source":{"port":[80]},"event":{"severity":{"level":3}}}`,
		`{"n":5,"source":{"port":1e2},"event":{"severity":true}}`,
	}
	if err := persistAll(t, persist.Config{Dir: l.Dir()}, lines...); err != nil {
		t.Fatal(err)
	}
	if got, want := ask(t, l, "SELECT source.port FROM events ORDER BY rest->'$.n'"), "443\n\n\n\n80\n100\n"; got != want {
		t.Errorf("ports are %q, want %q", got, want)
	}
	for i, got := range contents(t, l, "rest IS NOT NULL") {
		found := false
		for _, want := range lines {
			found = found || rowtest.Diff([]byte(want), []byte(got)) == ""
		}
		if !found {
			t.Errorf("event %d came back as %s", i, got)
		}
	}
}

func TestWideAndLong(t *testing.T) {
	l := initLake(t)
	var wide strings.Builder
	wide.WriteString(`{"message":"wide"`)
	for i := range 10_000 {
		fmt.Fprintf(&wide, `,"field %d":{"x":%d}`, i, i)
	}
	wide.WriteString("}")
	long := `{"message":"long","event":{"original":"` + strings.Repeat(`a\n\"é`, 600_000) + `"}}`
	lines := []string{`{"message":"short"}`, wide.String(), long, `{"message":"short too"}`}
	if err := persistAll(t, persist.Config{Dir: l.Dir()}, lines...); err != nil {
		t.Fatal(err)
	}
	if n := len(state(t, l).Files); n != 2 {
		t.Errorf("%d files; a row of more than 1 MiB has one of its own", n)
	}
	for _, want := range lines {
		word := strings.SplitN(want, `"`, 5)[3]
		got := contents(t, l, "message = '"+word+"'")
		if len(got) != 1 || rowtest.Diff([]byte(want), []byte(got[0])) != "" {
			t.Errorf("%s: not the same", word)
		}
	}
}

// TestSpillsAreBounded: neither open files nor buffers grow with the partitions.
func TestFilesAreNotHeldOpen(t *testing.T) {
	before := openFiles(t)
	l := initLake(t)
	s, err := persist.New(t.Context(), persist.Config{Dir: l.Dir()})
	if err != nil {
		t.Fatal(err)
	}
	idle := openFiles(t)
	for i := range 200 {
		b := batchOf(fmt.Sprintf(`{"message":%q,"event":{"dataset":"d%d"}}`, strings.Repeat("x", 200_000), i))
		if err := s.Batch(b); err != nil {
			t.Fatal(err)
		}
	}
	if n := openFiles(t); n > idle+2 {
		t.Errorf("%d files open with 200 partitions, %d without", n, idle)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if n := openFiles(t); n > before+2 {
		t.Errorf("%d files open after Close, %d before", n, before)
	}
}

func openFiles(t *testing.T) int {
	t.Helper()
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skipf("no /proc here: %v", err)
	}
	return len(names)
}

func TestBadConfiguration(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "diary.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, cfg := range []persist.Config{{}, {Dir: dir}, {Dir: initLake(t).Dir(), MaxRows: -1}, {Dir: initLake(t).Dir(), Threads: -1}} {
		if s, err := persist.New(t.Context(), cfg); err == nil {
			_ = s.Close()
			t.Errorf("%+v passes", cfg)
		}
	}
	if _, err := lake.Open(dir); err == nil {
		t.Error("a folder of other things became a lake")
	}
}

// TestTakesWithoutAllocating: an event costs no allocation, also where datasets take turns.
func TestTakesWithoutAllocating(t *testing.T) {
	l := initLake(t)
	s, err := persist.New(t.Context(), persist.Config{Dir: l.Dir(), MaxAge: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var lines []string
	for i := range 600 {
		lines = append(lines, fmt.Sprintf(`{"@timestamp":"2026-11-24T08:00:00.%03dZ","event":{"kind":"event","dataset":"d%d","category":["a","b"]},"message":"\u00e9","x":{"y":%d}}`, i, i%7, i))
	}
	b := batchOf(lines...)
	n := testing.AllocsPerRun(30, func() {
		if err := s.Batch(b); err != nil {
			t.Fatal(err)
		}
	})
	// Buffers grow, and files are opened.
	if n > 60 {
		t.Errorf("%v allocations for 600 events", n)
	}
}
