package querycmd

import (
	"bufio"
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/mattn/go-runewidth"

	"leat/pkg/query"
)

func TestHint(t *testing.T) {
	for _, tt := range []struct{ sql, message, want string }{
		{"SELECT sauce.ip FROM events", "Binder Error: Referenced table \"sauce\" not found!\n\nLINE 1: SELECT sauce.ip\n               ^", "\ndid you mean source.ip?"},
		{"SELECT e.source.ipp\nFROM events e", `Binder Error: Could not find key "ipp" in struct`, "LINE 1: SELECT e.source.ipp\n               ^\ndid you mean source.ip?"},
		{"SELECT 1,\n  \"user\".nam FROM events", `Could not find key "nam" in struct`, "LINE 2:   \"user\".nam FROM events\n          ^\ndid you mean user.name?"},
		{"SELECT linux.auth.method", `Referenced table "linux" not found`, "in rest: rest->>'$.linux.auth.method'"},
		{"SELECT zzzzqq", `Referenced column "zzzzqq" not found`, "`leat query --schema` lists the columns"},
		{"SELECT 'é', 日本, mesage", `Referenced column "mesage" not found`, "^\ndid you mean message?"},
	} {
		if got := hint(tt.sql, tt.message); !strings.Contains(got, tt.want) || !strings.HasPrefix(got, tt.message) {
			t.Errorf("%s:\n%s\nwant\n%s", tt.sql, got, tt.want)
		}
	}
	for _, plain := range []string{"Out of Memory Error", `Referenced table "not in it" not found`} {
		if got := hint("SELECT 1", plain); got != plain {
			t.Errorf("%s became %s", plain, got)
		}
	}
}

func FuzzHint(f *testing.F) {
	f.Add("SELECT \"a.b\".c,\n é FROM x", "c")
	f.Fuzz(func(t *testing.T, sql, word string) {
		hint(sql, `Could not find key "`+word+`" in struct`)
	})
}

func TestMoment(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for in, want := range map[string]string{
		"now": "2026-11-24T12:00:00Z", "1h": "2026-11-24T11:00:00Z", "7d": "2026-11-17T12:00:00Z", "2026-11-01": "2026-11-01T00:00:00Z",
		"2026-11-01T08:30": "2026-11-01T08:30:00Z", "2026-11-01 08:30:05": "2026-11-01T08:30:05Z", "2026-11-01T08:30:00+02:00": "2026-11-01T06:30:00Z",
	} {
		if got, err := moment(in, now); err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("%s: %v, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "yesterday", "1", "h", "-1h", "2026-13-01", "9999-01-01", "0001-01-01"} {
		if got, err := moment(in, now); err == nil {
			t.Errorf("%q is %v", in, got)
		}
	}
}

func TestWithoutNulls(t *testing.T) {
	for in, want := range map[string]string{
		`{"ip":"x","port":null,"geo":{"a":null},"as":{"n":1,"o":null}}`: `{"ip":"x","as":{"n":1}}`,
		`{"a":null}`: `{}`, `{"a":[null,{"b":null}],"c":{}}`: `{"a":[null,{"b":null}],"c":{}}`, `"null"`: `"null"`, "": "", `{"a":{"b":null},"c":"x:null"}`: `{"c":"x:null"}`,
	} {
		if got := withoutNulls(in); got != want {
			t.Errorf("%s became %s, want %s", in, got, want)
		}
	}
}

// TestRecord: a row that is too wide is written down the page, one value a line, none wider than the terminal.
func TestRecord(t *testing.T) {
	rows := &query.Rows{Names: []string{"message", "source", "none", "tags"}, Types: []string{"VARCHAR", "STRUCT", "VARCHAR", "VARCHAR[]"}}
	row := []string{`"` + strings.Repeat("日本 red\\u001b[31m ", 20) + `"`, `{"ip":"10.0.0.1","geo":{"city":null,"a":"b"},"x":[1]}`, "", `["a"]`}
	var b bytes.Buffer
	out := bufio.NewWriter(&b)
	if err := writeRecord(out, rows, row, 7, 60); err != nil {
		t.Fatal(err)
	}
	_ = out.Flush()
	text := b.String()
	for line := range strings.Lines(text) {
		if n := runewidth.StringWidth(strings.TrimSuffix(line, "\n")); n > 60 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	for _, want := range []string{"── 7 ──", "\nsource.ip     10.0.0.1\n", "\nsource.geo.a  b\n", "\nsource.x      [1]\n", "\ntags          [\"a\"]\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, "none") || strings.Contains(text, "\x1b") {
		t.Errorf("a NULL or a control character in\n%s", text)
	}
}
