// Package lake reads a lake as strangers do: by the built programs, and by DuckDB, Polars and pyarrow from Python with no more
// than the list of committed files.
package lake

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"leat/pkg/event"
	"leat/pkg/row/rowtest"
)

// program returns the path of a built program.
func program(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("LEAT_BIN")
	if dir == "" {
		dir = "../../bin"
	}
	p, err := filepath.Abs(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(p); err != nil {
		t.Skipf("%s is not built: make build", name)
	}
	return p
}

// engines are the Python packages that read a lake.
func engines() []string { return []string{"duckdb", "polars", "pyarrow"} }

// python returns a Python that has an engine's package.
func python(t testing.TB, engine string) string {
	t.Helper()
	p := os.Getenv("LEAT_PYTHON")
	if p == "" {
		p = "python3"
	}
	if err := exec.Command(p, "-c", "import "+engine).Run(); err != nil {
		t.Skipf("no Python with %s (make setup installs one; LEAT_PYTHON names it)", engine)
	}
	return p
}

// run runs a program to its end, which must be status 0, and returns what it printed.
func run(t testing.TB, stdin string, argv ...string) string {
	t.Helper()
	c := exec.Command(argv[0], argv[1:]...)
	c.Stdin = strings.NewReader(stdin)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("%s: %v\n%s", strings.Join(argv, " "), err, errs.String())
		}
		t.Fatal(err)
	}
	return out.String()
}

// persist puts lines into the lake.
func persist(t testing.TB, lake string, lines ...string) {
	t.Helper()
	run(t, strings.Join(lines, "\n")+"\n", program(t, "leat"), "persist", "--lake", lake)
}

// files lists the lake's committed files, one a line.
func files(t testing.TB, lake string) string {
	t.Helper()
	return run(t, "", program(t, "leat"), "files", "--lake", lake)
}

// byLeat returns every event of the lake, as leat gives them back.
func byLeat(t testing.TB, lake string) []string {
	t.Helper()
	return split(run(t, "", program(t, "leat"), "query", "--lake", lake, "--row-json", "FROM everything"))
}

// byPython returns every event of the lake, as read.py makes them of the rows that an engine reads.
func byPython(t testing.TB, lake, engine string) []string {
	t.Helper()
	return split(run(t, files(t, lake), python(t, engine), "read.py", engine))
}

func split(out string) []string {
	return strings.Split(strings.TrimSuffix(out, "\n"), "\n")
}

// same compares events by the text at path, which is another in each, and by their whole value.
func same(t *testing.T, path string, want, got []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d events, want %d", len(got), len(want))
	}
	have := map[string]string{}
	for _, g := range got {
		have[key(t, path, g)] = g
	}
	for _, w := range want {
		g, ok := have[key(t, path, w)]
		if !ok {
			t.Errorf("not there: %.200s", w)
		} else if d := rowtest.Diff([]byte(w), []byte(g)); d != "" {
			t.Errorf("%.1000s", d)
		}
	}
}

func key(t *testing.T, path, line string) string {
	t.Helper()
	var e event.Event
	e.Reset([]byte(line))
	if err := e.Parse(); err != nil {
		t.Fatalf("%v in %.200s", err, line)
	}
	return e.Get(event.MustPath(path)).String()
}
