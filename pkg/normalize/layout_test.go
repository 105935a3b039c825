package normalize

import (
	"fmt"
	"strings"
	"testing"
)

const layoutMapping = `
name: my.app
when: {keys: {app: '*'}}
parse: json
fields:
  user.name: user
  source.ip: ip
  source.port: port
  event.action: act
set: {event.category: [web], event.module: app, event.outcome: success}
switch:
  - on: res
    cases: {bad: {event.outcome: failure}}
`

// The same events twice, so that the second ones are written by a layout: by one that holds, and by one whose constant or whose kept
// members are not those of the event before.
func TestLayoutsDoNotShow(t *testing.T) {
	m := onlyMapping(t, layoutMapping)
	old := New(Config{Mappings: m, Original: DropOriginal})
	lines := []string{
		`{"app":1,"user":"ann","ip":"192.0.2.1","port":5,"act":"a","x":1}`,
		`{"app":1,"user":"ann","ip":"192.0.2.1","port":5,"act":"a"}`,
		`{"app":1,"user":"ann","res":"bad"}`,
		`{"app":1,"user":"ann","res":"good"}`,
		`{"app":1,"user":"a\"nn","res":"bad","z":{"y":null}}`,
		`{"app":null}`,
		`{"app":1,"ip":"2001:db8::1"}`,
	}
	byLayout := 0
	for range 3 {
		for _, a := range lines {
			for _, b := range lines {
				for _, line := range []string{a, b} {
					fresh := New(Config{Mappings: m, Original: DropOriginal, Now: old.cfg.Now})
					got, want := normal(t, old, line), normal(t, fresh, line)
					if stripTime(got) != stripTime(want) {
						t.Fatalf("%s\nbecomes %s\nand in a new stage %s", line, got, want)
					}
					if l := old.run.layout(); l != nil {
						byLayout++
					}
				}
			}
		}
	}
	if byLayout < 200 {
		t.Errorf("there was a layout only %d times", byLayout)
	}
}

// Events that are all unlike do not get a layout each.
func TestLayoutsAreFew(t *testing.T) {
	var fields strings.Builder
	for i := range 12 {
		fmt.Fprintf(&fields, "  my.app.l%d: m%d\n", i, i)
	}
	m := onlyMapping(t, "name: my.app\nkeep: my.app\nwhen: {keys: {app: '*'}}\nparse: json\nfields:\n"+fields.String())
	s := New(Config{Mappings: m, Original: DropOriginal})
	made := map[*layout]bool{}
	const events = 1 << 12
	for n := range events {
		line := `{"app":1`
		for i := range 12 {
			if n>>i&1 != 0 {
				line += fmt.Sprintf(`,"m%d":"x"`, i)
			}
		}
		normal(t, s, line+"}")
		for _, l := range s.run.layouts.by {
			made[l] = true
		}
	}
	if most := maxLayouts + events/rebuildAfter + 1; len(made) > most {
		t.Errorf("%d layouts were made for %d events, more than %d", len(made), events, most)
	}
}

func onlyMapping(t *testing.T, text string) *Mappings {
	t.Helper()
	m, err := compileAll([]string{"my.yaml"}, map[string][]byte{"my.yaml": []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	return m
}
