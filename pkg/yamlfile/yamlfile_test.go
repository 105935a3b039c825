package yamlfile

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

type config struct {
	Name  string            `yaml:"name"`
	Every time.Duration     `yaml:"every"`
	Count int               `yaml:"count"`
	On    bool              `yaml:"on"`
	List  []struct{ A int } `yaml:"list"`
	Table map[string]int    `yaml:"table"`
	Inner *inner            `yaml:"inner"`
	Free  any               `yaml:"free"`
}

type inner struct {
	Key string `yaml:"key"`
}

func TestDecode(t *testing.T) {
	var c config
	_, err := Decode("x.yaml", []byte("name: n\nevery: 10s\ncount: 3\non: true\nlist: [{a: 1}]\ntable: {x: 1}\ninner: {key: v}\nfree: [1, a]\n"), &c)
	if err != nil || c.Name != "n" || c.Every != 10*time.Second || c.List[0].A != 1 || c.Table["x"] != 1 || c.Inner.Key != "v" {
		t.Fatalf("%+v: %v", c, err)
	}
	if _, err := Decode("x.yaml", nil, &c); err != nil {
		t.Errorf("empty file: %v", err)
	}
}

func TestFaults(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"unknown key", "name: n\ninner:\n  kye: v\n", "x.yaml:3:3: unknown key \"kye\"; expected one of key\n      kye: v\n      ^"},
		{"type", "count: many\n", `x.yaml:1:8: expected whole number, found "many"`},
		{"duration", "every: soon\n", `x.yaml:1:8: expected duration such as 10s, 5m or 1h, found "soon"`},
		{"bool", "on: maybe\n", `x.yaml:1:5: expected true or false, found "maybe"`},
		{"list", "list: 1\n", `x.yaml:1:7: expected a list, found "1"`},
		{"in list", "list:\n- {b: 1}\n", `x.yaml:2:4: unknown key "b"; expected one of a`},
		{"map", "table: [1]\n", `x.yaml:1:8: expected a table of names and values, found a list`},
		{"map value", "table: {x: y}\n", `x.yaml:1:12: expected whole number, found "y"`},
		{"twice", "name: a\nname: b\n", `x.yaml:2:1: key "name" is there twice`},
		{"object", "inner: text\n", `expected a table with the keys key; found "text"`},
		{"syntax", "name: [\n", `x.yaml:`},
		{"tab", "inner:\n\tkey: v\n", "not YAML"},
	} {
		var v config
		_, err := Decode("x.yaml", []byte(c.in), &v)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v\nwant %s", c.name, err, c.want)
		}
	}
	var v config
	_, err := Decode("x.yaml", []byte("nam: 1\ncount: x\n"), &v)
	if err == nil || strings.Count(err.Error(), "x.yaml:") != 2 {
		t.Errorf("not every fault at once: %v", err)
	}
}

func TestFind(t *testing.T) {
	var v any
	f, err := Decode("x.yaml", []byte("a:\n  b: [{c: 1}, {c: 2}]\n  d: &x {e: 3}\n  f: *x\n"), &v)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"a": "2:3", "a.b": "2:6", "a.b.1": "2:7", "a.b.2.c": "2:19", "a.b.0": "2:6", "a.b.3": "2:6", "a.b.x": "2:6", "a.f.e": "3:13", "a.nowhere.b": "2:3",
	} {
		n := f.Find(strings.Split(path, ".")...)
		if got := fmt.Sprintf("%d:%d", n.Line, n.Column); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("name: &a b\nfree: *a\nlist: [{a: 1}, {}]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var v config
		if _, err := Decode("x.yaml", data, &v); err != nil && err.Error() == "" {
			t.Fatal("empty message")
		}
	})
}
