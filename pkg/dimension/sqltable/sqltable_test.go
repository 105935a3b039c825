package sqltable

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"leat/internal/testpg"
	"leat/pkg/dimension"
	"leat/pkg/dimension/database"
	"leat/pkg/yamlfile"
)

func script(t testing.TB, path, statements string) {
	t.Helper()
	cmd := exec.Command("python3", "-c", "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.executescript(sys.stdin.read()); c.commit(); c.close()", path)
	cmd.Stdin = strings.NewReader(statements)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("make %s: %v\n%s", path, err, out)
	}
}

func env(dir string, now *time.Time, rows int) dimension.Env {
	return dimension.Env{Name: "users", Base: dir, Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return *now }, Limits: dimension.Limits{Rows: rows}}
}

func open(t *testing.T, c Config, e dimension.Env) dimension.Source {
	t.Helper()
	if bad := c.Check(); len(bad) > 0 {
		t.Fatal(bad)
	}
	s, err := c.Open(e)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestSQLite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "users.db")
	script(t, path, `create table users (sam text, mail text, n int); insert into users values ('alice', 'a@example.test', 1), ('bob', null, 2)`)
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	s := open(t, Config{Config: database.Config{File: "users.db"}, Query: `select sam, mail, n as "office.floor" from users order by sam`}, env(dir, &now, 0))
	f, err := s.Fetch(t.Context(), dimension.Stamp{})
	if err != nil {
		t.Fatal(err)
	}
	if got := string(f.Table.AppendRow(f.Table.AppendRow(nil, 0), 1)); got != `{"sam":"alice","mail":"a@example.test","office.floor":1}{"sam":"bob","office.floor":2}` {
		t.Error(got)
	}
	if len(f.Version) != 16 || f.Cursor == "" || !f.AsOf.Equal(now) {
		t.Errorf("%+v", f.Stamp)
	}
	now = now.Add(time.Minute)
	again, err := s.Fetch(t.Context(), f.Stamp)
	if !errors.Is(err, dimension.ErrUnchanged) || again.Version != f.Version || !again.AsOf.Equal(now) {
		t.Errorf("nothing changed: %+v, %v", again, err)
	}
	// The file was written, its rows are the same.
	script(t, path, `create table other (n int)`)
	if _, err := s.Fetch(t.Context(), f.Stamp); !errors.Is(err, dimension.ErrUnchanged) {
		t.Errorf("other rows than the query's: %v", err)
	}
	script(t, path, `update users set mail = 'b@example.test' where sam = 'bob'`)
	next, err := s.Fetch(t.Context(), f.Stamp)
	if err != nil || next.Version == f.Version || !strings.Contains(string(next.Table.AppendRow(nil, 1)), "b@example.test") {
		t.Errorf("changed: %+v, %v", next, err)
	}
}

// TestYoungFile: a file that was changed a moment ago may be changed again within the same tick of the clock; its looks tell nothing.
func TestYoungFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.db")
	script(t, path, `create table t (n int); insert into t values (1)`)
	now := time.Now()
	if err := os.Chtimes(path, now, now); err != nil {
		t.Fatal(err)
	}
	s := open(t, Config{Config: database.Config{File: path}, Query: `select n from t`}, env(dir, &now, 0))
	f, err := s.Fetch(t.Context(), dimension.Stamp{})
	if err != nil || f.Cursor != "" {
		t.Fatalf("%+v, %v", f, err)
	}
	script(t, path, `update t set n = 2`)
	if err := os.Chtimes(path, now, now); err != nil {
		t.Fatal(err)
	}
	if f, err = s.Fetch(t.Context(), f.Stamp); err != nil || string(f.Table.AppendRow(nil, 0)) != `{"n":2}` {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestLimits(t *testing.T) {
	dir := t.TempDir()
	script(t, filepath.Join(dir, "x.db"), `create table t (n text); insert into t values ('aaaaaaaaaa'), ('bbbbbbbbbb'), ('cccccccccc')`)
	now := time.Now()
	for _, c := range []struct {
		rows  int
		bytes int64
		want  string
	}{{2, 0, "more than max_rows"}, {0, 30, "max_bytes"}, {3, 36, ""}} {
		s := open(t, Config{Config: database.Config{File: "x.db"}, Query: `select n from t`, MaxBytes: c.bytes}, env(dir, &now, c.rows))
		_, err := s.Fetch(t.Context(), dimension.Stamp{})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestPostgres(t *testing.T) {
	p := testpg.Start(t)
	p.SQL(`create table users (sam text primary key, groups text[], props jsonb, last timestamptz);
		insert into users values ('alice', '{admins,"remote users"}', '{"office": {"city": "Budapest"}}', '2026-11-01 10:00+01'), ('bob', null, null, 'infinity')`)
	now := time.Now()
	s := open(t, Config{Config: database.Config{Driver: "postgres", DSN: p.Socket(), Timeout: time.Minute}, Query: `select * from users order by sam`}, env("", &now, 0))
	f, err := s.Fetch(t.Context(), dimension.Stamp{})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"sam":"alice","groups":["admins","remote users"],"props":{"office":{"city":"Budapest"}},"last":"2026-11-01T09:00:00.000Z"}{"sam":"bob"}`
	if got := string(f.Table.AppendRow(f.Table.AppendRow(nil, 0), 1)); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if _, err := s.Fetch(t.Context(), f.Stamp); !errors.Is(err, dimension.ErrUnchanged) {
		t.Error(err)
	}
	// Down: an error, and no table. Back: as before.
	p.Stop()
	if _, err := s.Fetch(t.Context(), f.Stamp); err == nil || errors.Is(err, dimension.ErrUnchanged) {
		t.Errorf("the server is down: %v", err)
	}
	p.Restart()
	p.SQL(`delete from users where sam = 'bob'`)
	if f, err = s.Fetch(t.Context(), f.Stamp); err != nil || f.Table.Rows() != 1 {
		t.Errorf("the server is back: %+v, %v", f, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Fetch(ctx, dimension.Stamp{}); err == nil {
		t.Error("a fetch that was called off has no error")
	}
}

func TestConfigFile(t *testing.T) {
	for doc, want := range map[string]string{
		"driver: sqlite\nfile: x.db\nquery: select 1 as a\ntimeout: 5s":        "",
		"driver: postgres\ndsn_env: PGURL\nquery: select 1 as a\nmax_bytes: 1": "",
		"driver: sqlite\nfile: x.db\nquery: ' '":                               "query",
		"file: x.db\nquery: select 1 as a\nmax_bytes: -1":                      "max_bytes",
		"file: x.db\nqeury: select 1 as a":                                     "unknown key",
	} {
		var c Config
		_, err := yamlfile.Decode("enrich.yaml", []byte(doc), &c)
		got := fmt.Sprint(err)
		if err == nil {
			got = ""
			for _, b := range c.Check() {
				got += b.Key
			}
		}
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s: %s; want %s", doc, got, want)
		}
	}
}
