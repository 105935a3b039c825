package persist_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"leat/internal/duck"
	"leat/pkg/lake"
)

// benchmarkFile returns a file of events and their number: what LEAT_EVENTS names (bench/README.md), or else made ones.
func benchmarkFile(b *testing.B) (path string, n int) {
	b.Helper()
	if path = os.Getenv("LEAT_EVENTS"); path == "" {
		path = filepath.Join(b.TempDir(), "events.ndjson")
		f, err := os.Create(path)
		if err != nil {
			b.Fatal(err)
		}
		w := bufio.NewWriter(f)
		events(w, 200_000)
		if err := w.Flush(); err != nil {
			b.Fatal(err)
		}
		f.Close()
	}
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 1<<20)
	for {
		_, err := r.ReadSlice('\n')
		if err == io.EOF {
			return path, n
		}
		if err == nil {
			n++
		}
	}
}

// cpu returns the seconds of CPU that this process has used.
func cpu(b *testing.B) float64 {
	b.Helper()
	var r unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return float64(r.Utime.Nano()+r.Stime.Nano()) / 1e9
}

// measure reports CPU seconds and output bytes for a million events of f's work.
func measure(b *testing.B, n int, f func(dir string) (bytes int64)) {
	b.Helper()
	b.ReportAllocs()
	var spent float64
	var size int64
	rounds := 0
	for b.Loop() {
		b.StopTimer()
		dir := b.TempDir()
		before := cpu(b)
		b.StartTimer()
		size += f(dir)
		b.StopTimer()
		spent += cpu(b) - before
		rounds++
		b.StartTimer()
	}
	million := float64(n*rounds) / 1e6
	b.ReportMetric(spent/million, "cpu-s/1M")
	b.ReportMetric(float64(size)/1e6/million, "MB/1M")
}

// BenchmarkPersist is the whole of persist beside what it would cost to let the same DuckDB read the same lines and drop
// what it does not know: the price of losing nothing.
func BenchmarkPersist(b *testing.B) {
	path, n := benchmarkFile(b)
	b.Run("persist", func(b *testing.B) {
		measure(b, n, func(dir string) int64 {
			in, err := os.Open(path)
			if err != nil {
				b.Fatal(err)
			}
			defer in.Close()
			if err := pump(filepath.Join(dir, "lake"), in); err != nil {
				b.Fatal(err)
			}
			l, err := lake.Open(filepath.Join(dir, "lake"))
			if err != nil {
				b.Fatal(err)
			}
			_, rows, bytes := state(b, l).Totals()
			if rows != int64(n) {
				b.Fatalf("%d rows of %d", rows, n)
			}
			return bytes
		})
	})
	for _, sorted := range []string{"", ` ORDER BY "@timestamp"`} {
		b.Run(strings.TrimSpace("lossy read_json"+sorted), func(b *testing.B) {
			measure(b, n, func(dir string) int64 {
				db, err := duck.Open(b.Context(), duck.Config{Dirs: []string{dir, filepath.Dir(path)}, TempDir: filepath.Join(dir, "tmp")})
				if err != nil {
					b.Fatal(err)
				}
				defer db.Close()
				out := filepath.Join(dir, "out.parquet")
				if _, err := db.Exec(b.Context(), fmt.Sprintf("COPY (SELECT * FROM read_json(%s, format = 'newline_delimited')%s) TO %s (FORMAT parquet, COMPRESSION zstd)",
					duck.Text(path), sorted, duck.Text(out))); err != nil {
					b.Fatal(err)
				}
				info, err := os.Stat(out)
				if err != nil {
					b.Fatal(err)
				}
				return info.Size()
			})
		})
	}
}

// BenchmarkManyPartitions is a commit of 200 files.
func BenchmarkManyPartitions(b *testing.B) {
	var lines strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&lines, `{"@timestamp":"2026-11-24T08:00:00.000Z","event":{"id":"%d","dataset":"d%d"},"message":"m"}`+"\n", i, i%200)
	}
	for b.Loop() {
		if err := pump(filepath.Join(b.TempDir(), "lake"), strings.NewReader(lines.String())); err != nil {
			b.Fatal(err)
		}
	}
}
