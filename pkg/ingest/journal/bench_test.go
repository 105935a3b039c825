package journal

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
)

func randomRecords(n int) [][]byte {
	r := rand.NewChaCha8([32]byte{1})
	recs := make([][]byte, n)
	for i := range recs {
		recs[i] = make([]byte, 300)
		_, _ = r.Read(recs[i])
	}
	return recs
}

// BenchmarkAppend is one sender, each of whose appends is an fsync of its own.
func BenchmarkAppend(b *testing.B) {
	for _, batch := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("%d records", batch), func(b *testing.B) {
			j := open(b, filepath.Join(b.TempDir(), "j"), Options{MaxBytes: 1 << 40, SegmentBytes: 1 << 26})
			defer j.Close()
			recs := randomRecords(batch)
			b.SetBytes(int64(300 * batch))
			b.ReportAllocs()
			for b.Loop() {
				if err := j.Append(context.Background(), Wait, recs...); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*batch)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// BenchmarkGroup is many senders of single records: they share fsyncs, so that events/s grows with them.
func BenchmarkGroup(b *testing.B) {
	for _, senders := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("%d senders", senders), func(b *testing.B) {
			j := open(b, filepath.Join(b.TempDir(), "j"), Options{MaxBytes: 1 << 40, SegmentBytes: 1 << 26})
			defer j.Close()
			rec := randomRecords(1)[0]
			b.SetBytes(int64(len(rec) * senders))
			b.ReportAllocs()
			for b.Loop() {
				var all sync.WaitGroup
				for range senders {
					all.Go(func() {
						if err := j.Append(context.Background(), Wait, rec); err != nil {
							b.Error(err)
						}
					})
				}
				all.Wait()
			}
			b.ReportMetric(float64(b.N*senders)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

func BenchmarkRead(b *testing.B) {
	for _, batch := range []int{1, 1000} {
		b.Run(fmt.Sprintf("groups of %d", batch), func(b *testing.B) {
			j := open(b, filepath.Join(b.TempDir(), "j"), Options{MaxBytes: 1 << 40, SegmentBytes: 1 << 26})
			defer j.Close()
			recs := randomRecords(batch)
			const total = 2000
			for range total / batch {
				if err := j.Append(context.Background(), Wait, recs...); err != nil {
					b.Fatal(err)
				}
			}
			b.SetBytes(300 * total)
			b.ReportAllocs()
			r := j.Reader(1)
			defer r.Close()
			for b.Loop() {
				// Back to the beginning, with the memory that it has.
				r.Close()
				r.next, r.num, r.end, r.body = 1, 0, 0, nil
				for r.Next() <= total {
					if _, _, err := r.Read(context.Background(), 256<<10); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.N*total)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
