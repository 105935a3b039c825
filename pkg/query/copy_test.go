package query_test

import (
	"os"
	"path/filepath"
	"testing"

	"leat/internal/duck"
	"leat/pkg/lake"
)

// copyAll writes all that l holds to one Parquet file.
func copyAll(t testing.TB, l *lake.Lake, to string) {
	t.Helper()
	s, err := l.State()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var files []string
	for _, f := range s.Sorted() {
		from, err := l.Abs(f.Path)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, filepath.Base(f.Path))
		if err := os.Link(from, path); err != nil {
			t.Fatal(err)
		}
		files = append(files, path)
	}
	db, err := duck.Open(t.Context(), duck.Config{Dirs: []string{dir, filepath.Dir(to)}})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(t.Context(), "COPY (FROM read_parquet("+duck.List(files)+")) TO "+duck.Text(to)); err != nil {
		t.Fatal(err)
	}
}
