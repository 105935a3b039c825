package database

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5/pgtype"

	"leat/internal/testpg"
)

// rowsOf runs a query and returns its rows as texts.
func rowsOf(t *testing.T, c Conn, query string, keys []string) (columns []string, rows [][]string, err error) {
	t.Helper()
	err = c.Query(t.Context(), query, keys, func(names []string) error {
		columns = names
		return nil
	}, func(cells [][]byte) error {
		row := make([]string, len(cells))
		for i, cell := range cells {
			row[i] = string(cell)
		}
		rows = append(rows, row)
		return nil
	})
	return columns, rows, err
}

func openPostgres(t *testing.T, dsn string) Conn {
	t.Helper()
	c := Config{Driver: "postgres", DSN: dsn, Timeout: time.Minute}
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

func TestPostgres(t *testing.T) {
	s := testpg.Start(t)
	s.SQL(`create type mood as enum ('calm', 'cross "x"');
		create domain site as text;
		set datestyle = german; alter role postgres set datestyle = german; alter role postgres set timezone = 'Asia/Tokyo'; alter role postgres set bytea_output = escape`)
	t.Run("types", func(t *testing.T) { testTypes(t, s) })
	t.Run("keys", func(t *testing.T) { testKeys(t, s) })
	t.Run("read only", func(t *testing.T) { testReadOnly(t, s) })
	t.Run("errors", func(t *testing.T) { testErrors(t, s) })
	t.Run("restart", func(t *testing.T) { testRestart(t, s) })
}

func testTypes(t *testing.T, s *testpg.Server) {
	c := openPostgres(t, s.TCP())
	for expr, want := range map[string]string{
		`42::int4`:                            `42`,
		`9223372036854775807::int8`:           `9223372036854775807`,
		`123456789012345678901234567890.1200`: `123456789012345678901234567890.1200`,
		`'NaN'::numeric`:                      `"NaN"`,
		`1e-7::float8`:                        `1e-07`,
		`'-Infinity'::float8`:                 `"-Infinity"`,
		`true`:                                `true`,
		`null::bool`:                          ``,
		`''::text`:                            ``,
		`E'a"b\\c\n\u00e9'`:                   `"a\"b\\c\né"`,
		`'lab'::site`:                         `"lab"`,
		`'calm'::mood`:                        `"calm"`,
		`'{"a": [1, 2.50, null],
		  "b": {}}'::json`: `{"a":[1,2.50,null],"b":{}}`,
		`'{"a": 1.10}'::jsonb`: `{"a":1.10}`,
		`'null'::jsonb`:        ``,
		`'2026-11-24 17:00:00.123456+02'::timestamptz`:            `"2026-11-24T15:00:00.123456Z"`,
		`'2026-11-24 17:00:00'::timestamp`:                        `"2026-11-24T17:00:00.000Z"`,
		`'infinity'::timestamptz`:                                 ``,
		`'9000-01-01 00:00:00Z'::timestamptz`:                     `"9000-01-01T00:00:00.000Z"`,
		`'2026-11-24'::date`:                                      `"2026-11-24"`,
		`'infinity'::date`:                                        ``,
		`'04:05:06'::time`:                                        `"04:05:06"`,
		`'1 day 2 hours'::interval`:                               `"P1DT2H"`,
		`'\xdeadbeef'::bytea`:                                     `"deadbeef"`,
		`'192.0.2.1'::inet`:                                       `"192.0.2.1"`,
		`'2001:db8::/32'::cidr`:                                   `"2001:db8::/32"`,
		`'00000000-0000-4000-8000-000000000001'::uuid`:            `"00000000-0000-4000-8000-000000000001"`,
		`array[1,null,3]`:                                         `[1,null,3]`,
		`array['a','b"c','','NULL','x,y}']`:                       `["a","b\"c","","NULL","x,y}"]`,
		`array[['a','b'],['c','d']]`:                              `[["a","b"],["c","d"]]`,
		`'[0:1]={5,6}'::int[]`:                                    `[5,6]`,
		`array[]::text[]`:                                         `[]`,
		`array['calm','cross "x"']::mood[]`:                       `["calm","cross \"x\""]`,
		`array['{"a": 1}']::jsonb[]`:                              `[{"a":1}]`,
		`array[true,false]`:                                       `[true,false]`,
		`array['192.0.2.0/24']::cidr[]`:                           `["192.0.2.0/24"]`,
		`array['2026-11-24 17:00:00Z','infinity']::timestamptz[]`: `["2026-11-24T17:00:00.000Z",null]`,
	} {
		_, rows, err := rowsOf(t, c, "select "+expr+" as v", nil)
		if err != nil || len(rows) != 1 || rows[0][0] != want {
			t.Errorf("%s: %q, %v; want %q", expr, rows, err, want)
		}
	}
}

// hostile are keys as an attacker would choose them.
var hostile = []string{
	`x'); drop table users; --`, `{a,b}`, `"`, `\`, `\"`, `NULL`, ``, ` `, `a,b`, "new\nline", `%`, `_`, `$1`, `é`, `' or '1'='1`, `"]}`, `[1]`, `}`,
}

func testKeys(t *testing.T, s *testpg.Server) {
	s.SQL(`create table users (name text primary key, n int); insert into users values ('alice', 1), ('bob', 2)`)
	c := openPostgres(t, s.Socket())
	for _, k := range hostile {
		for _, ask := range [][]string{{k}, {"alice", k}, append([]string{"bob"}, hostile...)} {
			_, rows, err := rowsOf(t, c, `select k as name, n from unnest($1::text[]) k left join users on name = k`, ask)
			if err != nil || len(rows) != len(ask) {
				t.Fatalf("%q: %q, %v", ask, rows, err)
			}
		}
	}
	// Each key arrives as it was.
	var sent string
	if err := c.Query(t.Context(), `select to_json($1::text[])::text as k`, hostile, func([]string) error { return nil }, func(cells [][]byte) error {
		sent = string(cells[0])
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, k := range hostile {
		quoted := fmt.Sprintf("%q", k)
		inner := fmt.Sprintf("%q", quoted)
		if !strings.Contains(sent, inner[1:len(inner)-1]) {
			t.Errorf("key %q did not arrive: %s", k, sent)
		}
	}
	_, rows, err := rowsOf(t, c, `select name, n from users where name = any($1)`, append([]string{"alice"}, hostile...))
	if diff := cmp.Diff([][]string{{`"alice"`, "1"}}, rows); diff != "" || err != nil {
		t.Error(diff, err)
	}
	for _, q := range []string{`select 1 as a`, `select 1 as a where 'a' = $1 and 'b' = $2`} {
		if _, _, err := rowsOf(t, c, q, []string{"k"}); err == nil || !strings.Contains(err.Error(), "expected one, $1") {
			t.Errorf("%s: %v", q, err)
		}
	}
}

func testReadOnly(t *testing.T, s *testpg.Server) {
	s.SQL(`create table t (n int); create function sneak() returns int language sql as 'insert into t values (1) returning n'`)
	c := openPostgres(t, s.Socket())
	for _, q := range []string{
		`insert into t values (1) returning n`, `select sneak() as n`, `select 1 as n; drop table t`, `commit; drop table t`,
		`with x as (delete from t returning n) select n from x`,
	} {
		if _, _, err := rowsOf(t, c, q, nil); err == nil {
			t.Errorf("%s: no error", q)
		}
	}
	if n := strings.TrimSpace(s.SQL("select count(*) from t")); n != "0" {
		t.Errorf("%s rows were written", n)
	}
}

func testErrors(t *testing.T, s *testpg.Server) {
	c := openPostgres(t, s.Socket())
	for q, want := range map[string]string{
		`select * from nowhere`:              `relation "nowhere" does not exist`,
		`select 'topsecret'::text::int as a`: `SQLSTATE 22P02`,
		`select 1`:                           `column 1 of the query has no name`,
		`select 1 as a, 2 as a`:              `two columns of the query have the name "a"`,
		`set timezone = 'UTC'`:               `expected a select`,
		`selec`:                              `syntax error`,
	} {
		_, _, err := rowsOf(t, c, q, nil)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "topsecret") {
			t.Errorf("%s: %v; want %s", q, err, want)
		}
	}
	// The connection is usable again after each of them.
	if _, rows, err := rowsOf(t, c, "select 1 as a", nil); err != nil || len(rows) != 1 {
		t.Error(rows, err)
	}
	stop := errors.New("enough")
	if err := c.Query(t.Context(), "select generate_series(1, 1000000) as n", nil, func([]string) error { return nil }, func([][]byte) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("the row's error is lost: %v", err)
	}
	slow := Config{Driver: "postgres", DSN: s.Socket(), Timeout: 50 * time.Millisecond}
	conn, err := slow.Open("")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, _, err := rowsOf(t, conn, "select pg_sleep(600)::text as n", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a query without end: %v", err)
	}
	wrong := openPostgres(t, strings.Replace(s.TCP(), testpg.Password, "hunter2", 1))
	if _, _, err := rowsOf(t, wrong, "select 1 as a", nil); err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "password authentication failed") {
		t.Errorf("wrong password: %v", err)
	}
}

func testRestart(t *testing.T, s *testpg.Server) {
	c := openPostgres(t, s.Socket())
	if _, _, err := rowsOf(t, c, "select 1 as a", nil); err != nil {
		t.Fatal(err)
	}
	s.Stop()
	if _, _, err := rowsOf(t, c, "select 1 as a", nil); err == nil {
		t.Fatal("a stopped server answered")
	}
	s.Restart()
	idle := openPostgres(t, s.Socket())
	for _, conn := range []Conn{c, idle} {
		if _, _, err := rowsOf(t, conn, "select 1 as a", nil); err != nil {
			t.Fatalf("the server is back: %v", err)
		}
	}
	// It was restarted while nothing was asked.
	s.Stop()
	s.Restart()
	if _, _, err := rowsOf(t, idle, "select 1 as a", nil); err != nil {
		t.Fatalf("the connection broke while it was idle: %v", err)
	}
}

// certificates are of one authority: for the address 127.0.0.1, and for another host.
func certificate(t *testing.T, dir, san string) {
	t.Helper()
	out, err := exec.Command("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=pg",
		"-addext", "subjectAltName="+san, "-keyout", filepath.Join(dir, "server.key"), "-out", filepath.Join(dir, "server.crt")).CombinedOutput()
	if err != nil {
		t.Fatalf("openssl: %v\n%s", err, out)
	}
}

// TestPostgresTLS: loopback is not checked, so the test names the host as one that is not; the dialer stays the library's.
func TestPostgresTLS(t *testing.T) {
	dir := t.TempDir()
	certificate(t, dir, "DNS:db.example.test")
	s := testpg.Start(t)
	for _, name := range []string{"server.crt", "server.key"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(s.Dir, "data", name)
		info, err := os.Stat(filepath.Join(s.Dir, "data"))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		chownLike(t, path, info)
	}
	s.Stop()
	s.Configure("ssl = on")
	s.Restart()
	ask := func(host, options string, insecure bool) error {
		c := Config{Driver: "postgres", Timeout: time.Minute, Insecure: insecure,
			DSN: fmt.Sprintf("host=%s port=%d user=postgres password=%s dbname=postgres %s", host, s.Port, testpg.Password, options)}
		if bad := c.Check(); len(bad) > 0 {
			return errors.New(bad[0].Message)
		}
		conn, err := c.Open("")
		if err != nil {
			return err
		}
		defer conn.Close()
		p := conn.(*postgres)
		p.conf.LookupFunc = func(context.Context, string) ([]string, error) { return []string{"127.0.0.1"}, nil }
		_, rows, err := rowsOf(t, conn, "select ssl as a from pg_stat_ssl where pid = pg_backend_pid()", nil)
		if err == nil && rows[0][0] != "true" && !insecure {
			return errors.New("in plain text")
		}
		return err
	}
	ca := "sslrootcert=" + filepath.Join(dir, "server.crt")
	for _, c := range []struct {
		host, options string
		insecure      bool
		want          string
	}{
		{"db.example.test", ca, false, ""},
		{"db.example.test", "sslmode=require " + ca, false, ""},
		{"db.example.test", "", false, "certificate signed by unknown authority"},
		{"db.example.test", "sslmode=require", false, "certificate signed by unknown authority"},
		{"other.example.test", ca, false, "certificate is valid for db.example.test, not other.example.test"},
		{"db.example.test", "sslmode=disable", false, "plain text over a network"},
		{"db.example.test", "sslmode=disable", true, ""},
		{"db.example.test", "sslmode=require", true, ""},
	} {
		err := ask(c.host, c.options, c.insecure)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s %s insecure=%v: %v; want %q", c.host, c.options, c.insecure, err, c.want)
		}
	}
}

func TestPasswordsStayOut(t *testing.T) {
	for _, dsn := range []string{"postgres://u:hunter2@h:notaport/x", "host=h password=hunter2 sslmode=what", "password=hunter2 'x"} {
		c := Config{Driver: "postgres", DSN: dsn}
		bad := c.Check()
		if len(bad) == 0 || strings.Contains(fmt.Sprint(bad), "hunter2") {
			t.Errorf("%s: %v", dsn, bad)
		}
	}
}

func FuzzArrayText(f *testing.F) {
	for _, s := range []string{`{}`, `{1,2}`, `{"a\"b",NULL}`, `{{1},{2}}`, `[0:1]={1,2}`, `{`, `{"`, `{\`, `{1`, `x`, `{{{{{{{`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		a := arrayText{text: text, elem: pgtype.TextOID}
		out, err := a.append(nil)
		if err == nil && !validCell(out) {
			t.Fatalf("%q: %q is no JSON", text, out)
		}
	})
}

// FuzzAppendArray: what a key is made of never ends the key.
func FuzzAppendArray(f *testing.F) {
	for _, k := range hostile {
		f.Add(k, "b")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		p := arrayText{text: appendArray(nil, []string{a, b}), elem: pgtype.TextOID}
		out, err := p.append(nil)
		if err != nil || elements(out) != 2 {
			t.Fatalf("%q %q: %q, %v", a, b, out, err)
		}
	})
}
