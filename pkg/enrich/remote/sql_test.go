package remote

import (
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"leat/internal/testpg"
	"leat/pkg/dimension/database"
)

func TestSQLite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	cmd := exec.Command("python3", "-c", "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.executescript(sys.stdin.read()); c.commit()", path)
	cmd.Stdin = strings.NewReader(`create table users (sam text, floor int, ok boolean); insert into users values ('alice', 3, 1), ('alice', 4, 0), ('Bob', null, null), (7, 1, null)`)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	b := backend(t, &Config{SQL: &SQLConfig{
		Config: database.Config{File: path, Timeout: time.Minute}, Key: "sam", Fold: true,
		Query: `select sam, floor as "office.floor", ok from users where lower(sam) in (select lower(value) from json_each(?1)) order by floor`,
	}})
	rows, err := b.Lookup(t.Context(), append([]string{"alice", "BOB", "7", "nobody"}, hostile...))
	if err != nil {
		t.Fatal(err)
	}
	for k, want := range map[string]string{"alice": `{"sam":"alice","office":{"floor":3},"ok":true}`, "BOB": `{"sam":"Bob"}`, "7": `{"sam":"7","office":{"floor":1}}`} {
		if got := string(rows[k]); got != want {
			t.Errorf("%s: %s; want %s", k, got, want)
		}
	}
	if len(rows) != 3 {
		t.Errorf("%q", rows)
	}
}

func TestPostgres(t *testing.T) {
	s := testpg.Start(t)
	s.SQL(`create table users (id int primary key, sam text, groups text[]); insert into users select i, 'user' || i, array['g' || i] from generate_series(1, 500) i`)
	conf := func(query, key string) *Config {
		return &Config{SQL: &SQLConfig{Config: database.Config{Driver: "postgres", DSN: s.Socket(), Timeout: time.Minute}, Query: query, Key: key},
			Timeout: time.Minute, Wait: time.Minute, Concurrency: 3, Breaker: BreakerConfig{Failures: 1}}
	}
	byName := conf(`select sam, id, groups from users where sam = any($1)`, "sam")
	b := backend(t, byName)
	rows, err := b.Lookup(t.Context(), append([]string{"user1", "user500"}, hostile...))
	if err != nil || len(rows) != 2 || string(rows["user500"]) != `{"sam":"user500","id":500,"groups":["g500"]}` {
		t.Errorf("%q, %v", rows, err)
	}
	if n := strings.TrimSpace(s.SQL(`select count(*) from users`)); n != "500" {
		t.Errorf("%s rows are left", n)
	}
	// A key that has not the column's type is its own fault alone.
	byID := conf(`select id, sam from users where id = any($1)`, "id")
	b = backend(t, byID)
	if _, err := b.Lookup(t.Context(), []string{"1", "x"}); !errors.Is(err, ErrKeys) || strings.Contains(err.Error(), `"x"`) {
		t.Errorf("%v", err)
	}
	c, err := New(*byID, b, Options{Name: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	keys := []string{"1", "2", "x", "3", "99999999999999", "501", "4"}
	expect(t, "mixed", states(c, keys...), "hit hit miss hit miss miss hit")
	if c.breaker.row != 0 {
		t.Error("the breaker counts what keys brought about")
	}
	// Down, and up again.
	s.Stop()
	expect(t, "down", states(c, "1", "10"), "hit error")
	s.Restart()
	c.mu.Lock()
	c.breaker.until = time.Now().Add(-time.Second) // the pause is over
	c.mu.Unlock()
	expect(t, "up", states(c, "10"), "hit")
	b = backend(t, conf(`select sam from users where sam = any($1)`, "name"))
	if _, err := b.Lookup(t.Context(), []string{"a"}); err == nil || !strings.Contains(err.Error(), `no column "name"`) {
		t.Error(err)
	}
	var many []string
	for i := range 500 {
		many = append(many, fmt.Sprintf("user%d", i+1))
	}
	c2, err := New(*byName, backend(t, byName), Options{Name: "many"})
	if err != nil {
		t.Fatal(err)
	}
	defer c2.Close()
	if got := states(c2, many...); strings.Count(got, "hit") != 500 {
		t.Error(got)
	}
}
