package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"leat/pkg/stage"
)

// lockedBuffer is a log that a test reads while it is written.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// A command's output is read to its end, its stderr is logged, and no shell sees its arguments.
func TestExec(t *testing.T) {
	said := &lockedBuffer{}
	cfg := testConfig(t, `exec:printf '%s\n' one "two words" $HOME ';' \"`)
	cfg.Log = slog.New(slog.NewTextHandler(said, nil))
	cfg.Inputs = []Input{{Exec: []string{"sh", "-c", "echo complaint >&2; echo three"}, Dataset: "app"}}
	k := collect(t, cfg)
	exactly(t, k.originals(), []string{"one", "two words", "$HOME", ";", `"`, "three"})
	if !strings.Contains(said.String(), "complaint") || !strings.Contains(said.String(), "source=exec:sh") {
		t.Errorf("log: %s", said)
	}
	uniqueIDs(t, k)
	// Without follow a failure is one of the run, behind what it wrote.
	src, err := New(testConfig(t, "exec:sh -c 'echo before; exit 7'"))
	if err != nil {
		t.Fatal(err)
	}
	k = &keeper{t: t}
	if err := stage.Pump(context.Background(), src, k); err == nil || !strings.Contains(err.Error(), "exit status 7") || !slices.Equal(k.originals(), []string{"before"}) {
		t.Errorf("%v, %q", err, k.originals())
	}
}

// Followed it is started again; when ingest stops, it gets SIGTERM, and its last words go on.
func TestExecFollowed(t *testing.T) {
	dir := t.TempDir()
	count := filepath.Join(dir, "starts")
	script := fmt.Sprintf(`echo x >>%s; n=$(wc -l <%s); echo start $n; [ $n -ge 2 ] || exit 1; trap 'echo last words; exit 0' TERM; while :; do sleep 0.05; done`, count, count)
	lakeDir := filepath.Join(t.TempDir(), "lake")
	cfg := testConfig(t)
	cfg.Resume = lakeDir
	cfg.Inputs = []Input{{Exec: []string{"sh", "-c", script}}}
	k := &keeper{t: t, commit: lakeWriter(t, lakeDir)}
	stop := following(t, cfg, k)
	k.await(2)
	stop()
	if got := k.originals(); !slices.Equal(got, []string{"start 1", "start 2", "last words"}) {
		t.Errorf("%q", got)
	}
}

// One that ignores SIGTERM, or whose child holds the pipe, does not hold up the end.
func TestExecStubborn(t *testing.T) {
	pid := filepath.Join(t.TempDir(), "pid")
	cfg := testConfig(t)
	cfg.Inputs = []Input{{Exec: []string{"sh", "-c", `trap '' TERM; sleep 1000 & echo $! >` + pid + `; echo up; wait`}}}
	k := &keeper{t: t}
	stop := following(t, cfg, k)
	k.await(1)
	begun := time.Now()
	stop()
	if took := time.Since(begun); took > 15*time.Second {
		t.Errorf("stopped after %s", took)
	}
	body, err := os.ReadFile(pid)
	if err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the child's end", func() bool {
		stat, err := os.ReadFile("/proc/" + strings.TrimSpace(string(body)) + "/stat")
		return err != nil || strings.Contains(string(stat), ") Z ")
	})
}

func TestBadExec(t *testing.T) {
	for source, want := range map[string]string{
		"exec:": "no program", "exec:no-such-program-here x": "no-such-program-here", `exec:sh "`: "without its end", "exec:''": "no program",
	} {
		if _, err := New(testConfig(t, source)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", source, err)
		}
	}
}

func TestSplitWords(t *testing.T) {
	for in, want := range map[string][]string{
		"a b\t c ": {"a", "b", "c"}, `'a b' "c 'd" e\ f`: {"a b", "c 'd", "e f"}, `a'b'"c"`: {"abc"}, `''`: {""}, `'\'`: {`\`}, "": nil, `"\""`: {`"`},
	} {
		if got, err := splitWords(in); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
}

// What is quoted comes back as one word.
func FuzzSplitWords(f *testing.F) {
	f.Add(`a 'b c'`)
	f.Add(`\`)
	f.Fuzz(func(t *testing.T, s string) {
		words, err := splitWords(s)
		if err != nil {
			return
		}
		var line []string
		for _, w := range words {
			line = append(line, "'"+strings.ReplaceAll(w, "'", `'\''`)+"'")
		}
		if again, err := splitWords(strings.Join(line, " ")); err != nil || !slices.Equal(again, words) {
			t.Fatalf("%q, again %q, %v", words, again, err)
		}
	})
}

// TestLoadInputs: a file of sources, and its faults with their places.
func TestLoadInputs(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "sources.yaml")
	cert, key := certificate(t, dir)
	writeFile(t, path, `sources:
  - source: logs/*.log
    dataset: app.java
    multiline: {start: '^\d{4}-', timeout: 3s, max_lines: 50}
  - source: syslog+tls://127.0.0.1:6514?idle=5s
    options: {cert: `+filepath.Base(cert)+`, key: `+key+`, max_message: 5000}
  - exec: [sh, -c, echo hello]
    dataset: shell
  - source: "-"
  - source: evtx:winlogs/*.evtx
`)
	list, err := LoadInputs(path)
	if err != nil {
		t.Fatal(err)
	}
	specs, err := parseSources(list)
	if err != nil {
		t.Fatal(err)
	}
	if s := specs[0]; s.path != filepath.Join(dir, "logs/*.log") || s.dataset != "app.java" || s.multi.MaxLines != 50 || s.multi.Timeout != 3*time.Second {
		t.Errorf("%+v", s)
	}
	if s := specs[1]; s.opts.maxMessage != 5000 || s.opts.idle != 5*time.Second || s.opts.tls == nil || s.name() != "syslog+tls://127.0.0.1:6514" {
		t.Errorf("%+v", s)
	}
	if s := specs[2]; !slices.Equal(s.argv, []string{"sh", "-c", "echo hello"}) || s.name() != "exec:sh" {
		t.Errorf("%+v", s)
	}
	if s := specs[4]; !s.evtx || s.path != filepath.Join(dir, "winlogs/*.evtx") {
		t.Errorf("%+v", s)
	}
	for text, want := range map[string][]string{
		"sources: []\n":                                                {":1:1", "no key sources"},
		"sources:\n  - surce: x\n":                                     {":2:5", "surce", "source", "^"},
		"sources:\n  - dataset: x\n":                                   {"source 1", "one of source"},
		"sources:\n  - source: gopher://x\n":                           {":2:13", "no kind of source", "^"},
		"sources:\n  - source: /x\n    multiline: {start: '('}\n":      {":3:24", "missing closing"},
		"sources:\n  - source: /x\n    multiline: {timeout: 3s}\n":     {":2:13", "start"},
		"sources:\n  - source: syslog+udp://:1\n    options: {a: 1}\n": {":2:13", "unknown option"},
		"sources:\n  - exec: [no-such-program-here]\n":                 {"no-such-program-here"},
	} {
		writeFile(t, path, text)
		_, err := LoadInputs(path)
		for _, w := range want {
			if err == nil || !strings.Contains(err.Error(), w) {
				t.Errorf("%q: %v, expected %q", text, err, w)
			}
		}
	}
	if _, err := LoadInputs(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}
