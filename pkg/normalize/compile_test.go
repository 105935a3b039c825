package normalize

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Each fault of a mapping names its place and what was expected.
func TestMappingFaults(t *testing.T) {
	for name, c := range map[string]struct{ yaml, want string }{
		"unknown key":       {"name: a\nfileds: {}\n", `test.yaml:2:1: unknown key "fileds"`},
		"unknown field":     {"name: a\nfields:\n  source.ipp: x\n", `test.yaml:3:3: "source.ipp" is no field of ECS 9.5.0; did you mean source.ip?`},
		"value not allowed": {"name: a\nset: {event.outcome: failed}\n", `test.yaml:2:22: event.outcome may not be "failed"; expected one of failure, success, unknown`},
		"constant's type":   {"name: a\nset: {source.port: many}\n", `test.yaml:2:20: source.port is of type long; "many" does not fit`},
		"list for one":      {"name: a\nset: {event.outcome: [success, failure]}\n", `test.yaml:2:22: event.outcome holds one value, not a list`},
		"unknown function":  {"name: a\nfields: {user.name: u | lowre}\n", `test.yaml:2:21: user.name: unknown function "lowre"; expected one of addr`},
		"no argument":       {"name: a\nfields: {user.name: u | before}\n", `function "before" wants a text`},
		"bad pattern":       {"name: a\nlines: {x: 'a [b'}\n", `test.yaml:2:15: lines.x: '[' without ']'`},
		"unknown parser":    {"name: a\nparse: xmll\n", `test.yaml:2:8: parse: unknown parser "xmll"; expected text, json`},
		"bad layout":        {"name: a\ntime: {field: t, layout: '%Q'}\n", `test.yaml:2:26: time layout "%Q": unknown directive`},
		"no on":             {"name: a\nswitch: [{cases: {}}]\n", `the key on (what to look at) is missing`},
		"case twice":        {"name: a\nswitch: [{on: x, cases: {a b: {}, c a: {}}}]\n", `cases: "a" is there twice`},
		"bad name":          {"name: 'A b'\n", `name: expected 1 to 64 of a-z 0-9 _ . -, found "A b"`},
		"field below field": {"name: a\nkeep: a.k\nfields: {a.k.x: p, a.k.x.y: q}\n", `a.k.x.y can't be set: a.k.x is a field of this mapping too`},
		"keep is a field":   {"name: a\nkeep: user.name\n", `keep: "user.name" is a field of ECS`},
		"no table":          {"name: a\nfields: {user.name: u | map t}\n", `no table "t"`},
		"bad sign":          {"name: a\nwhen: {key: {x: y}}\n", `test.yaml:2:8: when: unknown key "key"; expected program, keys`},
		"extends nothing":   {"name: a\nextends: [b]\n", `extends: no mapping "b"`},
		"not YAML":          {"name: [a\n", `not YAML`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := compileAll([]string{"test.yaml"}, map[string][]byte{"test.yaml": []byte(c.yaml)})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestFaultShowsLineAndCaret(t *testing.T) {
	_, err := compileAll([]string{"m.yaml"}, map[string][]byte{"m.yaml": []byte("name: a\nfields:\n  source.ipp: x\n")})
	if err == nil || !strings.Contains(err.Error(), "      source.ipp: x\n      ^") {
		t.Errorf("got %v", err)
	}
}

func TestAFolderReplacesBuiltin(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mine.yaml"), []byte("name: app.a\nwhen: {keys: {userIP: '*'}}\nparse: json\nfields: {client.ip: userIP}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := process(t, New(Config{Mappings: m}), `{"userIP":"192.0.2.1","login":"x"}`)[0]
	if get(t, out, "client.ip") != "192.0.2.1" || get(t, out, "source.ip") != nil {
		t.Errorf("%s", out)
	}
	if _, err := Load(filepath.Join(dir, "nowhere")); err == nil {
		t.Error("a folder that is not there must be a fault")
	}
}

// What a source expression gives.
func TestSources(t *testing.T) {
	for _, c := range []struct{ expr, record, want string }{
		{"a.b", `{"a":{"b":"x"}}`, "x"},
		{`a\.b`, `{"a.b":"x"}`, "x"},
		{"l[0].n", `{"l":[{"n":"x"},{"n":"y"}]}`, "x"},
		{"l[1]", `{"l":["x","y"]}`, "y"},
		{"l[t=User].id", `{"l":[{"t":"App","id":"1"},{"t":"User","id":"2"}]}`, "2"},
		{"u | lower", `{"u":"ABC"}`, "abc"},
		{"u | before @", `{"u":"a@b"}`, "a"},
		{"u | after @ | upper", `{"u":"a@b"}`, "B"},
		{"u | has @ | after @", `{"u":"ab"}`, ""},
		{"p | basename", `{"p":"C:\\x\\y.exe"}`, "y.exe"},
		{"p | dirname", `{"p":"/a/b/c"}`, "/a/b"},
		{"p | extension", `{"p":"/a.d/b.tar.gz"}`, "gz"},
		{"s | split , | nth -1", `{"s":"a, b,c"}`, "c"},
		{"s | split , | first", `{"s":"a, b,c"}`, "a"},
		{"s | split , | last", `{"s":["a,b","c , d"]}`, "d"},
		{"s | split , | first", `{"s":[["a,b"],1,"c"]}`, "a"},
		{"s | split ,", `{"s":","}`, ""},
		{"j | json | get l[k=b].v", `{"j":"{\"l\":[{\"k\":\"a\",\"v\":1},{\"k\":\"b\",\"v\":2}]}"}`, "2"},
		{"p | addr", `{"p":"[2001:db8::7]:443"}`, "2001:db8::7"},
		{"p | port", `{"p":"192.0.2.7:443"}`, "443"},
		{"l[k=-].v", `{"l":[{"k":"-","v":"-"}]}`, ""},
		{"m | mac", `{"m":"00:1a:2B:3c:4d:5e"}`, "00-1A-2B-3C-4D-5E"},
		{"d | hms", `{"d":"1:02:03"}`, "3723000000000"}, {"d | hms", `{"d":"1:02"}`, ""},
		{"x | default none", `{}`, "none"},
		{"x | prefix a- | suffix -z", `{"x":"m"}`, "a-m-z"},
		{"{a}/{b | lower}", `{"a":"1","b":"X"}`, "1/x"},
		{"{a}/{b}", `{"a":"1"}`, ""},
		{"j | json", `{"j":"7"}`, "7"},
		{"q | urldecode", `{"q":"a%20b"}`, "a b"},
		{"x | trim ()", `{"x":"(a)"}`, "a"},
		{"x | map t", `{"x":"1"}`, "one"},
		{"x | map t", `{"x":"3"}`, "other"},
		{"n", `{"n":1.50}`, "1.50"},
		{"n", `{"n":null}`, ""},
		{"n", `{"n":"-"}`, ""},
		{"e", `{"e":"\u00e9\n"}`, "é\n"},
	} {
		y := "name: demo\nwhen: {keys: {k: '*'}}\nparse: json\nabsent: ['-']\ntables: {t: {'1': one, else: other}}\nfields:\n  user.name: '" + c.expr + "'\n"
		s := New(Config{Mappings: mapping(t, y)})
		out := process(t, s, `{"k":1,`+c.record[1:])[0]
		if c.record == "{}" {
			out = process(t, s, `{"k":1}`)[0]
		}
		got := get(t, out, "user.name")
		if c.want == "" && got != nil || c.want != "" && got != c.want {
			t.Errorf("%s of %s: got %v, want %q", c.expr, c.record, got, c.want)
		}
	}
}

func TestTypes(t *testing.T) {
	for _, c := range []struct{ field, in, want string }{
		{"source.port", `"80"`, "80"}, {"source.port", `80.0`, "80"}, {"source.port", `"0x1a4"`, "420"}, {"source.port", `"08"`, "8"},
		{"source.port", `1.5`, ""}, {"source.port", `"x"`, ""}, {"source.port", `99999999999999999999`, ""},
		{"source.ip", `"::ffff:192.0.2.1"`, `"192.0.2.1"`}, {"source.ip", `"2001:DB8:0:0::1"`, `"2001:db8::1"`}, {"source.ip", `"1.2.3"`, ""},
		{"source.ip", `["192.0.2.1"]`, `"192.0.2.1"`}, {"source.ip", `["192.0.2.1","192.0.2.2"]`, ""},
		{"host.ip", `["192.0.2.1","192.0.2.2"]`, `["192.0.2.1","192.0.2.2"]`}, {"host.ip", `"192.0.2.1"`, `["192.0.2.1"]`},
		{"event.risk_score", `"1.5"`, "1.5"}, {"event.risk_score", `"NaN"`, ""}, {"event.risk_score", `"+1"`, "1"},
		{"user.name", `17`, `"17"`}, {"user.name", `true`, `"true"`}, {"user.name", `{"a":1}`, ""},
		{"event.start", `1795506001`, `"2026-11-24T07:40:01.000Z"`}, {"event.start", `"soon"`, ""},
		{"dll.code_signature.trusted", `"True"`, "true"}, {"dll.code_signature.trusted", `0`, "false"}, {"dll.code_signature.trusted", `"maybe"`, ""},
	} {
		s := New(Config{Mappings: mapping(t, "name: demo\nwhen: {keys: {v: '*'}}\nparse: json\nfields: {"+c.field+": v}\n")})
		out := process(t, s, `{"v":`+c.in+`}`)[0]
		key := c.field[strings.LastIndexByte(c.field, '.')+1:]
		failed := get(t, out, "event.kind") == "pipeline_error"
		if c.want == "" != failed || c.want != "" && !strings.Contains(out, `"`+key+`":`+c.want) {
			t.Errorf("%s of %s: want %q in %s", c.field, c.in, c.want, out)
		}
	}
}

// No mapping file, however broken, may do more than be refused.
func FuzzCompile(f *testing.F) {
	f.Add("name: a\nwhen: {keys: {x: '*'}}\nparse: [json, {kv: {from: m}}]\nfields: {user.name: [a | lower, '{b}-{c}']}\n")
	f.Add("name: a\nlines: {x: 'a {b:int}[ {c}]'}\nswitch: [{on: line, cases: {x*: {event.category: web}}}]\ntests: [{in: a 1, out: {x: 1}}]\n")
	f.Add("extends: [a]\nname: a\n")
	f.Fuzz(func(t *testing.T, yaml string) {
		m, err := compileAll([]string{"f.yaml"}, map[string][]byte{"f.yaml": []byte(yaml)})
		if err != nil {
			return
		}
		s := New(Config{Mappings: m})
		process(t, s, `{"x":"a","m":"b=1"}`, "a 1 2")
		m.Test()
	})
}
