package normalize

import (
	"strings"
	"testing"

	"leat/pkg/event"
)

// TestSpan computes the start or the end of what has a duration.
func TestSpan(t *testing.T) {
	for name, c := range map[string]struct{ fields, in, want string }{
		"end":       {"event.start: a", `{"x":1,"a":"2026-11-24T08:00:00Z","d":"1500"}`, `"end":"2026-11-24T08:00:01.500Z"`},
		"start":     {"event.end: a", `{"x":1,"a":"2026-11-24T08:00:00Z","d":"1500"}`, `"start":"2026-11-24T07:59:58.500Z"`},
		"both":      {"event.end: a\n  event.start: b", `{"x":1,"a":"2026-11-24T08:00:00Z","b":"2026-11-24T07:00:00Z","d":"1"}`, `"start":"2026-11-24T07:00:00.000Z"`},
		"negative":  {"event.end: a", `{"x":1,"a":"2026-11-24T08:00:00Z","d":"-5"}`, `!"start"`},
		"none":      {"event.end: a", `{"x":1,"a":"2026-11-24T08:00:00Z"}`, `!"start"`},
		"very long": {"event.end: a", `{"x":1,"a":"1700-01-01T00:00:00Z","d":"9000000000000"}`, `!"start":"2`},
	} {
		out := runMapping(t, "name: a.b\nwhen: {keys: {x: '*'}}\nparse: json\nfields:\n  "+c.fields+"\n  event.duration?: d | ms\n", c.in)
		if want, not := strings.CutPrefix(c.want, "!"); strings.Contains(out, want) == not {
			t.Errorf("%s: want %s in %s", name, c.want, out)
		}
	}
}

// TestHeaderTime gives the header's time, and the zone in which it was read where it names none.
func TestHeaderTime(t *testing.T) {
	m := "name: a.b\nwhen: {contains: [pqr]}\nparse: text\nfields:\n  event.end: header.time\n  event.timezone: header.zone\n"
	if out := runMapping(t, m, "<13>Nov 24 2026 08:00:00 h p: pqr"); !strings.Contains(out, `"end":"2026-11-24T08:00:00.000Z"`) || !strings.Contains(out, `"timezone":"UTC"`) {
		t.Error(out)
	}
	if out := runMapping(t, m, "<13>2026-11-24T08:00:00+02:00 h p: pqr"); !strings.Contains(out, `"end":"2026-11-24T06:00:00.000Z"`) || strings.Contains(out, "timezone") {
		t.Error(out)
	}
}

func TestPeriod(t *testing.T) {
	var r runner
	r.rec.Reset()
	for in, want := range map[string]string{
		"0h:01m:52s": "112000000000", "1d 2h:03m:04s": "93784000000000", "5m12s": "312000000000", "7s": "7000000000",
		"": "", "12": "", "1x": "", "h": "", "9999999999s": "", "1 h": "", "999999999d": "",
	} {
		if got := string(periodCall(&r, nil, text([]byte(in))).b); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

// runMapping runs one record through one mapping.
func runMapping(t *testing.T, mapping, in string) string {
	t.Helper()
	m, err := compileAll([]string{"m.yaml"}, map[string][]byte{"m.yaml": []byte(mapping)})
	if err != nil {
		t.Fatal(err)
	}
	var b event.Batch
	b.Push([]byte(in))
	if err := New(Config{Mappings: m}).Process(&b); err != nil {
		t.Fatal(err)
	}
	return string(b.Events[0].Append(nil))
}
