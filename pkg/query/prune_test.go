package query

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"leat/internal/duck"
	"leat/pkg/lake"
	"leat/pkg/persist"
	"leat/pkg/stage"
)

// timed makes a lake of events at all hours around now, in several datasets and many files.
func timed(t testing.TB, now time.Time) *DB {
	t.Helper()
	l, err := lake.Init(filepath.Join(t.TempDir(), "lake"))
	if err != nil {
		t.Fatal(err)
	}
	for batch := range 4 {
		s, err := persist.New(t.Context(), persist.Config{Dir: l.Dir()})
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for i := range 36 {
			at := now.Add(-time.Duration(batch*30) * time.Hour).Add(-time.Duration(i*21) * time.Minute)
			stamp := `"@timestamp":"` + at.UTC().Format("2006-01-02T15:04:05.000000Z") + `",`
			if i%17 == 0 {
				stamp = ""
			}
			if batch == 3 && i == 1 {
				stamp = `"@timestamp":"1970-01-01T00:00:00.000Z",`
			}
			kind := []string{"event", "alert", "pipeline_error"}[min(i%11, 2)]
			fmt.Fprintf(&b, "{%s\"event\":{\"id\":\"%d-%d\",\"dataset\":%q,\"kind\":%q},\"message\":\"@timestamp>'2026-01-01'\",\"source\":{\"port\":%d}}\n",
				stamp, batch, i, []string{"a", "linux.auth", "linux.sudo", "A'B"}[i%4], kind, i)
		}
		if err := stage.Pump(t.Context(), &stage.Lines{In: strings.NewReader(b.String()), Stage: "persist"}, s); err != nil {
			t.Fatal(err)
		}
	}
	q, err := Open(t.Context(), l, Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = q.Close() })
	return q
}

