package sqltable

import (
	"path/filepath"
	"testing"
	"time"

	"leat/internal/testpg"
	"leat/pkg/dimension"
	"leat/pkg/dimension/database"
)

// benchRows is the size of the benchmarks' tables.
const benchRows = 100_000

func benchmark(b *testing.B, c Config) {
	b.Helper()
	now := time.Now()
	if bad := c.Check(); len(bad) > 0 {
		b.Fatal(bad)
	}
	s, err := c.Open(env("", &now, 0))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	b.ReportAllocs()
	for b.Loop() {
		f, err := s.Fetch(b.Context(), dimension.Stamp{})
		if err != nil || f.Table.Rows() != benchRows {
			b.Fatal(f, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/row")
}

func BenchmarkSQLite(b *testing.B) {
	path := filepath.Join(b.TempDir(), "x.db")
	script(b, path, `create table t (id integer primary key, name text, mail text, floor int);
		insert into t with recursive s(i) as (select 1 union all select i + 1 from s where i < 100000) select i, 'user' || i, 'user' || i || '@example.test', i % 40 from s`)
	benchmark(b, Config{Config: database.Config{File: path}, Query: `select * from t order by id`})
}

func BenchmarkPostgres(b *testing.B) {
	p := testpg.Start(b)
	p.SQL(`create table t as select i as id, 'user' || i as name, 'user' || i || '@example.test' as mail, i % 40 as floor from generate_series(1, 100000) i`)
	benchmark(b, Config{Config: database.Config{Driver: "postgres", DSN: p.Socket(), Timeout: time.Minute}, Query: `select * from t order by id`})
}
