package normalize

import (
	"slices"
	"testing"
)

func TestPlaces(t *testing.T) {
	m, err := compileAll([]string{"x.yaml"}, map[string][]byte{"x.yaml": []byte(`
name: x
when: {keys: {ip: '*'}}
parse: json
keep: x
time: at
fields:
  source.ip: ip
  user.email: ['{who}@{where}', mail]
  event.reason: [nothing, why]
switch:
  - on: kind
    cases: {a: {event.action: $verb}}
`)})
	if err != nil {
		t.Fatal(err)
	}
	line := `{"ip":"192.0.2.1","who":"ann","where":"example.org","mail":"b@example.org","why":"ok","kind":"a","verb":"go","at":"2026-11-24T08:00:00Z","deep":{"er":[1]},"none":null}`
	want := []Place{
		{"ip", "192.0.2.1", []string{"source.ip", "source.address"}, ""},
		{"who", "ann", []string{"user.email"}, ""},
		{"where", "example.org", []string{"user.email"}, ""},
		{"mail", "b@example.org", nil, "x.mail"},
		{"why", "ok", []string{"event.reason"}, ""},
		{"kind", "a", nil, "x.kind"},
		{"verb", "go", []string{"event.action"}, ""},
		{"at", "2026-11-24T08:00:00Z", []string{"@timestamp"}, ""},
		{"deep", `{"er":[1]}`, nil, "x.deep"},
		{"none", "", nil, ""},
	}
	wrapped := `{"event":{"id":"i","original":` + string(quoted(line)) + `}}`
	for _, in := range []string{line, wrapped, line} {
		p, ok := New(Config{Mappings: m}).Places([]byte(in))
		if !ok {
			t.Fatalf("%s: no mapping", in)
		}
		for i, w := range want {
			if i >= len(p.Values) {
				t.Fatalf("%d values", len(p.Values))
			}
			g := p.Values[i]
			if w.Name == "ip" {
				w.Fields = w.Fields[:1]
				g.Fields = g.Fields[:1]
			}
			if g.Name != w.Name || g.Value != w.Value || !slices.Equal(g.Fields, w.Fields) || g.Kept != w.Kept {
				t.Errorf("got %+v, want %+v", g, w)
			}
		}
		if p.Bytes != len(line) || p.InFields != 9+3+11+2+2+20 || p.Kept != 13+1+10 {
			t.Errorf("bytes %d, in fields %d, kept %d", p.Bytes, p.InFields, p.Kept)
		}
	}
	if _, ok := New(Config{Mappings: m}).Places([]byte("no such thing")); ok {
		t.Error("what no mapping knows has places")
	}
}
