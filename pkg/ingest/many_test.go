//go:build !race

package ingest

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
)

// A glob of 10,000 files: a mark names only those that changed since the committed one.
func TestManyFilesLightMarks(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 10,000 files")
	}
	dir := t.TempDir()
	const n = 10_000
	for i := range n {
		writeFile(t, filepath.Join(dir, fmt.Sprintf("f%05d.log", i)), fmt.Sprintf("first of %d\n", i))
	}
	lakeDir := filepath.Join(t.TempDir(), "lake")
	cfg := testConfig(t, filepath.Join(dir, "*.log"))
	if k := resumed(t, cfg, lakeDir); len(k.originals()) != n {
		t.Fatalf("%d records", len(k.originals()))
	}
	for _, i := range []int{7, 4711, 9999} {
		appendFile(t, filepath.Join(dir, fmt.Sprintf("f%05d.log", i)), "second\n")
	}
	k := resumed(t, cfg, lakeDir)
	if got := k.originals(); !slices.Equal(got, []string{"second", "second", "second"}) {
		t.Errorf("%d records", len(got))
	}
	for _, m := range k.marks {
		if len(m.Sources) > 3 {
			t.Errorf("a mark of %d sources", len(m.Sources))
		}
	}
	if again := resumed(t, cfg, lakeDir); len(again.recs) > 0 {
		t.Errorf("%d records again", len(again.recs))
	}
}
