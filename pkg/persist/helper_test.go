package persist_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"leat/pkg/lake"
	"leat/pkg/persist"
	"leat/pkg/query"
	"leat/pkg/stage"
)

func TestMain(m *testing.M) {
	if run, ok := children()[os.Getenv("LEAT_TEST_CHILD")]; ok {
		if err := run(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// children are what this test binary does when it is started as a process of its own.
func children() map[string]func(args []string) error {
	return map[string]func(args []string) error{
		"persist": func(args []string) error { return pump(args[0], os.Stdin) },
		"trickle": func(args []string) error { return trickleOn(args[0]) },
		"open": func(args []string) error {
			l, err := lake.Init(args[0])
			if err != nil {
				return err
			}
			_, err = l.OpenPipeline(context.Background(), "default")
			return err
		},
	}
}

func child(what string, args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), "LEAT_TEST_CHILD="+what)
	return cmd
}

func pump(dir string, in io.Reader) error {
	s, err := persist.New(context.Background(), persist.Config{Dir: dir})
	if err != nil {
		return err
	}
	return stage.Pump(context.Background(), &stage.Lines{In: in, Stage: "persist"}, s)
}

// persistAll runs a whole pipe of lines into the lake at cfg.Dir.
func persistAll(t testing.TB, cfg persist.Config, lines ...string) error {
	t.Helper()
	s, err := persist.New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	in := strings.NewReader(strings.Join(lines, "\n") + "\n")
	return stage.Pump(t.Context(), &stage.Lines{In: in, Stage: "persist"}, s)
}

// marked is a stream that ingest would send.
type marked struct {
	session lake.Session
	lines   []string
}

func openMarked(t testing.TB, l *lake.Lake) *marked {
	t.Helper()
	s, err := l.OpenPipeline(t.Context(), "default")
	if err != nil {
		t.Fatal(err)
	}
	m := &marked{session: s}
	m.control(stage.AppendHello(nil, stage.Hello{Lake: s.Lake, Pipeline: s.Pipeline, Epoch: s.Epoch, Run: s.Run, Resume: s.Mark}))
	return m
}

func (m *marked) control(line []byte) {
	m.lines = append(m.lines, strings.TrimSuffix(string(line), "\n"))
}

func (m *marked) events(lines ...string) { m.lines = append(m.lines, lines...) }

func (m *marked) mark(n, since int64, end bool, positions map[string]string) {
	m.control(stage.AppendMark(nil, stage.Mark{N: n, Run: m.session.Run, Since: since, Sources: positions, End: end}))
}

func initLake(t testing.TB) *lake.Lake {
	t.Helper()
	l, err := lake.Init(filepath.Join(t.TempDir(), "lake"))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func state(t testing.TB, l *lake.Lake) *lake.State {
	t.Helper()
	s, err := l.State()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// contents returns every event of the lake, sorted.
func contents(t testing.TB, l *lake.Lake, where string) []string {
	t.Helper()
	var out []string
	for line, err := range query.Events(t.Context(), l, where) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, string(line))
	}
	sort.Strings(out)
	return out
}

// sweptClean fails if anything lies in the lake that the log does not name, or is named and not there.
func sweptClean(t testing.TB, l *lake.Lake) {
	t.Helper()
	known := map[string]bool{}
	for path := range state(t, l).Files {
		known[path] = true
	}
	for _, top := range []string{"data", "staging"} {
		err := filepath.WalkDir(filepath.Join(l.Dir(), top), func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			rel, err := filepath.Rel(l.Dir(), path)
			if !known[filepath.ToSlash(rel)] {
				t.Errorf("%s is no committed file", rel)
			}
			delete(known, filepath.ToSlash(rel))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for path := range known {
		t.Errorf("%s is committed and not there", path)
	}
}

func ask(t testing.TB, l *lake.Lake, sql string) string {
	t.Helper()
	q, err := query.Open(t.Context(), l, query.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	r, err := q.Select(t.Context(), sql)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var b bytes.Buffer
	for {
		row, ok, err := r.Next(nil)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return b.String()
		}
		fmt.Fprintln(&b, strings.Join(row, " "))
	}
}

func wantError(t testing.TB, err, want error, words ...string) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got %v, want %v", err, want)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q does not say %q", err, w)
		}
	}
}
