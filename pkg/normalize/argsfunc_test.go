package normalize

import (
	"encoding/json"
	"slices"
	"testing"

	"leat/pkg/event"
)

func TestArgs(t *testing.T) {
	for _, c := range []struct {
		line string
		want []string
	}{
		{`"C:\Program Files\a.exe" /x  "b c"`, []string{`C:\Program Files\a.exe`, "/x", "b c"}},
		{`sh -c 'echo "a  b" c' d`, []string{"sh", "-c", `echo "a  b" c`, "d"}},
		{`a.exe "x\"y" c:\dir\ "d\\" e`, []string{"a.exe", `x"y`, `c:\dir\`, `d\`, "e"}},
		{`it's fine`, []string{"it's", "fine"}},
		{"open \"quote at the end", []string{"open", "quote at the end"}},
		{`a ""`, []string{"a", ""}},
		{" \t", nil},
	} {
		if got := argsOf(t, c.line); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.line, got, c.want)
		}
	}
}

func argsOf(t *testing.T, line string) (out []string) {
	t.Helper()
	var r runner
	v := argsCall(&r, nil, text([]byte(line)))
	if v.b == nil {
		return nil
	}
	if err := json.Unmarshal(v.b, &out); err != nil {
		t.Fatalf("%q: %v in %s", line, err, v.b)
	}
	return out
}

func TestJoin(t *testing.T) {
	c := &call{arg: []byte(", ")}
	for in, want := range map[string]string{`["a","b\"c",3]`: `a, b"c, 3`, `[]`: ``, `["x"]`: `x`} {
		if got := joinCall(&runner{}, c, value{b: []byte(in), kind: event.Array, json: true}); string(got.b) != want {
			t.Errorf("%s: %s, want %s", in, got.b, want)
		}
	}
}

func FuzzArgs(f *testing.F) {
	f.Add(`"a b" c\"d 'e f'`)
	f.Fuzz(func(t *testing.T, line string) {
		n := 0
		for _, a := range argsOf(t, line) {
			n += len(a)
		}
		if n > 3*len(line) { // a byte that is no UTF-8 becomes three
			t.Fatalf("%d bytes of arguments from %d", n, len(line))
		}
	})
}
