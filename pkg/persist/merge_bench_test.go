package persist_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"leat/pkg/event"
	"leat/pkg/lake"
	"leat/pkg/persist"
	"leat/pkg/stage"
)

// BenchmarkHourOfMarks is an hour of marks every ten seconds, 20 partitions, 100 events each a mark: with small files merged, and with all
// of them left to a later compaction. Run it with -benchtime 1x.
func BenchmarkHourOfMarks(b *testing.B) {
	for _, tt := range []struct {
		name string
		cfg  persist.Config
	}{{"merged", persist.Config{}}, {"left", persist.Config{KeepSmall: true}}} {
		b.Run(tt.name, func(b *testing.B) {
			for b.Loop() {
				hour(b, tt.cfg)
			}
		})
	}
}

func hour(b *testing.B, cfg persist.Config) {
	l, err := lake.Init(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	cpuBefore := cpu(b)
	x := newTrickle(b, l, cfg)
	var took []time.Duration
	for range 360 {
		var batch event.Batch
		for i := range 2000 {
			batch.Push(fmt.Appendf(nil, `{"@timestamp":"2026-11-24T08:%02d:%02d.%03dZ","event":{"id":"%016x","kind":"event","dataset":"d%d","action":"login","outcome":"success"},`+
				`"user":{"name":"u%d"},"source":{"ip":"10.0.%d.%d","port":%d},"message":"login of u%d from somewhere","own":{"session":"%x"}}`,
				x.n/6%60, x.n%6*10, i%1000, uint64(x.n*2000+int64(i))*0x9E3779B97F4A7C15, i%20, i*7%977, i%9, i%251, 1024+i*31%60000, i*7%977, uint64(i)*0xD1342543DE82EF95))
		}
		begin := time.Now()
		if err := x.sink.Batch(&batch); err != nil {
			b.Fatal(err)
		}
		x.n++
		if err := x.sink.Mark(stage.Mark{N: x.n, Run: x.m.session.Run, Since: x.n - 1, Sources: map[string]string{"x": fmt.Sprint(x.n)}}); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(begin))
	}
	x.wait(l)
	if err := x.sink.Close(); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(cpu(b)-cpuBefore, "cpu-s")
	st := state(b, l)
	files, rows, bytes := st.Totals()
	if rows != 720_000 {
		b.Fatalf("%d rows", rows)
	}
	var written int64
	for n := int64(1); n <= st.N; n++ {
		e, err := l.Entry(n)
		if err != nil {
			b.Fatal(err)
		}
		for _, f := range e.Added {
			written += f.Bytes
		}
	}
	slices.Sort(took)
	b.ReportMetric(float64(files), "files")
	b.ReportMetric(float64(bytes)/1e6, "MB")
	b.ReportMetric(float64(written)/float64(bytes), "written/MB")
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms-p50-mark")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "ms-p99-mark")
	for name, sql := range map[string]string{"count": "SELECT count(*) FROM events", "user": `SELECT count(*) FROM events WHERE "user".name = 'u7'`, "group": "SELECT event.action, count(*) FROM events GROUP BY 1"} {
		best := time.Hour
		for range 2 {
			begin := time.Now()
			ask(b, l, sql)
			best = min(best, time.Since(begin))
		}
		b.ReportMetric(float64(best.Milliseconds()), "ms-"+name)
	}
}
