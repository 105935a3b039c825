package query

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"leat/pkg/lake"
)

// TestExplain: the numbers are those of the log and the footers, and fall from line to line.
func TestExplain(t *testing.T) {
	q := timed(t, time.Now())
	e, err := q.Explain(t.Context(), `SELECT message FROM events WHERE "@timestamp" > now() - INTERVAL 20 HOUR AND dataset = 'linux.auth'`, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	if len(e.Views) != 1 {
		t.Fatalf("%+v", e.Views)
	}
	v := e.Views[0]
	if v.View != "events" || !v.Known || v.InLake != len(q.files) || v.OfKind >= v.InLake || v.InPartitions >= v.OfKind || v.Files >= v.InPartitions || v.Files == 0 {
		t.Errorf("%+v", v)
	}
	if v.RowGroups < v.Files || v.RowGroupsLeft == 0 || v.ColumnBytes == 0 || v.ColumnBytes >= v.Bytes || strings.Join(v.Columns, " ") != "@timestamp message" {
		t.Errorf("%+v", v)
	}
	for _, want := range []string{"files in the lake", "left by dataset and date", "columns: @timestamp, message", "READ_PARQUET"} {
		if !strings.Contains(e.String(), want) {
			t.Errorf("no %q in\n%s", want, e)
		}
	}
	e, err = q.Explain(t.Context(), "SELECT (SELECT count(*) FROM alerts), count(*) FROM errors WHERE message = $m", map[string]string{"m": "x"}, true)
	if err != nil || len(e.Views) != 2 || !strings.Contains(e.Plan, "Total Time") {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := q.Explain(t.Context(), "EXPLAIN SELECT 1", nil, false); err == nil {
		t.Error("an EXPLAIN is explained")
	}
}

// TestPeriod: Since and Until leave out events and files, and go together with conditions.
func TestPeriod(t *testing.T) {
	now := time.Now()
	q := timed(t, now)
	since, until := now.Add(-35*time.Hour), now.Add(-30*time.Hour)
	stamp := func(t time.Time) string { return "'" + t.UTC().Format("2006-01-02 15:04:05.000000") + "'" }
	want, _ := ids(t, q, `SELECT event.id FROM everything WHERE "@timestamp" >= `+stamp(since)+` AND "@timestamp" < `+stamp(until), nil, true)
	p, err := Open(t.Context(), q.lake, Config{Since: since, Until: until})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	got, s := ids(t, p, `SELECT event.id FROM everything`, nil, false)
	if got != want || got == "" || len(s.files("everything")) >= len(q.files)/2 {
		t.Errorf("got %s, want %s, from %d files", got, want, len(s.files("everything")))
	}
	n := 0
	for _, err := range p.Events(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	if n != strings.Count(want, "\n")+1 {
		t.Errorf("%d events, want those of %s", n, want)
	}
}

// TestParquet: what is exported is what was asked for, and read back with its types.
func TestParquet(t *testing.T) {
	l, err := lake.Init(filepath.Join(t.TempDir(), "lake"))
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "a'b.parquet")
	q, err := Open(t.Context(), l, Config{Write: to})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	for stmt, params := range map[string]map[string]string{"SELECT i, 'x' AS s FROM range(1000) t(i); -- all": nil, "SELECT i, $s AS s FROM range(1000) t(i)": {"s": "x"}} {
		_ = os.Remove(to)
		if n, err := q.Parquet(t.Context(), stmt, params); err != nil || n != 1000 {
			t.Errorf("%s: %d rows, %v", stmt, n, err)
		}
		if info, err := os.Stat(to); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", stmt, err)
		}
	}
	for _, stmt := range []string{"EXPLAIN SELECT 1", "COPY events TO 'x'", "SELECT nothing"} {
		if _, err := q.Parquet(t.Context(), stmt, nil); err == nil {
			t.Errorf("%s passes", stmt)
		}
	}
}
