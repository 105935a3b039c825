package normalize

import (
	"fmt"
	"strings"
	"testing"

	"leat/pkg/event"
)

func TestArrayOfRecords(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     []string // user.name, or the original of what nobody knows
	}{
		{"each finds its mapping", `[{"who":"ann"}, {"who":"bob"}]`, []string{"ann", "bob"}},
		{"with blanks", " [ {\"who\":\"ann\"}\r\n] ", []string{"ann"}},
		{"what nobody knows stays in its place", `[{"x":1},{"who":"bob"}]`, []string{`{"x":1}`, "bob"}},
		{"a box of records", `[{"box":[{"who":"ann"},{"who":"bob"}]}]`, []string{"ann", "bob"}},
		{"not of objects only", `[{"who":"ann"},7]`, []string{`[{"who":"ann"},7]`}},
		{"empty", `[]`, []string{`[]`}},
		{"no JSON", `[{x}]`, []string{`[{x}]`}},
		{"too small to be worth an event each", "[" + strings.Repeat("{},", 50_000) + "{}]", []string{"[" + strings.Repeat("{},", 50_000) + "{}]"}},
	} {
		for _, in := range []string{c.in, `{"event":{"id":"r1","original":` + string(event.AppendString(nil, c.in)) + `},"log":{"offset":1}}`} {
			out := process(t, boxStage(t, Config{}), in)
			var got []string
			ids := map[any]bool{}
			for _, line := range out {
				ids[get(t, line, "event.id")] = true
				if u := get(t, line, "user.name"); u != nil {
					got = append(got, fmt.Sprint(u))
				} else {
					got = append(got, fmt.Sprint(get(t, line, "event.original")))
				}
			}
			if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
				t.Errorf("%s: got %.200q, want %.200q", c.name, got, c.want)
			}
			if in != c.in && len(ids) != len(out) {
				t.Errorf("%s: %d ids of %d events", c.name, len(ids), len(out))
			}
		}
	}
}
