package parse

import (
	"errors"
	"testing"
)

func TestPrefix(t *testing.T) {
	const peer = `[{time:/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/} ][[{user:/[^\/:]+/}/]{ip:ip}:{port:int} ]`
	for name, c := range map[string]struct {
		pattern, line, rest string
		want                map[string]string
	}{
		"all parts":         {peer, "2026-11-24 08:12:03 ann/192.0.2.1:5000 TLS: ok", "TLS: ok", map[string]string{"time": "2026-11-24 08:12:03", "user": "ann", "ip": "192.0.2.1", "port": "5000"}},
		"some":              {peer, "192.0.2.1:5000 TLS: ok", "TLS: ok", map[string]string{"ip": "192.0.2.1", "port": "5000"}},
		"none":              {peer, "route 192.0.2.0/24 via 192.0.2.1", "route 192.0.2.0/24 via 192.0.2.1", map[string]string{}},
		"nothing behind":    {`{level:name}: `, "x: ", "", nil},
		"does not fit":      {`\[{level:name}\] `, "level: x", "level: x", nil},
		"takes the first":   {`{what}: `, "a: b: c", "b: c", map[string]string{"what": "a"}},
		"keeps blanks":      {`{pid:int}`, "12  x ", "  x", map[string]string{"pid": "12"}},
		"a user of slashes": {peer, "a/b/192.0.2.1:1 x", "a/b/192.0.2.1:1 x", map[string]string{}},
	} {
		p, err := CompilePrefix(c.pattern)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var m Matcher
		var r Record
		r.Reset()
		rest, ok := m.Prefix(p, &r, 0, []byte(c.line))
		if string(rest) != c.rest {
			t.Errorf("%s: rest %q, want %q", name, rest, c.rest)
		}
		if !ok && len(r.Cells) > 1 {
			t.Errorf("%s: captures without a match", name)
		}
		for k, want := range c.want {
			if n := r.Find(0, k); n == None || string(r.Text(n)) != want {
				t.Errorf("%s: %s is not %q", name, k, want)
			}
		}
		if c.want != nil && len(r.Cells)-1 != len(c.want) {
			t.Errorf("%s: %d captures, want %d", name, len(r.Cells)-1, len(c.want))
		}
	}
}

func TestPrefixFaults(t *testing.T) {
	for _, bad := range []string{`{x}`, `a {x:any}`, `a [b`} {
		var pe *PatternError
		if _, err := CompilePrefix(bad); !errors.As(err, &pe) {
			t.Errorf("%q: %v, want a PatternError", bad, err)
		}
	}
}

func FuzzPrefix(f *testing.F) {
	f.Add(`[{t:int} ]{x:word}: `, "12 a: b")
	f.Add(`\[{x:/\d+/}\]`, "[12]x")
	f.Fuzz(func(t *testing.T, pattern, line string) {
		p, err := CompilePrefix(pattern)
		if err != nil {
			return
		}
		var m Matcher
		var r Record
		r.Reset()
		rest, ok := m.Prefix(p, &r, 0, []byte(line))
		if len(rest) > len(line) || !ok && string(rest) != line {
			t.Fatalf("%q of %q leaves %q (%v)", pattern, line, rest, ok)
		}
	})
}
