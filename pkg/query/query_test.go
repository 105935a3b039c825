package query_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"leat/pkg/lake"
	"leat/pkg/persist"
	"leat/pkg/query"
	"leat/pkg/row/rowtest"
	"leat/pkg/stage"
)

func newLake(t testing.TB, lines ...string) *lake.Lake {
	t.Helper()
	l, err := lake.Init(filepath.Join(t.TempDir(), "la'ke=x"))
	if err != nil {
		t.Fatal(err)
	}
	add(t, l, lines...)
	return l
}

func add(t testing.TB, l *lake.Lake, lines ...string) {
	t.Helper()
	if len(lines) == 0 {
		return
	}
	s, err := persist.New(t.Context(), persist.Config{Dir: l.Dir()})
	if err != nil {
		t.Fatal(err)
	}
	in := strings.NewReader(strings.Join(lines, "\n"))
	if err := stage.Pump(t.Context(), &stage.Lines{In: in, Stage: "persist"}, s); err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, l *lake.Lake) *query.DB {
	t.Helper()
	q, err := query.Open(t.Context(), l, query.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = q.Close() })
	return q
}

// table returns a query's names, types and rows as text.
func table(t testing.TB, q *query.DB, sql string) (names, types, rows string) {
	t.Helper()
	r, err := q.Select(t.Context(), sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	defer r.Close()
	var row, lines []string
	for {
		var ok bool
		if row, ok, err = r.Next(row); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		if !ok {
			return strings.Join(r.Names, " "), strings.Join(r.Types, " "), strings.Join(lines, "\n")
		}
		lines = append(lines, strings.Join(row, " "))
	}
}

var sample = []string{
	`{"@timestamp":"2026-11-24T08:00:00.000Z","event":{"id":"1","dataset":"linux.auth","kind":"event","category":["authentication"]},"source":{"ip":"10.0.0.1","port":22},"linux":{"auth":{"method":"password"}}}`,
	`{"@timestamp":"2026-11-24T08:00:01.000Z","event":{"id":"2","dataset":"linux.auth"},"user":{"name":"bob"}}`,
	`{"event":{"id":"3","kind":"metric","dataset":"x"}}`,
	`{"event":{"id":"4","kind":"alert","dataset":"linux.auth"},"rule":{"name":"Brute force"}}`,
	`{"event":{"id":"5","kind":"pipeline_error","original":"?"},"error":{"message":"bad"}}`,
}

func TestViews(t *testing.T) {
	q := open(t, newLake(t, sample...))
	for view, want := range map[string]string{
		"events": `"1" "2" "3"`, "alerts": `"4"`, "errors": `"5"`, "everything": `"1" "2" "3" "4" "5"`,
	} {
		_, _, got := table(t, q, "SELECT event.id FROM "+view+" ORDER BY event.id")
		if got = strings.ReplaceAll(got, "\n", " "); got != want {
			t.Errorf("%s has %s, want %s", view, got, want)
		}
	}
	tests := []struct{ sql, want string }{
		{"SELECT dataset, count(*) FROM everything GROUP BY ALL ORDER BY ALL", "\"_alerts\" 1\n\"_errors\" 1\n\"linux.auth\" 2\n\"x\" 1"},
		{"SELECT rest->>'$.linux.auth.method' FROM events WHERE rest IS NOT NULL", `"password"`},
		{`SELECT "user".name FROM events WHERE date = DATE '2026-11-24' AND "user".name IS NOT NULL`, `"bob"`},
		{`SELECT "@timestamp" FROM events WHERE "@timestamp" > '2026-11-24 08:00:00.5'`, `"2026-11-24T08:00:01.000000Z"`},
		{`SELECT event.category, source FROM events WHERE event.id = '1'`, `["authentication"] {"ip":"10.0.0.1"`},
		{"SELECT NULL, NULL::VARCHAR, ''", `  ""`},
		{"SELECT 'nan'::DOUBLE, 1.5::DECIMAL(3,1), 170141183460469231731687303715884105727, INTERVAL 1 DAY, 1 = 1", `"NaN" 1.5 170141183460469231731687303715884105727 "1 day" true`},
		{"SELECT event_json(e)::JSON->'error' FROM errors e", `{"message":"bad"}`},
		{"SELECT view_name FROM duckdb_views() WHERE NOT internal ORDER BY 1", "\"alerts\"\n\"errors\"\n\"events\"\n\"everything\""},
		{"FROM (DESCRIBE events) SELECT column_name LIMIT 2;", "\"@timestamp\"\n\"message\""},
		{"SELECT count(*) FROM events -- all of them", "3"},
	}
	for _, tt := range tests {
		if _, _, got := table(t, q, tt.sql); !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s\n got %s\nwant %s", tt.sql, got, tt.want)
		}
	}
	names, types, _ := table(t, q, "SELECT 1 AS a, 'x' AS a, event.category FROM events")
	if names != "a a_1 category" || types != "INTEGER VARCHAR VARCHAR[]" {
		t.Errorf("names %q, types %q", names, types)
	}
	if _, _, got := table(t, q, "EXPLAIN SELECT 1"); !strings.Contains(got, "PROJECTION") {
		t.Errorf("EXPLAIN says %s", got)
	}
}

