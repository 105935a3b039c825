package normalize

import (
	"testing"
	"time"

	"leat/pkg/event"
)

// Both ways to write an event write the same bytes.
func TestPlainIsTheTree(t *testing.T) {
	m, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	lines := ownRecords(t, m)
	lines = append(lines, "<13>Nov 24 08:12:03 h p: \xff\x00\x01 {", `CEF:0|a|b|1|2|n{|3|x={ y=} z=`,
		`{"userIP":"192.0.2.1","login":"b","action":"open","result":"ok","x":null,"y":{"a":{},"b":[1,{"c":"\u00e9\n"}]},"":0,"z":1,"a\"b":2}`,
		"{\"userIP\":\"192.0.2.1\",\n\"login\":\"b\", \"action\":\"open\",\"result\":\"ok\",\"y\":[1,\r\n2],\"w\":{\n}}")
	now := func() time.Time { return time.Date(2026, 11, 24, 8, 12, 3, 0, time.UTC) }
	plain := 0
	for _, original := range []Original{KeepOriginal, DropOriginal} {
		for _, line := range lines {
			var out [2]string
			for i, reread := range []bool{true, false} {
				s := New(Config{Mappings: m, Original: original, Now: now})
				var b event.Batch
				b.Reread = reread
				b.Push([]byte(line))
				b.Push([]byte(line)) // the second one by the layout of the first
				if err := s.Process(&b); err != nil {
					t.Fatal(err)
				}
				b.Compact()
				for _, e := range b.Events {
					out[i] += string(e.Append(nil)) + "\n"
				}
				if !reread && s.run.outer == nil {
					plain++
				}
			}
			if out[0] != out[1] {
				t.Errorf("%q:\n%s%s", line, out[0], out[1])
			}
		}
	}
	if plain < 100 {
		t.Errorf("only %d were written plainly", plain)
	}
}

func TestClosedLeavesNoTrace(t *testing.T) {
	for in, want := range map[string]string{`{"a":{`: `{`, `{"b":1,"a":{`: `{"b":1`, `{"a":{"c":2`: `{"a":{"c":2}`} {
		if got := string(closed([]byte(in), []byte(`"a":`))); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}
