package persist_test

import (
	"path/filepath"
	"regexp"
	"testing"

	"leat/internal/duck"
)

// shape is one way to lay out the same columns: field names are written {user.id} in a query.
type shape struct {
	name  string
	write string // what is selected from the lines
	field string // what {$1.$2} stands for
}

// BenchmarkColumns compares objects as STRUCTs with one flat column for each field, on the same rows: what it costs to write
// them, and to ask. Rows are sorted by user, so that a question for one user can skip row groups.
func BenchmarkColumns(b *testing.B) {
	path, _ := benchmarkFile(b)
	dir := b.TempDir()
	db, err := duck.Open(b.Context(), duck.Config{Dirs: []string{dir, filepath.Dir(path)}, TempDir: filepath.Join(dir, "tmp")})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	lines := " FROM read_json(" + duck.Text(path) + `, format = 'newline_delimited', columns = {'@timestamp': 'TIMESTAMP',
		'event': 'STRUCT("action" VARCHAR, outcome VARCHAR, kind VARCHAR, id VARCHAR)', 'user': 'STRUCT(id VARCHAR)',
		'source': 'STRUCT(ip VARCHAR, port BIGINT)', 'host': 'STRUCT("name" VARCHAR)', 'user_agent': 'STRUCT(original VARCHAR)'}) AS t ORDER BY t."user".id`
	shapes := []shape{
		{"struct", "SELECT *", `"$1"."$2"`},
		{"flat", `SELECT "@timestamp", t.event."action" AS "event.action", t.event.outcome AS "event.outcome", t.event.kind AS "event.kind", t.event.id AS "event.id",
			t."user".id AS "user.id", t.source.ip AS "source.ip", t.source.port AS "source.port", t.host.name AS "host.name", t.user_agent.original AS "user_agent.original"`, `"$1.$2"`},
	}
	questions := []struct{ name, sql string }{
		{"one user", "SELECT count(*) FROM $ WHERE {user.id} = 'u001234'"},
		{"one user, whole rows", "SELECT * FROM $ WHERE {user.id} = 'u001234'"},
		{"one address", "SELECT count(*) FROM $ WHERE {source.ip} = '10.1.2.3'"},
		{"ten minutes", `SELECT count(*) FROM $ WHERE "@timestamp" BETWEEN '2026-11-23 01:00:00' AND '2026-11-23 01:10:00' AND {event.outcome} = 'Failed'`},
		{"by action", "SELECT {event.action}, count(*) FROM $ GROUP BY 1"},
		{"users of a host", "SELECT {host.name}, count(DISTINCT {user.id}) FROM $ GROUP BY 1 ORDER BY 2 DESC LIMIT 1"},
		{"ports", "SELECT sum({source.port}) FROM $ WHERE {source.port} BETWEEN 2000 AND 2010"},
	}
	field := regexp.MustCompile(`\{(\w+)\.(\w+)\}`)
	for _, s := range shapes {
		file := duck.Text(filepath.Join(dir, s.name+".parquet"))
		b.Run("write/"+s.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := db.Exec(b.Context(), "COPY ("+s.write+lines+") TO "+file+" (FORMAT parquet, COMPRESSION zstd)"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	for _, q := range questions {
		for _, s := range shapes {
			sql := field.ReplaceAllString(q.sql, s.field)
			sql = regexp.MustCompile(`\$`).ReplaceAllLiteralString(sql, duck.Text(filepath.Join(dir, s.name+".parquet")))
			b.Run(q.name+"/"+s.name, func(b *testing.B) {
				for b.Loop() {
					r, err := db.Query(b.Context(), sql)
					if err != nil {
						b.Fatal(err)
					}
					for r.Next() {
					}
					if err := r.Close(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
