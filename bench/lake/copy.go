package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"leat/internal/duck"
	"leat/pkg/lake"
)

// lossy are the 27 fields that the lossy way keeps, by the top-level column that DuckDB's reader is told of.
func lossy() (columns, list string) {
	columns = `{'@timestamp': 'TIMESTAMP', 'event': 'STRUCT(id VARCHAR, kind VARCHAR, dataset VARCHAR, "module" VARCHAR, category VARCHAR[], "type" VARCHAR[], ` +
		`"action" VARCHAR, outcome VARCHAR, severity BIGINT, original VARCHAR)', 'user': 'STRUCT(id VARCHAR, "name" VARCHAR, "domain" VARCHAR, email VARCHAR, department VARCHAR)', ` +
		`'source': 'STRUCT(ip VARCHAR, port BIGINT)', 'destination': 'STRUCT(ip VARCHAR, port BIGINT)', 'host': 'STRUCT("name" VARCHAR)', ` +
		`'process': 'STRUCT(pid BIGINT, "name" VARCHAR)', 'user_agent': 'STRUCT(original VARCHAR)', 'observer': 'STRUCT(vendor VARCHAR)', 'ecs': 'STRUCT("version" VARCHAR)', 'message': 'VARCHAR'}`
	var items []string
	for _, f := range strings.Fields("event.id event.kind event.module event.category event.type event.action event.outcome event.severity event.original " +
		"user.id user.name user.domain user.email user.department source.ip source.port destination.ip destination.port host.name process.pid process.name " +
		"user_agent.original observer.vendor ecs.version") {
		top, leaf, _ := strings.Cut(f, ".")
		items = append(items, fmt.Sprintf(`t."%s"."%s" AS "%s"`, top, leaf, f))
	}
	return columns, `t."@timestamp", t.message, ` + strings.Join(items, ", ") + `, t.event.dataset AS dataset`
}

// runChild is one row of the table, in a process of its own.
func runChild(what string, args []string, memory int64) error {
	ctx := context.Background()
	switch what {
	case "cat":
		in, err := os.Open(args[0])
		if err != nil {
			return err
		}
		defer in.Close()
		_, err = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{in}, make([]byte, 256<<10))
		return err
	case "copy", "copy-partitioned":
		db, err := duck.Open(ctx, duck.Config{MemoryLimit: memory, TempDir: args[1] + ".tmp", Dirs: []string{filepath.Dir(args[0]), filepath.Dir(args[1]), args[1] + ".tmp"}})
		if err != nil {
			return err
		}
		defer db.Close()
		columns, list := lossy()
		to, options := filepath.Join(args[1], "all.parquet"), ""
		if what == "copy-partitioned" {
			to, options = args[1], ", PARTITION_BY (dataset, date)"
			list += `, CAST(t."@timestamp" AS DATE) AS date`
		} else if err := os.MkdirAll(args[1], 0o755); err != nil {
			return err
		}
		_, err = db.Exec(ctx, "COPY (SELECT "+list+" FROM read_json("+duck.Text(args[0])+", columns = "+columns+", format = 'newline_delimited') AS t) TO "+
			duck.Text(to)+" (FORMAT parquet, COMPRESSION zstd"+options+")")
		return err
	case "queries":
		return askAll(ctx, args[0], args[1:], memory)
	}
	return errors.New("no such child: " + what)
}

// question is asked of both lakes; {user.id} is a field's name there.
type question struct{ name, sql string }

func questions() []question {
	return []question{
		{"count", "SELECT count(*) FROM t"},
		{"one user", "SELECT count(*) FROM t WHERE {user.id} = 'u001234'"},
		{"ten minutes", `SELECT count(*) FROM t WHERE "@timestamp" BETWEEN (SELECT max("@timestamp") FROM t) - INTERVAL 20 MINUTE AND (SELECT max("@timestamp") FROM t) - INTERVAL 10 MINUTE AND {event.outcome} = 'failure'`},
		{"group by", "SELECT {event.action}, count(*) FROM t GROUP BY 1"},
		{"top hosts", "SELECT {host.name}, count(DISTINCT {user.id}) FROM t GROUP BY 1 ORDER BY 2 DESC LIMIT 5"},
		{"one event", "SELECT * FROM t WHERE {event.id} = (SELECT max({event.id}) FROM t)"},
	}
}

// askAll prints the milliseconds that each question takes, the best of five.
func askAll(ctx context.Context, shape string, files []string, memory int64) error {
	if shape == "lake" {
		l, err := lake.Open(files[0])
		if err != nil {
			return err
		}
		s, err := l.State()
		if err != nil {
			return err
		}
		files = nil
		for _, f := range s.Sorted() {
			p, err := l.Abs(f.Path)
			if err != nil {
				return err
			}
			files = append(files, p)
		}
	}
	db, err := duck.Open(ctx, duck.Config{MemoryLimit: memory, Files: files})
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.Exec(ctx, "CREATE VIEW t AS FROM read_parquet("+duck.List(files)+", hive_partitioning = true)"); err != nil {
		return err
	}
	for _, q := range questions() {
		sql := strings.NewReplacer("{", `"`, "}", `"`).Replace(q.sql)
		if shape == "lake" {
			sql = fieldName.ReplaceAllString(q.sql, `"$1"."$2"`)
		}
		best := time.Hour
		for range 5 {
			begin := time.Now()
			r, err := db.Query(ctx, sql)
			if err != nil {
				return fmt.Errorf("%s: %w", q.name, err)
			}
			for r.Next() {
			}
			if err := errors.Join(r.Err(), r.Close()); err != nil {
				return fmt.Errorf("%s: %w", q.name, err)
			}
			best = min(best, time.Since(begin))
		}
		fmt.Printf("%.1f\n", float64(best.Microseconds())/1000)
	}
	return nil
}
