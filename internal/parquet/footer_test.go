package parquet

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"leat/internal/duck"
)

// lab is a DuckDB with a folder; it writes files and judges them.
type lab struct {
	t   testing.TB
	db  *duck.DB
	dir string
}

func newLab(t testing.TB) *lab {
	t.Helper()
	dir := t.TempDir()
	db, err := duck.Open(context.Background(), duck.Config{Dirs: []string{dir}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return &lab{t, db, dir}
}

func (l *lab) write(name, query, options string) string {
	l.t.Helper()
	path := filepath.Join(l.dir, name)
	if _, err := l.db.Exec(context.Background(), "COPY ("+query+") TO "+duck.Text(path)+" (FORMAT parquet"+options+")"); err != nil {
		l.t.Fatal(err)
	}
	return path
}

func (l *lab) ask(query string) string {
	l.t.Helper()
	r, err := l.db.Query(context.Background(), "SELECT coalesce(CAST(to_json(list(x ORDER BY CAST(to_json(x) AS VARCHAR))) AS VARCHAR), '[]') FROM ("+query+") x")
	if err != nil {
		l.t.Fatal(err)
	}
	defer r.Close()
	var s string
	if r.Next() {
		if err := r.Scan(&s); err != nil {
			l.t.Fatal(err)
		}
	}
	if err := r.Err(); err != nil {
		l.t.Fatal(err)
	}
	return s
}

func (l *lab) footer(path string) *Footer {
	l.t.Helper()
	m, err := ReadFooter(path)
	if err != nil {
		l.t.Fatal(err)
	}
	return m
}

// TestReadFooter: of files that another writer made.
func TestReadFooter(t *testing.T) {
	l := newLab(t)
	for rows, groups := range map[string]int{"0": 0, "1": 1, "5000": 3} {
		m := l.footer(l.write("x.parquet", "SELECT [i] AS a, {'b': i} AS s FROM range("+rows+") r(i)", ", ROW_GROUP_SIZE 2048"))
		if want := l.ask("SELECT count(*) n FROM " + duck.Text(filepath.Join(l.dir, "x.parquet"))); want != `[{"n":`+rows+`}]` || m.Groups != groups {
			t.Errorf("%s rows: %+v, DuckDB says %s", rows, m, want)
		}
	}
}

func TestReadFooterRefuses(t *testing.T) {
	l := newLab(t)
	good, err := os.ReadFile(l.write("good.parquet", "SELECT i FROM range(3000) r(i)", ""))
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string][]byte{
		"empty":          {},
		"cut":            good[:len(good)-1],
		"head alone":     good[:6],
		"text":           []byte(strings.Repeat("hello ", 10)),
		"length too big": append(append([]byte{}, good[:len(good)-8]...), 0xff, 0xff, 0xff, 0x7f, 'P', 'A', 'R', '1'),
		"length zero":    append(append([]byte{}, good[:len(good)-8]...), 0, 0, 0, 0, 'P', 'A', 'R', '1'),
	} {
		path := filepath.Join(l.dir, "bad.parquet")
		if err := os.WriteFile(path, body, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadFooter(path); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := ReadFooter(filepath.Join(l.dir, "none")); err == nil {
		t.Error("no file is no error")
	}
}

func FuzzFooter(f *testing.F) {
	l := newLab(f)
	for _, query := range []string{"SELECT 1 AS a, NULL::VARCHAR AS b", "SELECT [i] AS a, {'b': i} AS s FROM range(9) r(i)"} {
		file, err := os.ReadFile(l.write("a.parquet", query, ""))
		if err != nil {
			f.Fatal(err)
		}
		size := int(file[len(file)-8]) | int(file[len(file)-7])<<8
		f.Add(file[len(file)-8-size : len(file)-8])
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if m, err := parseFooter(raw); err == nil && (m.Rows < 0 && m.Groups == 0) {
			t.Errorf("%+v of %x", m, raw)
		}
	})
}
