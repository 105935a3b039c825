package sigma_test

import (
	"testing"

	"leat/pkg/event"
	"leat/pkg/sigma"
)

// events reads the first n of the benchmark's events.
func events(t testing.TB, n int) [][]byte {
	var out [][]byte
	gunzip(t, shared(t, "sigma", "events", "win-209k.ndjson.gz"), func(line []byte) {
		if len(out) < n {
			out = append(out, append([]byte(nil), line...))
		}
	})
	return out
}

// BenchmarkMatch is parsing and matching of one real event against every rule of SigmaHQ.
func BenchmarkMatch(b *testing.B) {
	rules, _ := corpus(b)
	lines := events(b, 50_000)
	ix, err := sigma.NewIndex(rules, nil)
	if err != nil {
		b.Fatal(err)
	}
	m := ix.NewMatcher()
	var e event.Event
	size := 0
	for _, l := range lines {
		size += len(l)
		e.Reset(l)
		if err := e.Parse(); err != nil {
			b.Fatal(err)
		}
		m.Match(&e)
	}
	b.SetBytes(int64(size / len(lines)))
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		e.Reset(lines[i])
		if err := e.Parse(); err != nil {
			b.Fatal(err)
		}
		m.Match(&e)
		if i++; i == len(lines) {
			i = 0
		}
	}
}

// BenchmarkLoad is parsing and compiling all rules of SigmaHQ.
func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		rules, _ := corpus(b)
		if _, err := sigma.NewIndex(rules, nil); err != nil {
			b.Fatal(err)
		}
	}
}
