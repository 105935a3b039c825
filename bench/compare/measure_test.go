package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func testBench(t *testing.T) *bench {
	t.Helper()
	return &bench{o: &options{dir: t.TempDir(), n: 3, peers: "yes", cache: t.TempDir()}, out: io.Discard, env: os.Environ(), absent: map[string]bool{}}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestMeasureAPipe(t *testing.T) {
	b := testBench(t)
	write(t, filepath.Join(b.o.dir, "in"), "b\na\n")
	out, err := os.Create(filepath.Join(b.o.dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	f, err := b.measure([]string{"cat in", "sort", "tr a-z A-Z"}, out)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(out.Name()); string(got) != "A\nB\n" {
		t.Errorf("wrote %q", got)
	}
	if f.wall <= 0 || f.cpu <= 0 || f.rss <= 0 {
		t.Errorf("figures %+v", f)
	}
	_, err = b.measure([]string{"cat in", "sh -c 'cat >/dev/null; echo one >&2; echo no such rule >&2; exit 3'"}, nil)
	if err == nil || !strings.Contains(err.Error(), "exit status 3: no such rule") {
		t.Errorf("got %v", err)
	}
}

func TestInput(t *testing.T) {
	b := testBench(t)
	w := &work{in: "x.log"}
	text := "plain\na \"quote\" and a \\ backslash\nlast & least\n"
	write(t, filepath.Join(b.o.dir, "x.log"), text)
	for name, c := range map[string]struct {
		n       int
		wrapped bool
		file    string
		want    string
	}{
		"all of it":   {3, false, "x.log", text},
		"a beginning": {1, false, "x.log.1", "plain\n"},
		"wrapped":     {3, true, "x.log.wrapped", `{"message":"plain"}` + "\n" + `{"message":"a \"quote\" and a \\ backslash"}` + "\n" + `{"message":"last & least"}` + "\n"},
	} {
		got, err := b.input(w, c.n, c.wrapped)
		if err != nil || got != c.file {
			t.Errorf("%s: %s, %v", name, got, err)
		}
		if data, _ := os.ReadFile(filepath.Join(b.o.dir, got)); string(data) != c.want {
			t.Errorf("%s: %q", name, data)
		}
	}
	w.max = 2
	if name, _ := b.input(w, 2, false); name != "x.log" {
		t.Errorf("%s: a work with fewer events than were asked for uses its file as it is", name)
	}
}

func TestInstalled(t *testing.T) {
	b := testBench(t)
	if !b.installed("") || !b.installed("sh") || b.installed("no-such-program") || b.installed("py/duckdb") {
		t.Error("programs and packages")
	}
	if !b.absent["no-such-program"] || !b.absent["py/duckdb"] {
		t.Errorf("absent ones are to be named: %v", b.absent)
	}
	b.o.peers = "no"
	if b.installed("sh") || !b.installed("") {
		t.Error("-peers no leaves out all but ours")
	}
}

func TestCleanKeepsWhatStaysTheSame(t *testing.T) {
	dir := t.TempDir()
	for _, f := range []string{"audit.ndjson", "audit.ndjson.20000", "sshd.log.wrapped", "users.csv", "win.ndjson", "rename.jq"} {
		write(t, filepath.Join(dir, f), "")
	}
	if err := clean(dir); err != nil {
		t.Fatal(err)
	}
	left, _ := filepath.Glob(filepath.Join(dir, "*"))
	if len(left) != 2 || filepath.Base(left[0]) != "rename.jq" || filepath.Base(left[1]) != "win.ndjson" {
		t.Errorf("left %v", left)
	}
}

func TestFreshReplaces(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	write(t, filepath.Join(from, "a", "x.jq"), "new")
	write(t, filepath.Join(to, "a", "x.jq"), "old")
	if err := os.CopyFS(to, fresh{os.DirFS(from), to}); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(filepath.Join(to, "a", "x.jq")); string(got) != "new" {
		t.Errorf("%q", got)
	}
}

// TestTable takes a work through trial, rounds and table with programs that every system has.
func TestTable(t *testing.T) {
	b := testBench(t)
	var out strings.Builder
	b.out, b.o.runs, b.o.budget = &out, 2, 1
	write(t, filepath.Join(b.o.dir, "x.log"), "1\n2\n3\n")
	w := &work{name: "test", title: "Nothing", about: "at all.", in: "x.log", rows: []row{
		{tool: "ours", pipe: []string{"cat {in}"}, floor: true},
		{tool: "broken", pipe: []string{"false {in}"}},
		{tool: "theirs", peer: "no-such-program", pipe: []string{"no-such-program {in}"}},
	}}
	results, err := b.rounds(w)
	if err != nil {
		t.Fatal(err)
	}
	b.table(w, results)
	for _, want := range []string{"| ours | ", " × | 3 | not the work |", "| broken | failed |", "    cat x.log\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
	if strings.Contains(out.String(), "theirs") || !b.absent["no-such-program"] {
		t.Error("a peer that is not there has no row, but a name at the end")
	}
}
