package query_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"leat/pkg/lake"
	"leat/pkg/query"
)

// manyFiles makes a lake of n files of 10 datasets and 100 days, each with the one event of its hour.
func manyFiles(b *testing.B, n int) *lake.Lake {
	l, err := lake.Init(filepath.Join(b.TempDir(), "lake"))
	if err != nil {
		b.Fatal(err)
	}
	w, err := l.NewWriter(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer w.Close()
	one := filepath.Join(b.TempDir(), "one.parquet")
	copyAll(b, newLake(b, sample[0]), one)
	body, err := os.ReadFile(one)
	if err != nil {
		b.Fatal(err)
	}
	for done := 0; done < n; done += 500 {
		var files []lake.Staged
		for i := done; i < done+500; i++ {
			name := fmt.Sprintf("%d.parquet", i)
			if err := os.WriteFile(filepath.Join(w.Staging(), name), body, 0o600); err != nil {
				b.Fatal(err)
			}
			at := time.Date(2026, 8, 1+i%100, i/100%24, 0, 0, 0, time.UTC)
			files = append(files, lake.Staged{Name: name, File: lake.File{
				Dataset: fmt.Sprintf("d%d", i/1000), Date: at.Format(time.DateOnly), Rows: 1,
				MinTime: at.UnixNano(), MaxTime: at.UnixNano(), Kinds: map[string]int64{"event": 1},
			}})
		}
		if _, err := w.CommitFiles(b.Context(), files, "bench"); err != nil {
			b.Fatal(err)
		}
	}
	return l
}

// BenchmarkManyFiles asks a lake of 10,000 small files, from the opening of the lake to the last row.
func BenchmarkManyFiles(b *testing.B) {
	l := manyFiles(b, 10_000)
	for _, bb := range []struct{ name, sql string }{
		{"hour", `SELECT count(*) FROM events WHERE "@timestamp" >= '2026-09-01 05:00' AND "@timestamp" < '2026-09-01 06:00'`},
		{"day", `SELECT count(*) FROM events WHERE date = '2026-09-01'`},
		{"dataset-day", `SELECT count(*) FROM events WHERE dataset = 'd3' AND date = '2026-09-01'`},
		{"alerts", `SELECT count(*) FROM alerts`},
		{"all", `SELECT count(*) FROM events`},
	} {
		b.Run(bb.name, func(b *testing.B) {
			for b.Loop() {
				again, err := lake.Open(l.Dir())
				if err != nil {
					b.Fatal(err)
				}
				q, err := query.Open(b.Context(), again, query.Config{})
				if err != nil {
					b.Fatal(err)
				}
				table(b, q, bb.sql)
				if err := q.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
