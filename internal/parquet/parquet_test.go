package parquet

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"leat/internal/duck"
)

// lab is a DuckDB with a folder; it writes the files and judges them.
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

const whole = "SELECT 1::BIGINT AS a, NULL::VARCHAR AS b, NULL::STRUCT(x VARCHAR, y STRUCT(z BIGINT, l VARCHAR[]), t TIMESTAMP) AS s, " +
	"NULL::BOOLEAN AS c, NULL::DOUBLE AS d, NULL::VARCHAR[] AS e, NULL::STRUCT(p BIGINT, q BIGINT) AS g WHERE false"

func TestGraft(t *testing.T) {
	l := newLab(t)
	like := l.footer(l.write("whole.parquet", whole, ""))
	parts := map[string]string{
		"one column":          "SELECT i AS a FROM range(5) r(i)",
		"the last column":     "SELECT {'q': i} AS g FROM range(5) r(i)",
		"a list":              "SELECT [i::VARCHAR, NULL, 'x'] AS e FROM range(5) r(i)",
		"all of them":         "SELECT i AS a, 'b' AS b, {'x': 'x', 'y': {'z': i, 'l': ['l']}, 't': TIMESTAMP '2026-11-24 08:00:00'} AS s, true AS c, 1.5::DOUBLE AS d, [] ::VARCHAR[] AS e, {'p': i, 'q': i} AS g FROM range(5) r(i)",
		"an object within":    "SELECT {'y': {'z': CASE WHEN i % 2 = 0 THEN i END}} AS s FROM range(5) r(i)",
		"a list in an object": "SELECT {'x': NULL::VARCHAR, 'y': {'l': CASE WHEN i % 2 = 0 THEN [i::VARCHAR] END}} AS s FROM range(5) r(i)",
		"many row groups":     "SELECT i AS a, {'x': i::VARCHAR} AS s FROM range(20000) r(i)",
		"no rows":             "SELECT i AS a FROM range(0) r(i)",
	}
	for name, query := range parts {
		t.Run(name, func(t *testing.T) {
			l := &lab{t, l.db, l.dir}
			path := l.write(strings.ReplaceAll(name, " ", "-")+".parquet", query, ", COMPRESSION zstd, ROW_GROUP_SIZE 2048")
			before := l.footer(path)
			if err := Graft(path, like); err != nil {
				t.Fatal(err)
			}
			after := l.footer(path)
			if after.Rows != before.Rows || fmt.Sprint(after.Leaves) != fmt.Sprint(like.Leaves) {
				t.Errorf("rows %d -> %d, leaves %v", before.Rows, after.Rows, after.Leaves)
			}
			// What DuckDB reads is the same as what it would have written itself.
			want := l.write("want.parquet", "FROM ("+whole+") UNION ALL BY NAME "+full(query), "")
			got := l.ask("FROM " + duck.Text(path))
			if exp := l.ask("FROM " + duck.Text(want)); got != exp {
				t.Errorf("got %.300s\nwant %.300s", got, exp)
			}
			if n := l.ask("SELECT count(*) n FROM " + duck.Text(path) + " WHERE c IS NULL OR c"); n != fmt.Sprintf(`[{"n":%d}]`, after.Rows) {
				t.Errorf("by a condition: %s", n)
			}
			if err := Graft(path, like); err != nil {
				t.Errorf("a second time: %v", err)
			}
			if again := l.ask("FROM " + duck.Text(path)); again != got {
				t.Error("a second graft changes what is read")
			}
		})
	}
}

