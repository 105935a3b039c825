package database

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// sqliteOf makes a database with Python's sqlite3.
func sqliteOf(t testing.TB, path, statements string) {
	t.Helper()
	cmd := exec.Command("python3", "-c", "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.executescript(sys.stdin.read()); c.commit(); c.close()", path)
	cmd.Stdin = strings.NewReader(statements)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("make %s: %v\n%s", path, err, out)
	}
}

func openSQLite(t testing.TB, path string) Conn {
	t.Helper()
	c := Config{File: path, Timeout: time.Minute}
	if bad := c.Check(); len(bad) > 0 {
		t.Fatal(bad)
	}
	conn, err := c.Open("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestSQLiteTypes(t *testing.T) {
	// A name with all that a URI gives a meaning to.
	path := filepath.Join(t.TempDir(), "a?mode=rwc&b#%41 c.db")
	sqliteOf(t, path, `create table t (id integer, big integer, f real, s text, b blob, ok boolean, j json, at datetime, d date, any);
		insert into t values (1, 9223372036854775807, 3.0, 'a"b'||char(10), x'deadbeef', 1, '{"a": [1, 2.50]}', '2026-11-24 17:00:00', '2026-11-24', 'word');
		insert into t values (2, -1, 1e300, '', x'', 0, 'not json', 'never', null, 1.5);
		insert into t values (3, null, 9e999, null, null, 7, 'null', 1700000000, null, x'00ff');`)
	c := openSQLite(t, path)
	columns, rows, err := rowsOf(t, c, `select * from t order by id`, nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"id", "big", "f", "s", "b", "ok", "j", "at", "d", "any"}, columns); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([][]string{
		{"1", "9223372036854775807", "3.0", `"a\"b\n"`, `"deadbeef"`, "true", `{"a":[1,2.50]}`, `"2026-11-24T17:00:00.000Z"`, `"2026-11-24"`, `"word"`},
		{"2", "-1", "1e+300", "", "", "false", `"not json"`, `"never"`, "", "1.5"},
		{"3", "", `"+Inf"`, "", "", "7", "", "1700000000", "", `"00ff"`},
	}, rows); diff != "" {
		t.Error(diff)
	}
}

func TestSQLiteKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users.db")
	sqliteOf(t, path, `create table users (name text primary key, n int); insert into users values ('alice', 1), ('bob', 2), ('', 3)`)
	c := openSQLite(t, path)
	_, rows, err := rowsOf(t, c, `select name, n from users where name in (select value from json_each(?1))`, append([]string{"alice"}, hostile...))
	if diff := cmp.Diff([][]string{{"", "3"}, {`"alice"`, "1"}}, rows); diff != "" || err != nil {
		t.Error(diff, err)
	}
	_, rows, err = rowsOf(t, c, `select value from json_each(?1)`, hostile)
	if err != nil || len(rows) != len(hostile) {
		t.Errorf("%q, %v", rows, err)
	}
}

func TestSQLiteReadsOnly(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.db")
	sqliteOf(t, path, `create table t (n int)`)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c := openSQLite(t, path)
	for _, q := range []string{
		`insert into t values (1) returning n`, `select n from t; drop table t`, `pragma query_only = 0; insert into t values (1) returning n`,
		`pragma journal_mode = wal`, `vacuum into '` + filepath.Join(dir, "copy.db") + `'`,
	} {
		_, _, _ = rowsOf(t, c, q, nil)
	}
	after, err := os.ReadFile(path)
	if err != nil || string(after) != string(before) {
		t.Errorf("the file was written (%v)", err)
	}
}

func TestSQLiteFaults(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good.db")
	sqliteOf(t, good, `create table t (n int); insert into t with recursive s(i) as (select 1 union all select i + 1 from s where i < 20000) select i from s`)
	data, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, data []byte) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	torn := append([]byte(nil), data...)
	for i := 8192; i < len(torn); i++ {
		torn[i] = 0xff
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "absent.db"): "no such file",
		dir:                             "not a regular file",
		write("text.db", []byte("hello there, this is no database at all, it is but text. It goes on for a while so that it is longer than a header.")): "not a database",
		write("torn.db", torn):              "malformed",
		write("cut.db", data[:len(data)/2]): "malformed",
	} {
		if _, _, err := rowsOf(t, openSQLite(t, path), `select n from t`, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %s", path, err, want)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "absent.db")); !errors.Is(err, os.ErrNotExist) {
		t.Error("a database was made")
	}
	endless := Config{File: good, Timeout: 50 * time.Millisecond}
	if bad := endless.Check(); bad != nil {
		t.Fatal(bad)
	}
	conn, err := endless.Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, _, err := rowsOf(t, conn, `with recursive s(i) as (select 1 union all select i + 1 from s) select max(i) as n from s`, nil); err == nil || !strings.Contains(err.Error(), "deadline") {
		t.Errorf("a query without end: %v", err)
	}
}

// TestSQLiteWriteAhead: a database in write-ahead mode is read beside its writer, and also from a folder in which nothing
// may be made.
func TestSQLiteWriteAhead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "wal.db")
	sqliteOf(t, path, `pragma journal_mode = wal; create table t (n int); insert into t values (1);`)
	c := openSQLite(t, path)
	if _, rows, err := rowsOf(t, c, `select n from t`, nil); err != nil || len(rows) != 1 {
		t.Fatal(rows, err)
	}
	sqliteOf(t, path, `insert into t values (2)`)
	if _, rows, err := rowsOf(t, c, `select n from t`, nil); err != nil || len(rows) != 2 {
		t.Fatal(rows, err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	sqliteOf(t, path, `pragma wal_checkpoint(truncate)`) // no reader is about any more: its log goes into the file
	s := openSQLite(t, path).(*sqliteFile)
	var rows int
	if err := s.still(t.Context(), `select n from t`, nil, func([]string) error { return nil }, func([][]byte) error { rows++; return nil }); err != nil || rows != 2 {
		t.Errorf("%d rows of the file alone, %v", rows, err)
	}
	err := s.still(t.Context(), `select n from t`, nil, func([]string) error { return nil }, func([][]byte) error {
		sqliteOf(t, path, `insert into t values (3)`)
		return nil
	})
	if err == nil || !strings.Contains(err.Error(), "changed while") {
		t.Errorf("a file that changes: %v", err)
	}
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		cfg Config
		key string
	}{
		{Config{}, "driver"},
		{Config{Driver: "mysql"}, "driver"},
		{Config{Driver: "sqlite"}, "file"},
		{Config{Driver: "sqlite", File: "x", DSN: "y"}, "dsn"},
		{Config{Driver: "postgres"}, "dsn"},
		{Config{Driver: "postgres", DSN: "host=/tmp", DSNEnv: "X"}, "dsn"},
		{Config{Driver: "postgres", DSN: "host=/tmp", File: "x"}, "file"},
		{Config{Driver: "postgres", DSN: "host=db.example.test sslmode=disable"}, "dsn"},
		{Config{File: "x", Timeout: -1}, "timeout"},
	} {
		bad := c.cfg.Check()
		if len(bad) != 1 || bad[0].Key != c.key {
			t.Errorf("%+v: %v; want one of %s", c.cfg, bad, c.key)
		}
	}
	c := Config{Driver: "postgres", DSNEnv: "LEAT_TEST_NO_SUCH"}
	if bad := c.Check(); bad != nil {
		t.Fatal(bad)
	}
	if _, err := c.Open(""); err == nil || !strings.Contains(err.Error(), "LEAT_TEST_NO_SUCH") {
		t.Error(err)
	}
}
