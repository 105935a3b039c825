package correlate

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"syscall"
	"testing"
	"time"

	"leat/pkg/sigma"
)

// BenchmarkObserve is one event of 100,000 groups, in random order, a thousand events a second of stream.
func BenchmarkObserve(b *testing.B) {
	rules := map[string]*sigma.Correlation{
		"event_count":      count(100, 10*time.Minute),
		"value_count":      {Type: sigma.ValueCount, Timespan: 10 * time.Minute, Bounds: []sigma.Bound{{Op: "gte", Value: 20}}},
		"temporal_ordered": {Type: sigma.TemporalOrdered, Timespan: 10 * time.Minute, Bounds: []sigma.Bound{{Op: "gte", Value: 3}}, Rules: make([]sigma.Reference, 3)},
		"value_sum":        {Type: sigma.ValueSum, Timespan: 10 * time.Minute, Bounds: []sigma.Bound{{Op: "gt", Value: 1e9}}},
		"value_avg":        {Type: sigma.ValueAvg, Timespan: time.Minute, Bounds: []sigma.Bound{{Op: "gt", Value: 1e9}}},
	}
	const keys = 100_000
	names := make([][]byte, keys)
	ids := make([][]byte, 1000)
	for i := range names {
		names[i] = fmt.Appendf(nil, "\x00\x0d10.%d.%d.%d", i>>16, i>>8&255, i&255)
	}
	for i := range ids {
		ids[i] = fmt.Appendf(nil, "%032x", i)
	}
	for _, name := range []string{"event_count", "value_count", "temporal_ordered", "value_sum", "value_avg"} {
		b.Run(name, func(b *testing.B) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			e := mustNew(b, Limits{}, rules[name])
			rnd := rand.New(rand.NewPCG(1, 2))
			sample := func(dst []byte) []byte { return append(dst, ids[0]...) }
			at := t0
			o := Observation{Sample: sample}
			raise := func(*Match) {}
			one := func() {
				at += int64(time.Millisecond)
				i := rnd.IntN(keys)
				o.Key, o.At, o.ID, o.Value, o.Number, o.Mask = names[i], at-rnd.Int64N(int64(time.Second)), ids[i%len(ids)], ids[rnd.IntN(9)], 10, 1<<rnd.IntN(2)
				e.Advance(at, raise)
				e.Observe(0, &o)
			}
			for range 1_000_000 {
				one()
			}
			runtime.GC()
			runtime.ReadMemStats(&after)
			b.ReportAllocs()
			began := processTime()
			for b.Loop() {
				one()
			}
			b.ReportMetric(float64(processTime()-began)/float64(b.N), "cpu-ns/op")
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(e.Stats(0).Keys), "bytes/key")
			b.ReportMetric(float64(e.Stats(0).Events)/float64(e.Stats(0).Keys), "events/key")
		})
	}
}

// processTime is the CPU time of the process: on a machine that others use too, time on the wall says little.
func processTime() int64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return u.Utime.Nano() + u.Stime.Nano()
}

// BenchmarkSnapshot is a mark after 10,000 events of 100,000 groups.
func BenchmarkSnapshot(b *testing.B) {
	e := mustNew(b, Limits{}, count(100, time.Hour))
	if err := e.Restore(nil); err != nil {
		b.Fatal(err)
	}
	n := 0
	some := func(k int) {
		for range k {
			n++
			see(e, 0, fmt.Sprint(n*7919%100_000), n/1000, "0123456789abcdef0123456789abcdef")
		}
	}
	some(300_000)
	buf := e.AppendChanges(nil)
	b.ReportAllocs()
	for b.Loop() {
		some(10_000) // about a third of the time
		buf = e.AppendChanges(buf[:0])
	}
	b.ReportMetric(float64(len(buf)), "bytes/mark")
}