// full names the columns that the query has not, as NULL, so that a plain writer makes them.
func full(query string) string {
	cast := map[string]string{
		"a": "BIGINT", "b": "VARCHAR", "c": "BOOLEAN", "d": "DOUBLE", "e": "VARCHAR[]",
		"s": "STRUCT(x VARCHAR, y STRUCT(z BIGINT, l VARCHAR[]), t TIMESTAMP)", "g": "STRUCT(p BIGINT, q BIGINT)",
	}
	var list []string
	for _, c := range []string{"a", "b", "s", "c", "d", "e", "g"} {
		if !strings.Contains(query, " AS "+c+" ") && !strings.Contains(query, " AS "+c+",") {
			list = append(list, "NULL::"+cast[c]+" AS "+c)
			continue
		}
		expr := "q." + c
		if c == "s" {
			expr = structOf(query)
		}
		if c == "g" && !strings.Contains(query, "'p'") {
			expr = "{'p': NULL::BIGINT, 'q': q.g.q}"
		}
		list = append(list, "("+expr+")::"+cast[c]+" AS "+c)
	}
	return "SELECT " + strings.Join(list, ", ") + " FROM (" + query + ") q"
}

// structOf writes the object s of a query with all its members.
func structOf(query string) string {
	x, z, l, time := "NULL", "NULL", "NULL", "NULL"
	if strings.Contains(query, "'x':") {
		x = "q.s.x"
	}
	if strings.Contains(query, "'z':") {
		z = "q.s.y.z"
	}
	if strings.Contains(query, "'l':") {
		l = "q.s.y.l"
	}
	if strings.Contains(query, "'t':") {
		time = "q.s.t"
	}
	y := "{'z': " + z + "::BIGINT, 'l': " + l + "::VARCHAR[]}"
	if z == "NULL" && l == "NULL" {
		y = "NULL::STRUCT(z BIGINT, l VARCHAR[])"
	}
	return "{'x': " + x + "::VARCHAR, 'y': " + y + ", 't': " + time + "::TIMESTAMP}"
}

func TestGraftRefuses(t *testing.T) {
	l := newLab(t)
	like := l.footer(l.write("whole.parquet", whole, ""))
	for name, query := range map[string]string{
		"another type":   "SELECT i::VARCHAR AS a FROM range(5) r(i)",
		"another column": "SELECT i AS zz FROM range(5) r(i)",
		"another shape":  "SELECT {'n': i} AS b FROM range(5) r(i)",
	} {
		path := l.write("x.parquet", query, "")
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := Graft(path, like); err == nil {
			t.Errorf("%s: no error", name)
		}
		if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
			t.Errorf("%s: the file was changed", name)
		}
	}
	if err := Graft(filepath.Join(l.dir, "none"), like); err == nil {
		t.Error("no file is no error")
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
}

func FuzzFooter(f *testing.F) {
	l := newLab(f)
	f.Add(l.footer(l.write("a.parquet", whole, "")).raw)
	f.Add(l.footer(l.write("b.parquet", "SELECT [i] AS a, {'b': i} AS s FROM range(9) r(i)", "")).raw)
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := parseFooter(raw)
		if err != nil {
			return
		}
		levels, err := m.levels(m)
		if err != nil {
			return
		}
		g := grafter{like: m, levels: levels}
		if out, err := g.footer(m); err == nil && len(m.group) < 15 {
			if _, err := parseFooter(out); err != nil {
				t.Errorf("the footer that was written can't be read: %v", err)
			}
		}
	})
}

// BenchmarkNulls compares 100 columns of NULL that are grafted to 100 that DuckDB writes.
func BenchmarkNulls(b *testing.B) {
	l := newLab(b)
	var list []string
	for i := range 100 {
		list = append(list, fmt.Sprintf("NULL::VARCHAR AS c%d", i))
	}
	nulls := strings.Join(list, ", ")
	like := l.footer(l.write("whole.parquet", "SELECT 1::BIGINT AS a, "+nulls+" WHERE false", ""))
	b.Run("grafted", func(b *testing.B) {
		for b.Loop() {
			if err := Graft(l.write("g.parquet", "SELECT i AS a FROM range(200000) r(i)", ""), like); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("written", func(b *testing.B) {
		for b.Loop() {
			l.write("w.parquet", "SELECT i AS a, "+nulls+" FROM range(200000) r(i)", "")
		}
	})
}
