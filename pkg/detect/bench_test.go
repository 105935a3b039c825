package detect

import (
	"testing"

	"leat/pkg/event"
)

// BenchmarkProcess is the stage over real events with all of SigmaHQ's rules: parsing, routing, matching and alerts.
func BenchmarkProcess(b *testing.B) {
	var lines [][]byte
	eachLine(b, sharedData(b, "sigma", "events", "win-209k.ndjson.gz"), func(line []byte) {
		if len(lines) < 60_000 {
			lines = append(lines, line)
		}
	})
	for _, routing := range []bool{true, false} {
		name := "unrouted"
		if routing {
			name = "routed"
		}
		b.Run(name, func(b *testing.B) {
			s, err := New(Config{Rules: sigmaHQ(b), Routing: routing})
			if err != nil {
				b.Fatal(err)
			}
			var batch event.Batch
			size, next := 0, 0
			step := func() {
				batch.Reset()
				for range 100 {
					e := batch.Push(lines[next])
					size += len(lines[next])
					if next++; next == len(lines) {
						next = 0
					}
					if err := e.Parse(); err != nil {
						b.Fatal(err)
					}
				}
				if err := s.Process(&batch); err != nil {
					b.Fatal(err)
				}
			}
			for range len(lines) / 100 {
				step()
			}
			b.SetBytes(int64(size / len(lines) * 100))
			b.ReportAllocs()
			events := 0
			for b.Loop() {
				step()
				events += 100
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(events), "ns/event")
		})
	}
}
