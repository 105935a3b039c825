package duck

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func open(t *testing.T, cfg Config) *DB {
	t.Helper()
	db, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// one returns the only value of a query.
func one(t *testing.T, db *DB, stmt string) (string, error) {
	t.Helper()
	r, err := db.Query(t.Context(), stmt)
	if err != nil {
		return "", err
	}
	defer r.Close()
	var s string
	if r.Next() {
		err = r.Scan(&s)
	}
	return s, errors.Join(err, r.Err())
}

func TestReachesNoFurther(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	secret := filepath.Join(outside, "secret.csv")
	if err := os.WriteFile(secret, []byte("a\nb\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	single := filepath.Join(outside, "single.parquet")
	db := open(t, Config{Dirs: []string{dir}, Files: []string{single}, TempDir: filepath.Join(dir, "tmp")})
	inside := filepath.Join(dir, "x'y.parquet")
	for _, path := range []string{inside, single} {
		if n, err := db.Exec(t.Context(), "COPY (SELECT 7 AS n) TO "+Text(path)+" (FORMAT parquet)"); err != nil || n != 1 {
			t.Fatalf("%s: %d, %v", path, n, err)
		}
		if got, err := one(t, db, "SELECT n FROM read_parquet("+List([]string{path})+")"); err != nil || got != "7" {
			t.Errorf("%s: %q, %v", path, got, err)
		}
	}
	for _, stmt := range []string{
		"SELECT * FROM read_csv(" + Text(secret) + ")",
		"SELECT * FROM read_text(" + Text(secret) + ")",
		"SELECT * FROM read_parquet(" + Text(dir+"/../"+filepath.Base(outside)+"/*.csv") + ")",
		"SELECT * FROM glob(" + Text(outside+"/*") + ")",
		"COPY (SELECT 1) TO " + Text(filepath.Join(outside, "new.csv")),
		"ATTACH " + Text(filepath.Join(outside, "new.db")),
		"SELECT * FROM read_csv('http://127.0.0.1:1/x.csv')",
		"INSTALL httpfs", "LOAD httpfs", "LOAD " + Text(secret),
		"SET enable_external_access = true", "RESET enable_external_access", "SET allowed_directories = ['/']",
		"SET autoload_known_extensions = true", "SET memory_limit = '100GB'", "SET lock_configuration = false",
	} {
		if got, err := one(t, db, stmt); err == nil {
			t.Errorf("%s gives %q", stmt, got)
		}
	}
}

func TestSettings(t *testing.T) {
	db := open(t, Config{MemoryLimit: 256 << 20, Threads: 3})
	for name, want := range map[string]string{
		"memory_limit": "256.0 MiB", "threads": "3", "temp_directory": "", "TimeZone": "UTC",
		"autoinstall_known_extensions": "false", "autoload_known_extensions": "false", "enable_external_access": "false",
	} {
		if got, err := one(t, db, "SELECT coalesce(current_setting("+Text(name)+"), '')"); err != nil || got != want {
			t.Errorf("%s is %q (%v), want %q", name, got, err, want)
		}
	}
}

var errAny = errors.New("any error")

func TestReads(t *testing.T) {
	dir := t.TempDir()
	db := open(t, Config{Dirs: []string{dir}})
	if _, err := db.Exec(t.Context(), "CREATE VIEW v AS SELECT 1 AS a"); err != nil {
		t.Fatal(err)
	}
	target := Text(filepath.Join(dir, "x.csv"))
	tests := []struct {
		stmt string
		want error
	}{
		{"SELECT a FROM v", nil},
		{"FROM v", nil},
		{"WITH w AS (FROM v) SELECT * FROM w", nil},
		{"VALUES (1)", nil},
		{"DESCRIBE v", nil},
		{"SHOW TABLES", nil},
		{"SUMMARIZE v", nil},
		{"-- why\nSELECT 1", nil},
		{"EXPLAIN SELECT 1", nil},
		{"explain (analyze, format json) select 1", nil},
		{"-- x\nEXPLAIN ANALYZE /* y */ SELECT 1", nil},
		{"(SELECT 1) UNION (SELECT 2)", nil},
		{"EXPLAIN EXPORT DATABASE " + target, ErrNotSelect},
		{"EXPLAIN (ANALYZE) COPY v TO " + target, ErrNotSelect},
		{"WITH w AS (SELECT 1 AS a) INSERT INTO v SELECT * FROM w", errAny},
		{"-- x\n/* SELECT */ COPY v TO " + target, ErrNotSelect},
		{"EXPLAIN ANALYZE COPY v TO " + target, ErrNotSelect},
		{"/* x */ EXPLAIN ANALYZE COPY v TO " + target, ErrNotSelect},
		{"COPY v TO " + target, ErrNotSelect},
		{"SELECT 1; COPY v TO " + target, ErrNotSelect},
		{"CREATE TABLE t (a INT)", ErrNotSelect},
		{"DROP VIEW v", ErrNotSelect},
		{"SET threads = 1", ErrNotSelect},
		{"PRAGMA database_size", ErrNotSelect},
		{"CALL pragma_version()", ErrNotSelect},
		{"EXPORT DATABASE " + target, ErrNotSelect},
		{"BEGIN", ErrNotSelect},
		{"", ErrNotSelect},
	}
	for _, tt := range tests {
		explains, err := db.Reads(t.Context(), tt.stmt)
		if !errors.Is(err, tt.want) && (tt.want != errAny || err == nil) {
			t.Errorf("%q: %v, want %v", tt.stmt, err, tt.want)
		}
		if err == nil && explains != strings.Contains(strings.ToLower(tt.stmt), "explain") {
			t.Errorf("%q: explains is %v", tt.stmt, explains)
		}
	}
	if _, err := db.Reads(t.Context(), "SELECT a FRM v WHERE"); err == nil || errors.Is(err, ErrNotSelect) || !strings.Contains(err.Error(), "LINE 1") {
		t.Errorf("a typing error gives %v", err)
	}
	if names, _ := os.ReadDir(dir); len(names) > 0 {
		t.Errorf("something was written: %v", names)
	}
}

func TestFunction(t *testing.T) {
	db := open(t, Config{})
	err := db.Function(t.Context(), "shout", func(s string) (string, error) {
		if s == "bad" {
			return "", errors.New("no such word")
		}
		return strings.ToUpper(s) + "!", nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := one(t, db, "SELECT string_agg(shout(x), ' ' ORDER BY x) FROM (VALUES ('a'), ('b'), (NULL)) t(x)"); err != nil || got != "A! B!" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := one(t, db, "SELECT shout('bad')"); err == nil || !strings.Contains(err.Error(), "no such word") {
		t.Errorf("got %v", err)
	}
}

func TestBadInput(t *testing.T) {
	dir := t.TempDir()
	db := open(t, Config{Dirs: []string{dir}})
	in := filepath.Join(dir, "in.ndjson")
	copyAs := func(text, typ string) error {
		if err := os.WriteFile(in, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := db.Exec(t.Context(), "COPY (SELECT * FROM read_json("+Text(in)+", columns = {a: '"+typ+"'}, format = 'newline_delimited')) TO "+
			Text(filepath.Join(dir, "out.parquet")))
		return err
	}
	for _, bad := range []string{`{"a":"x"}`, `{"a":`, `{"a":99999999999999999999999}`, "\xff{}"} {
		if err := copyAs(bad+"\n", "BIGINT"); !BadInput(err) {
			t.Errorf("%q: %v is not laid to the input", bad, err)
		}
	}
	_, missing := db.Exec(t.Context(), "SELECT * FROM read_json("+Text(filepath.Join(dir, "none"))+")")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, interrupted := db.Exec(ctx, "SELECT count(*) FROM range(100000000) t(i), range(1000)")
	for _, err := range []error{nil, missing, interrupted, errors.New("x")} {
		if BadInput(err) {
			t.Errorf("%v is laid to the input", err)
		}
	}
}

func TestQuoting(t *testing.T) {
	for _, s := range []string{"", "a", "it's", `a"b`, `\`, "';--"} {
		db := open(t, Config{})
		if got, err := one(t, db, "SELECT "+Text(s)+" AS "+Name("col"+s)); err != nil || got != s {
			t.Errorf("%q: %q, %v", s, got, err)
		}
	}
	if got := List([]string{"a", "b'c"}); got != "['a','b''c']" {
		t.Error(got)
	}
}
