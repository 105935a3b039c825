//go:build !race

package ingest

import (
	"io"
	"path/filepath"
	"strings"
	"testing"

	"leat/pkg/stage"
)

// In the steady state reading a file allocates nothing for a record.
func TestReadingDoesNotAllocate(t *testing.T) {
	if testing.Short() {
		t.Skip("measures allocations of a whole run")
	}
	path := filepath.Join(t.TempDir(), "a.log")
	_, text := numbered(1000)
	writeFile(t, path, text)
	allocs := func(times int) float64 {
		writeFile(t, path, strings.Repeat(text, times))
		return testing.AllocsPerRun(3, func() {
			src, err := New(Config{Sources: []string{path}})
			if err != nil {
				t.Fatal(err)
			}
			if err := src.Run(t.Context(), stage.NewWriter(io.Discard, nil)); err != nil {
				t.Fatal(err)
			}
		})
	}
	few, many := allocs(20), allocs(120)
	if perRecord := (many - few) / 100_000; perRecord > 0.01 {
		t.Errorf("%.3f allocations a record (%.0f for 20,000 records, %.0f for 120,000)", perRecord, few, many)
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
