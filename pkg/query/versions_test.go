package query

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"leat/internal/duck"
	"leat/pkg/event"
	"leat/pkg/lake"
	"leat/pkg/row"
	"leat/pkg/row/rowtest"
)

// olderVersion is the number of the columns that the files of this test lack some of.
const olderVersion = 7

// older are columns without source.port, tags, user.email, "@timestamp", all of dns, and more.
func older(t testing.TB) *row.Columns {
	t.Helper()
	var list []row.Column
	for _, c := range row.Standard().List() {
		switch {
		case strings.HasPrefix(c.Field, "dns."), c.Field == "source.port", c.Field == "tags", c.Field == "user.email", c.Field == "event.risk_score",
			c.Field == "leat.escaped", c.Field == "event.created":
		default:
			list = append(list, c)
		}
	}
	cols, err := row.Compile(list)
	if err != nil {
		t.Fatal(err)
	}
	return cols
}

// addRows writes rows as a file that has cols, and commits it.
func addRows(t testing.TB, l *lake.Lake, cols *row.Columns, version int, rows ...string) {
	t.Helper()
	w, err := l.NewWriter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	from := filepath.Join(w.Staging(), "rows.ndjson")
	if err := os.WriteFile(from, []byte(strings.Join(rows, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := duck.Open(t.Context(), duck.Config{Dirs: []string{w.Staging()}})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var types []string
	for _, c := range cols.Table() {
		types = append(types, duck.Text(c.Name)+": "+duck.Text(c.SQL))
	}
	_, err = db.Exec(t.Context(), "COPY (FROM read_json("+duck.Text(from)+", columns = {"+strings.Join(types, ", ")+"}, format = 'newline_delimited')) TO "+
		duck.Text(filepath.Join(w.Staging(), "a.parquet"))+" (FORMAT parquet)")
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.CommitFiles(t.Context(), []lake.Staged{{Name: "a.parquet", File: lake.File{
		Dataset: "x", Date: "2026-11-24", Rows: int64(len(rows)), Columns: version,
	}}}, "test")
	if err != nil {
		t.Fatal(err)
	}
}

// TestOlderFiles: a file without some of today's columns is read with what rest says of them.
func TestOlderFiles(t *testing.T) {
	l, err := lake.Init(filepath.Join(t.TempDir(), "lake"))
	if err != nil {
		t.Fatal(err)
	}
	addRows(t, l, older(t), olderVersion,
		`{"event":{"id":"1"},"source":{"ip":"10.0.0.1"},"rest":"{\"source\":{\"port\":443},\"tags\":[\"a\",\"b\"],\"user\":{\"email\":\"x@y\"},\"dns\":{\"question\":{\"name\":\"n\"},\"resolved_ip\":\"::1\"},\"event\":{\"risk_score\":1.5,\"created\":\"2026-11-24T10:00:00.000+02:00\"},\"leat\":{\"escaped\":true}}"}`,
		`{"event":{"id":"2"},"rest":"{\"source\":{\"port\":\"https\"},\"tags\":{\"a\":1},\"user\":{\"email\":[1]},\"dns\":\"none\",\"event\":{\"risk_score\":\"x\",\"created\":\"soon\"},\"leat\":{\"escaped\":\"true\"}}"}`,
		`{"event":{"id":"3"}}`,
		`{"event":{"id":"4"},"rest":"{\"source\":{\"port\":4.5},\"user\":{\"email\":\"\\u001a0000\"}}"}`)
	addRows(t, l, row.Standard(), 0, `{"event":{"id":"5"},"source":{"ip":"10.0.0.1","port":80},"tags":["c"]}`)
	asOf := func(version int) *row.Columns {
		if version == olderVersion {
			return older(t)
		}
		return row.AsOf(version)
	}
	q, err := Open(t.Context(), l, Config{asOf: asOf})
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	for stmt, want := range map[string]string{
		`SELECT concat_ws(' ', event.id, source.ip, source.port, tags, "user".email, dns.question.name, dns.resolved_ip, event.risk_score, event.created, leat.escaped) FROM events`: "1 10.0.0.1 443 [a, b] x@y n ['::1'] 1.5 2026-11-24 08:00:00 true\n2\n3\n4\n5 10.0.0.1 80 [c]",
		`SELECT event.id FROM events WHERE source.port > 79 AND dataset = 'x'`:                                                                                                       "1\n5",
		`SELECT event.id FROM events WHERE source.ip = '10.0.0.1'`:                                                                                                                   "1\n5",
		`SELECT event_json(e) FROM events e WHERE event.id = '3'`:                                                                                                                    `{"event":{"id":"3"}}`,
	} {
		if got := texts(t, q, stmt); got != want {
			t.Errorf("%s\n got %s\nwant %s", stmt, got, want)
		}
	}
	var lines []string
	for line, err := range q.Events(t.Context(), "event.id = '1'") {
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(line))
	}
	want := `{"event":{"id":"1","risk_score":1.5,"created":"2026-11-24T10:00:00.000+02:00"},"source":{"ip":"10.0.0.1","port":443},"tags":["a","b"],"user":{"email":"x@y"},"dns":{"question":{"name":"n"},"resolved_ip":"::1"},"leat":{"escaped":true}}`
	if len(lines) != 1 || rowtest.Diff([]byte(want), []byte(lines[0])) != "" {
		t.Errorf("got %v", lines)
	}
}

// texts returns the only column of a statement's result.
func texts(t *testing.T, q *DB, stmt string) string {
	t.Helper()
	r, err := q.Select(t.Context(), stmt)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var out []string
	for {
		cells, ok, err := r.Next(nil)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			slices.Sort(out)
			return strings.Join(out, "\n")
		}
		out = append(out, event.ValueOf([]byte(cells[0])).String())
	}
}

// TestNewerFiles: a file with columns that this program does not know would lose them: it is refused.
func TestNewerFiles(t *testing.T) {
	l, err := lake.Init(filepath.Join(t.TempDir(), "lake"))
	if err != nil {
		t.Fatal(err)
	}
	addRows(t, l, row.Standard(), row.Version+1, `{"event":{"id":"1"}}`)
	if _, err := Open(t.Context(), l, Config{}); !errors.Is(err, lake.ErrFormat) || !strings.Contains(err.Error(), "newer leat") {
		t.Errorf("got %v", err)
	}
}
