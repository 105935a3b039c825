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
