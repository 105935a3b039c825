package lake

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// normal returns what the stages before persist make of the demonstration's logs: a dozen formats, with alerts and errors.
func normal(t testing.TB) []string {
	t.Helper()
	logs, err := filepath.Glob("../../examples/demo/*")
	if err != nil || len(logs) == 0 {
		t.Fatalf("no example logs: %v", err)
	}
	leat := program(t, "leat")
	out := run(t, "", append([]string{leat, "ingest"}, logs...)...)
	for _, stage := range []string{"normalize", "detect"} {
		out = run(t, out, leat, stage)
	}
	var lines []string
	for _, line := range split(out) {
		if !strings.HasPrefix(line, `{"@leat"`) {
			lines = append(lines, line)
		}
	}
	return append(lines, `not JSON`, `{"event":{"id":"plain","dataset":"x"},"n":1.50}`)
}

// TestOtherEnginesReadTheSame: DuckDB, Polars and pyarrow, with no more than the list of committed files, see every event that went in, to
// the digit.
func TestOtherEnginesReadTheSame(t *testing.T) {
	lake := filepath.Join(t.TempDir(), "lake")
	want := normal(t)
	persist(t, lake, want...)
	want = slices.DeleteFunc(want, func(line string) bool { return line == "not JSON" })
	for _, engine := range append(engines(), "leat") {
		t.Run(engine, func(t *testing.T) {
			var got []string
			if engine == "leat" {
				got = byLeat(t, lake)
			} else {
				got = byPython(t, lake, engine)
			}
			failed := slices.IndexFunc(got, func(line string) bool { return strings.Contains(line, `"original":"not JSON"`) })
			if failed < 0 {
				t.Fatal("the line that is no JSON is not there")
			}
			same(t, "event.id", want, slices.Delete(got, failed, failed+1))
		})
	}
}

// TestSameAnswers: the same SQL over the list of files gives Python's DuckDB what it gives leat.
func TestSameAnswers(t *testing.T) {
	lake := filepath.Join(t.TempDir(), "lake")
	persist(t, lake, normal(t)...)
	py, list := python(t, "duckdb"), files(t, lake)
	for _, sql := range []string{
		`SELECT event.dataset AS d, count(*) AS n FROM everything GROUP BY ALL ORDER BY ALL`,
		`SELECT source.ip AS ip, source.port AS port, count(*) AS n FROM everything WHERE source.ip IS NOT NULL GROUP BY ALL ORDER BY ALL`,
		`SELECT CAST("@timestamp" AS VARCHAR) AS at, message FROM everything WHERE "@timestamp" >= '2026-11-24' ORDER BY ALL`,
		`SELECT event.category[1] AS c, len(event.category) AS n, rule.name AS rule FROM everything ORDER BY ALL`,
		`SELECT rest->>'$.linux.auth.method' AS method, count(*) AS n FROM everything GROUP BY ALL ORDER BY ALL`,
		`SELECT dataset, CAST(date AS VARCHAR) AS date, count(*) AS n FROM everything GROUP BY ALL ORDER BY ALL`,
	} {
		ours := split(run(t, "", program(t, "leat"), "query", "--lake", lake, "--json", sql))
		theirs := split(run(t, list, py, "-c", `import duckdb, json, sys
everything = duckdb.read_parquet(sys.stdin.read().split("\n")[:-1], union_by_name=True, hive_partitioning=True)
r = duckdb.sql(sys.argv[1])
for row in r.fetchall(): print(json.dumps(dict(zip(r.columns, row)), separators=(",", ":"), ensure_ascii=False))`, sql))
		if !slices.Equal(ours, theirs) || len(ours) < 2 {
			t.Errorf("%s\nleat\n%s\nDuckDB from Python\n%s", sql, strings.Join(ours, "\n"), strings.Join(theirs, "\n"))
		}
	}
}

// TestHotIsTheSame: what a running persist has not committed is read as it will be when it is; what is fed while queries run never goes back.
func TestHotIsTheSame(t *testing.T) {
	lake := filepath.Join(t.TempDir(), "lake")
	leat := program(t, "leat")
	c := exec.Command(leat, "persist", "--lake", lake, "--max-age", "1h")
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill() })
	var want []string
	for name, body := range hostile() {
		want = append(want, fmt.Sprintf(`{"k":%q,%s}`, name, body))
	}
	w := bufio.NewWriter(in)
	for _, line := range want {
		fmt.Fprintln(w, line)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	var hot []string
	seen := 0
	for deadline := time.Now().Add(60 * time.Second); len(hot) < len(want) && time.Now().Before(deadline); {
		if _, err := os.Stat(filepath.Join(lake, "format")); err != nil {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		out := run(t, "", leat, "query", "--lake", lake, "--hot", "--row-json", "FROM everything")
		if hot = split(out); out == "" {
			hot = nil
		}
		if len(hot) < seen {
			t.Fatalf("%d events, and %d before", len(hot), seen)
		}
		seen = len(hot)
	}
	same(t, "k", want, hot)
	if out := files(t, lake); out != "" {
		t.Errorf("committed already: %s", out)
	}
	if err := in.Close(); err != nil && err != io.ErrClosedPipe {
		t.Fatal(err)
	}
	if err := c.Wait(); err != nil {
		t.Fatal(err)
	}
	same(t, "k", want, byLeat(t, lake))
	if hot := split(run(t, "", leat, "query", "--lake", lake, "--hot", "--row-json", "FROM everything")); len(hot) != len(want) {
		t.Errorf("%d events behind the commit, %d went in", len(hot), len(want))
	}
}
