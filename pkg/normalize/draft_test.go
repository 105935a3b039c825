package normalize

import (
	"bytes"
	"strings"
	"testing"
)

// A draft loads as it is, and maps the names that are widely used.
func TestDraft(t *testing.T) {
	for name, c := range map[string]struct {
		lines []string
		want  map[string]any
	}{
		"json": {[]string{`{"when":"x","source IP":"192.0.2.1","account":{"username":"ann"},"weird":1,"ts":"2026-11-24T08:00:00Z"}`, `{"source IP":"192.0.2.2","weird":2}`},
			map[string]any{"source.ip": "192.0.2.1", "user.name": "ann", "@timestamp": "2026-11-24T08:00:00.000Z", "demo.draft.weird": 1.0}},
		"kv":    {[]string{`srcip=192.0.2.1 dstip=192.0.2.2 dstport=443 rule="a b"`}, map[string]any{"source.ip": "192.0.2.1", "destination.port": 443.0, "demo.draft.rule": "a b"}},
		"lines": {[]string{`Nov 24 08:00:00 h demo[3]: user ann [admin] came from 192.0.2.1 port 77`}, map[string]any{"demo.draft.ip1": "192.0.2.1", "demo.draft.n1": "77", "process.name": "demo"}},
		"odd":   {[]string{"it's {strange} \\ [text]: 'x'\t\"y\""}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var samples [][]byte
			for _, l := range c.lines {
				samples = append(samples, []byte(l))
			}
			y, err := Draft("demo.draft", samples)
			if err != nil {
				t.Fatal(err)
			}
			m := mapping(t, y)
			if n, faults := m.Test(); n != 1 || len(faults) > 0 {
				t.Errorf("%v\n%s", faults, y)
			}
			out := process(t, New(Config{Mappings: m}), c.lines[0])[0]
			for k, want := range c.want {
				if got := get(t, out, k); got != want {
					t.Errorf("%s: got %v, want %v\n%s", k, got, want, y)
				}
			}
		})
	}
	if _, err := Draft("No Good", [][]byte{[]byte("x")}); err == nil {
		t.Error("a bad name was taken")
	}
	if _, err := Draft("x", nil); err == nil {
		t.Error("no samples were taken")
	}
}

// A draft of anything is a mapping that loads.
func FuzzDraft(f *testing.F) {
	f.Add([]byte(`{"a.b":{"c":1},"user":"x"}`))
	f.Add([]byte("a=1 b=2 c=3 d=4"))
	f.Add([]byte("text with 12 [things] {here}"))
	f.Fuzz(func(t *testing.T, line []byte) {
		if bytes.ContainsAny(line, "\n\x00") || len(line) == 0 || strings.ToValidUTF8(string(line), "") != string(line) {
			return
		}
		y, err := Draft("demo.draft", [][]byte{line})
		if err != nil {
			return
		}
		if _, err := compileAll([]string{"d.yaml"}, map[string][]byte{"d.yaml": []byte(y)}); err != nil {
			t.Fatalf("%v\n%s", err, y)
		}
	})
}
