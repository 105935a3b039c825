package ingest

import (
	"io"
	"path/filepath"
	"strings"
	"testing"

	"leat/pkg/stage"
)

// throughJournal reads text from standard input through the journal of a new lake.
func throughJournal(tb testing.TB, dir, text string) {
	src, err := New(Config{Sources: []string{"-"}, Stdin: strings.NewReader(text), Resume: filepath.Join(dir, "lake")})
	if err != nil {
		tb.Fatal(err)
	}
	if err := src.Run(tb.Context(), stage.NewWriter(io.Discard, nil)); err != nil {
		tb.Fatal(err)
	}
}

// In the steady state the way through the journal allocates nothing for a record.
func TestJournalDoesNotAllocate(t *testing.T) {
	if testing.Short() {
		t.Skip("measures allocations of a whole run")
	}
	_, text := numbered(1000)
	allocs := func(times int) float64 {
		long := strings.Repeat(text, times)
		return testing.AllocsPerRun(3, func() { throughJournal(t, t.TempDir(), long) })
	}
	few, many := allocs(20), allocs(120)
	if perRecord := (many - few) / 100_000; perRecord > 0.02 {
		t.Errorf("%.3f allocations a record (%.0f for 20,000 records, %.0f for 120,000)", perRecord, few, many)
	}
}

// BenchmarkJournalPath is standard input, journal with its fsyncs, wrapped lines.
func BenchmarkJournalPath(b *testing.B) {
	const n = 50_000
	_, text := numbered(n)
	dir := b.TempDir()
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		throughJournal(b, filepath.Join(dir, b.Name()), text)
	}
	b.ReportMetric(float64(b.N*n)/b.Elapsed().Seconds(), "events/s")
}