// ids runs a statement, all its views read from all files if whole.
func ids(t testing.TB, q *DB, stmt string, params map[string]string, whole bool) (string, *statement) {
	t.Helper()
	s, err := q.check(t.Context(), stmt, params)
	if err != nil {
		t.Fatalf("%s: %v", stmt, err)
	}
	if whole {
		for i := range s.pruned {
			s.pruned[i].files = nil
			for k := range q.files {
				s.pruned[i].files = append(s.pruned[i].files, k)
			}
		}
	}
	c, err := q.prepare(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	r, err := c.Query(t.Context(), "SELECT CAST(leat_x AS VARCHAR) FROM ("+stmt+") leat_x", duck.Named(params)...)
	if err != nil {
		t.Fatalf("%s: %v", stmt, err)
	}
	defer r.Close()
	var out []string
	for r.Next() {
		var id string
		if err := r.Scan(&id); err != nil {
			t.Fatal(err)
		}
		out = append(out, id)
	}
	if err := r.Err(); err != nil {
		t.Fatalf("%s: %v", stmt, err)
	}
	slices.Sort(out)
	return strings.Join(out, "\n"), s
}

func kept(s *statement, view string) int { return len(s.files(view)) }

// TestPruning: which questions read fewer files, and which must not.
func TestPruning(t *testing.T) {
	now := time.Now()
	q := timed(t, now)
	_, all := ids(t, q, "SELECT 1 FROM everything", nil, false)
	whole := kept(all, "everything")
	if whole != len(q.files) || whole < 20 {
		t.Fatalf("%d of %d files", whole, len(q.files))
	}
	stamp := func(d time.Duration) string {
		return "'" + now.Add(d).UTC().Format("2006-01-02 15:04:05") + "'"
	}
	for _, tt := range []struct {
		where string
		fewer bool
	}{
		{`"@timestamp" > now() - INTERVAL 1 HOUR`, true},
		{`now() - INTERVAL 1 HOUR < "@timestamp"`, true},
		{`"@timestamp" >= ` + stamp(-time.Hour), true},
		{`"@timestamp" BETWEEN ` + stamp(-70*time.Hour) + ` AND ` + stamp(-69*time.Hour), true},
		{`"@timestamp" > ` + stamp(-time.Hour) + ` AND message LIKE '%x%'`, true},
		{`"@timestamp" > ` + stamp(-time.Hour) + ` OR "@timestamp" < ` + stamp(-90*time.Hour), true},
		{`"@timestamp"::DATE = current_date + 1`, true},
		{`date_trunc('day', "@timestamp") = '2020-01-01'`, true},
		{`dataset = 'linux.auth'`, true}, {`dataset IN ('linux.auth', 'x')`, true}, {`dataset LIKE 'linux.%'`, true}, {`starts_with(dataset, 'linux')`, true},
		{`date = current_date`, true}, {`date >= current_date - 1`, true},
		{`"@timestamp" > ` + stamp(-time.Hour) + ` OR message = 'x'`, false},
		{`NOT ("@timestamp" > ` + stamp(-time.Hour) + ` AND message = 'x')`, false},
		{`"@timestamp" IS NULL`, false},
		{`message = '@timestamp > ''2036-01-01'''`, false},
		{`coalesce("@timestamp", now()::TIMESTAMP) > ` + stamp(-time.Hour), false},
		{`TRY_CAST(message AS TIMESTAMP) > ` + stamp(-time.Hour), false},
		{`"@timestamp" > 'infinity'`, false},
		{`length(dataset) > 3`, false}, // DuckDB itself sees to it
	} {
		stmt := "SELECT event.id FROM everything WHERE " + tt.where
		got, s := ids(t, q, stmt, nil, false)
		want, _ := ids(t, q, stmt, nil, true)
		if got != want {
			t.Errorf("%s: pruned gives\n%s\nwhole\n%s", tt.where, got, want)
		}
		if n := kept(s, "everything"); n < whole != tt.fewer || s.scans == nil {
			t.Errorf("%s: %d of %d files", tt.where, n, whole)
		}
	}
}

// TestPruningShapes: the condition is found wherever SQL lets it stand, and means no other table.
func TestPruningShapes(t *testing.T) {
	now := time.Now()
	q := timed(t, now)
	last := `"@timestamp" > now() - INTERVAL 2 HOUR`
	for _, tt := range []struct {
		stmt  string
		fewer bool
	}{
		{`SELECT event.id FROM (SELECT * FROM events) WHERE ` + last, true},
		{`WITH e AS (FROM events) SELECT e.event.id FROM e WHERE ` + last + ` ORDER BY "@timestamp" DESC LIMIT 100`, true},
		{`WITH events AS (SELECT event, "@timestamp" FROM errors) SELECT event.id FROM events WHERE ` + last, true},
		{`SELECT e.event.id FROM events e JOIN alerts a ON e.source.port = a.source.port WHERE a.` + last, false},
		{`SELECT e.event.id FROM events e LEFT JOIN alerts a ON a.` + last, false},
		{`SELECT count(*) FROM events e WHERE ` + last + ` UNION ALL SELECT count(*) FROM events`, false},
		{`SELECT a FROM (SELECT event.id AS a, max("@timestamp") AS m FROM events GROUP BY 1) WHERE m > now() - INTERVAL 2 HOUR`, false},
		{`SELECT event.id, row_number() OVER () > 0 AS n FROM events QUALIFY n AND ` + last, false},
		{`SELECT event.id, "@timestamp" + INTERVAL 300 DAY AS "@timestamp" FROM events WHERE ` + last, true},
		{`SELECT event.id FROM (SELECT event, "@timestamp" + INTERVAL 300 DAY AS "@timestamp" FROM events) WHERE ` + last, false},
		{`SELECT event.id FROM events WHERE EXISTS (SELECT 1 FROM alerts a WHERE a.source.port < events.source.port AND a.` + last + `)`, false},
		{`SELECT event.id FROM events WHERE ` + last + ` AND dataset IN (SELECT dataset FROM events)`, false},
		{`FROM query_table('events') SELECT event.id WHERE ` + last, true},
		{`SELECT event.id FROM (FROM events LIMIT 1000) WHERE ` + last, false},
	} {
		got, s := ids(t, q, tt.stmt, nil, false)
		if want, _ := ids(t, q, tt.stmt, nil, true); got != want {
			t.Errorf("%s: pruned gives\n%s\nwhole\n%s", tt.stmt, got, want)
		}
		name, all := "events", 0
		if strings.HasPrefix(tt.stmt, "WITH events") {
			name = "errors"
		}
		v := views()[slices.IndexFunc(views(), func(v view) bool { return v.name == name })]
		for i := range q.files {
			if v.rowsIn(&q.files[i]) > 0 {
				all++
			}
		}
		if n := kept(s, name); n < all != tt.fewer {
			t.Errorf("%s: %d of %d files (%+v)", tt.stmt, n, all, s.scans)
		}
	}
}

// TestPruningNeverWrong: random conditions give the same rows whether files are left out or not.
func TestPruningNeverWrong(t *testing.T) {
	now := time.Now()
	q := timed(t, now)
	seed := uint64(now.UnixNano())
	r := rand.New(rand.NewPCG(seed, 1))
	const conditions = 30
	fewer := 0
	for range conditions {
		c := randomCondition(r, now, 0)
		params := map[string]string{}
		if strings.Contains(c, "$t") {
			params["t"] = now.Add(-time.Duration(r.IntN(120)) * time.Hour).UTC().Format("2006-01-02 15:04:05")
		}
		stmt := "SELECT event.id FROM everything WHERE " + c
		got, s := ids(t, q, stmt, params, false)
		want, _ := ids(t, q, stmt, params, true)
		if got != want {
			t.Fatalf("seed %d: %s %v: pruned gives\n%s\nwhole\n%s", seed, c, params, got, want)
		}
		if kept(s, "everything") < len(q.files) {
			fewer++
		}
	}
	if fewer < conditions/10 {
		t.Errorf("only %d of %d conditions leave a file out: this tests little", fewer, conditions)
	}
}

func randomCondition(r *rand.Rand, now time.Time, depth int) string {
	pick := func(s ...string) string { return s[r.IntN(len(s))] }
	at := now.Add(-time.Duration(r.IntN(130*60)) * time.Minute).Add(5 * time.Hour).UTC()
	switch k := r.IntN(14); {
	case k < 3 && depth < 3:
		return "(" + randomCondition(r, now, depth+1) + pick(" AND ", " OR ") + randomCondition(r, now, depth+1) + ")"
	case k == 3 && depth < 3:
		return "NOT (" + randomCondition(r, now, depth+1) + ")"
	case k < 8:
		left := pick(`"@timestamp"`, `"@timestamp"`, `"@timestamp"::TIMESTAMPTZ`, `"@timestamp"::DATE`, "date", "date::TIMESTAMP", `date_trunc('hour', "@timestamp")`)
		right := pick(at.Format("'2006-01-02 15:04:05'"), at.Format("TIMESTAMP '2006-01-02 15:04:05.123456'"), at.Format("DATE '2006-01-02'"),
			"now()", fmt.Sprintf("now() - INTERVAL %d HOUR", r.IntN(100)), "current_date", "'epoch'", "'-infinity'", "$t::TIMESTAMP")
		op := pick("<", "<=", ">", ">=", "=", "<>", "IS DISTINCT FROM")
		if r.IntN(4) == 0 && op != "IS DISTINCT FROM" {
			return right + " " + op + " " + left
		}
		return left + " " + op + " " + right
	case k == 8:
		return `"@timestamp" BETWEEN ` + at.Add(-9*time.Hour).Format("'2006-01-02 15:04:05'") + " AND " + at.Format("'2006-01-02 15:04:05'")
	case k == 9:
		return `"@timestamp" IN (` + at.Format("'2006-01-02 15:04:05'") + ", 'epoch')"
	case k == 10:
		return "dataset " + pick("= 'linux.auth'", "<> 'a'", "IN ('a', '_alerts')", "LIKE 'linux.%'", "LIKE '%auth'", "> 'b'", "NOT IN ('a')", "IS NULL", "ILIKE 'LINUX%'", "= event.dataset")
	case k == 11:
		return pick(`"@timestamp" IS NULL`, `"@timestamp" IS NOT NULL`, `coalesce("@timestamp", '2020-01-01') < '2021-01-01'`, `"@timestamp" - INTERVAL 1 DAY > current_date`)
	default:
		return pick("source.port < 30", "event.kind = 'alert'", "message LIKE '%timestamp%'", "true", "source.port > 20 OR dataset = 'a'")
	}
}