func TestEmptyLake(t *testing.T) {
	q := open(t, newLake(t))
	for _, view := range []string{"events", "alerts", "errors", "everything"} {
		if _, _, got := table(t, q, `SELECT count(*), count(source.ip), count(rest), max(date), max(dataset), max("@timestamp") FROM `+view); got != "0 0 0   " {
			t.Errorf("%s: %q", view, got)
		}
	}
	full := open(t, newLake(t, sample[0]))
	_, _, a := table(t, q, "FROM (DESCRIBE errors) SELECT column_name, column_type")
	_, _, b := table(t, full, "FROM (DESCRIBE events) SELECT column_name, column_type")
	if a != b {
		t.Errorf("an empty view has other columns:\n%s\n%s", a, b)
	}
	for range query.Events(t.Context(), newLake(t), "") {
		t.Error("an event in an empty lake")
	}
}

// TestMixedFile: views don't depend on how files are laid out; one that holds all kinds is read with the condition.
func TestMixedFile(t *testing.T) {
	l := newLake(t)
	w, err := l.NewWriter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	copyAll(t, newLake(t, sample...), filepath.Join(w.Staging(), "mixed.parquet"))
	_, err = w.CommitFiles(t.Context(), []lake.Staged{{Name: "mixed.parquet", File: lake.File{
		Dataset: "all", Date: "2026-11-24", Rows: 5, Kinds: map[string]int64{"event": 1, "metric": 1, "alert": 1, "pipeline_error": 1},
	}}}, "test")
	if err != nil {
		t.Fatal(err)
	}
	q := open(t, l)
	for view, want := range map[string]string{"events": "3", "alerts": "1", "errors": "1", "everything": "5"} {
		if _, _, got := table(t, q, "SELECT count(*) FROM "+view); got != want {
			t.Errorf("%s has %s rows, want %s", view, got, want)
		}
	}
}

func TestReadsNothingElse(t *testing.T) {
	l := newLake(t, sample...)
	q := open(t, l)
	var file string
	for _, f := range q.State().Sorted() {
		file, _ = l.Abs(f.Path)
	}
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{
		"SELECT * FROM read_text('/etc/hostname')",
		"SELECT * FROM glob('" + filepath.Dir(strings.ReplaceAll(l.Dir(), "'", "''")) + "/*')",
		"SELECT * FROM read_json('" + strings.ReplaceAll(l.Dir(), "'", "''") + "/log/00000000000000000001.json')",
		"COPY events TO '" + strings.ReplaceAll(file, "'", "''") + "'",
		"EXPLAIN ANALYZE COPY events TO '" + strings.ReplaceAll(file, "'", "''") + "'",
		"CREATE TABLE x AS SELECT 1", "DROP VIEW events", "SELECT 1; SELECT 2", "",
	} {
		if r, err := q.Select(t.Context(), sql); err == nil {
			_ = r.Close()
			t.Errorf("%s passes", sql)
		}
	}
	for _, err := range q.Events(t.Context(), "true); DROP VIEW events; SELECT (true") {
		if err == nil {
			t.Error("a condition runs a statement")
		}
	}
	if after, _ := os.ReadFile(file); string(after) != string(before) {
		t.Error("a file of the lake was changed")
	}
	if _, err := q.Select(t.Context(), "DELETE FROM events"); !errors.Is(err, query.ErrNotSelect) {
		t.Errorf("got %v", err)
	}
}

// TestOneState: what is committed later is not seen by a DB that is open.
func TestOneState(t *testing.T) {
	l := newLake(t, sample[0])
	q := open(t, l)
	add(t, l, sample[1])
	if _, _, got := table(t, q, "SELECT count(*) FROM events"); got != "1" {
		t.Errorf("%s events", got)
	}
	if n, err := l.OldestReader(); err != nil || n != q.State().N {
		t.Errorf("oldest reader %d, %v; the DB reads %d", n, err, q.State().N)
	}
	if _, _, got := table(t, open(t, l), "SELECT count(*) FROM events"); got != "2" {
		t.Errorf("a new DB has %s events", got)
	}
}

func TestEvents(t *testing.T) {
	l := newLake(t, sample...)
	var got []string
	for line, err := range query.Events(t.Context(), l, "event.kind = 'alert' OR dataset = 'linux.auth'") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, string(line))
	}
	if len(got) != 3 {
		t.Fatalf("got %v", got)
	}
	for i, want := range []string{sample[3], sample[0], sample[1]} {
		if d := rowtest.Diff([]byte(want), []byte(got[i])); d != "" {
			t.Error(d)
		}
	}
	n := 0
	for range query.Events(t.Context(), l, "") {
		if n++; n == 2 {
			break
		}
	}
	for _, err := range query.Events(t.Context(), l, "no.such.column = 1") {
		if err == nil {
			t.Error("no error")
		}
	}
	if oldest, err := l.OldestReader(); err != nil || oldest != 1 {
		t.Errorf("a pin is left: %d, %v", oldest, err)
	}
	whole := fmt.Sprint(len(got))
	if _, _, rows := table(t, open(t, l), "SELECT count(*) FROM ("+query.AsEvents("FROM everything WHERE dataset IN ('_alerts', 'linux.auth');")+")"); rows != whole {
		t.Errorf("AsEvents gives %s rows", rows)
	}
}
