package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	line := []byte(`{"a":{"b":22,"c":null,"d":{}},"list":[1,{"x":"y"}],"big":12345678901234567890,"t":true,"kv":{"user":"ann","pass":"x"}}`)
	for name, c := range map[string]struct {
		s      spelling
		ignore []string
		want   record
	}{
		"paths are names; null and {} are absent": {spelling{}, []string{"kv"}, record{"a.b": "22", "list": `[1,{"x":"y"}]`, "big": "12345678901234567890", "t": "true"}},
		"only what lies below":                    {spelling{under: "kv"}, []string{"pass"}, record{"user": "ann"}},
		"other names and values":                  {spelling{names: map[string]string{"kv.user": "who", "a.b": "port"}, values: map[string]string{"ann": "Ann"}}, nil, record{"who": "Ann", "port": "22"}},
	} {
		got, err := c.s.read(line, c.ignore)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if verdict := verdict(map[string]record{"0": c.want}, map[string]record{"0": got}, nil); verdict != "yes (1)" {
			t.Errorf("%s: %s", name, verdict)
		}
	}
	if _, err := (&spelling{}).read([]byte("events 7"), nil); err == nil {
		t.Error("no JSON: no error")
	}
}

func TestVerdict(t *testing.T) {
	want := map[string]record{"0": {"ip": "10.0.0.1", "user": "ann"}, "1": {"ip": "10.0.0.2", "user": "bob"}}
	for name, c := range map[string]struct {
		got  map[string]record
		only []string
		want string
	}{
		"equal":              {want, nil, "yes (2)"},
		"a value":            {map[string]record{"0": {"ip": "10.0.0.1", "user": `"ann"`}, "1": want["1"]}, nil, `no: 1 of 2 differ in user (user is "\"ann\"", not "ann")`},
		"one field too many": {map[string]record{"0": want["0"], "1": {"ip": "10.0.0.2", "user": "bob", "t": "1"}}, nil, `no: 1 of 2 differ in t (t is "1", not absent)`},
		"a field is gone":    {map[string]record{"0": {"ip": "10.0.0.1"}, "1": {"ip": "10.0.0.2"}}, nil, `no: 2 of 2 differ in user (user is absent, not "ann")`},
		"of which not asked": {map[string]record{"0": {"ip": "10.0.0.1"}, "1": {"ip": "10.0.0.2"}}, []string{"ip"}, "yes (2)"},
		"an event is gone":   {map[string]record{"0": want["0"]}, nil, "no: 1 events, not 2"},
		"another event":      {map[string]record{"0": want["0"], "7": want["1"]}, nil, `no: 1 of 2 differ in ip, user (ip is absent, not "10.0.0.2")`},
	} {
		if got := verdict(want, c.got, c.only); got != c.want {
			t.Errorf("%s:\ngot  %s\nwant %s", name, got, c.want)
		}
	}
}

func TestCounted(t *testing.T) {
	three := map[string]record{}
	for _, id := range []string{"r1", "r1", "r2"} {
		count(three, id)
	}
	two := map[string]record{}
	count(two, "r1")
	count(two, "r3")
	if got := counted(three, three); got != "yes (3 of 2 rules)" {
		t.Error(got)
	}
	if got := counted(three, two); got != "no: 2, not 3; other counts in 3 of 3 rules (r1: 1, not 2)" {
		t.Error(got)
	}
}

// TestCheckOutputs is how a run asks: outputs in files, those of events that came in another order known by their key.
func TestCheckOutputs(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	ours := file("ours", `{"event":{"id":"1"},"user":{"email":"a@x"}}`+"\n"+`{"event":{"id":"2"}}`+"\n")
	turned := file("turned", `{"event":{"id":"2"},"user":{"email":null}}`+"\n"+`{"user":{"email":"a@x"},"event":{"id":"1"}}`+"\n")
	broken := file("broken", "usage: jaq\n")
	var out bytes.Buffer
	if err := checkOutputs(&out, "join", []string{"0=" + ours, "1=" + turned, "2=" + broken}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	if lines[0] != "0\treference (2)" || lines[1] != "1\tyes (2)" || !strings.HasPrefix(lines[2], "2\tno: line 1: ") {
		t.Errorf("got %q", lines)
	}
	for _, args := range [][]string{{"99=" + ours}, {"x=" + ours}} {
		if err := checkOutputs(&out, "join", args); err == nil {
			t.Errorf("%v: no error", args)
		}
	}
	if err := checkOutputs(&out, "nothing", nil); err == nil {
		t.Error("unknown work: no error")
	}
}

func TestMost(t *testing.T) {
	got := strings.Join(most(map[string]int{"a": 1, "b": 3, "c": 2, "d": 1}, 2), ", ")
	if got != "b, c, 2 more" {
		t.Error(got)
	}
}
