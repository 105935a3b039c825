package normalize

import (
	"testing"

	"leat/pkg/event"
)

func TestGet(t *testing.T) {
	for _, c := range []struct{ path, in, want string }{
		{"a", `{"a":{"b":1},"x":"y"}`, `{"b":1}`},
		{"a", `[{"a":1},{"x":2},{"a":"z"}]`, `[1,"z"]`},
		{"a", `[{"x":1}]`, ``},
		{"a", `[]`, ``},
		{"a", `"a"`, ``},
		{"a", `null`, ``},
		{"a.b", `{"a":{"b":1}}`, `1`},
		{"a.b", `{"a":[{"b":1}]}`, ``},
		{"a[1].b", `{"a":[{"b":1},{"b":2}]}`, `2`},
		{"[K=x].V", `[{"K":"y","V":1},{"K":"x","V":2}]`, `2`},
		{"[K=5].V", `[{"K":"4","V":1},{"K":5,"V":2}]`, `2`},
		{"[K=false].V", `[{"K":true,"V":1},{"K":false,"V":2}]`, `2`},
		{"[K~x].V", `[{"K":"X","V":2}]`, `2`},
		{"[K=x].V", `{"K":"x","V":2}`, `2`},
		{"[].V", `[{"V":1},{"V":2}]`, `[1,2]`},
		{"[0]", `["p","q"]`, `"p"`},
	} {
		f, err := compileCall("get "+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		e := event.ValueOf([]byte(c.in))
		got := f.fn(&runner{}, &f, value{b: e.Raw, kind: e.Kind, json: true})
		if string(got.b) != c.want {
			t.Errorf("get %s of %s: %s, want %s", c.path, c.in, got.b, c.want)
		}
	}
	for _, bad := range []string{"get", "get a[", "get a[x]", "get a[-1]"} {
		if _, err := compileCall(bad, nil); err == nil {
			t.Errorf("%q compiles", bad)
		}
	}
}
