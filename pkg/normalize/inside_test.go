package normalize

import (
	"encoding/json"
	"strings"
	"testing"
)

// box holds records in records; line and user are what may lie in it.
var boxes = map[string][]byte{
	"box.yaml":  []byte("name: acme.box\nhints: [acme.line]\nwhen: {keys: {box: '*'}}\nparse: json\ninside: ['box[].text', box]\n"),
	"user.yaml": []byte("name: acme.user\nwhen: {keys: {who: '*'}}\nparse: json\nfields: {user.name: who, process.pid: pid}\n"),
	"line.yaml": []byte("name: acme.line\nwhen: {starts: ['user=']}\nparse: kv\nfields: {user.name: user}\n"),
}

func boxStage(t testing.TB, cfg Config) *Stage {
	t.Helper()
	m, err := compileAll([]string{"box.yaml", "user.yaml", "line.yaml"}, boxes)
	if err != nil {
		t.Fatal(err)
	}
	cfg.Mappings = m
	return New(cfg)
}

func TestRecordsInARecord(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     []string // dataset and user, or the original of what nobody knows
	}{
		{"objects", `{"box":[{"who":"ann"},{"who":"bob"}]}`, []string{"acme.user ann", "acme.user bob"}},
		{"a single object", `{"box":{"who":"ann"}}`, []string{"acme.user ann"}},
		{"texts", `{"box":["user=ann","{\"who\":\"bob\"}"]}`, []string{"acme.line ann", "acme.user bob"}},
		{"below a member", `{"box":[{"text":"user=ann"},{"text":"user=bob"}]}`, []string{"acme.line ann", "acme.line bob"}},
		{"what nobody knows stays in its place", `{"box":["user=ann","???","user=bob"]}`, []string{"acme.line ann", "original ???", "acme.line bob"}},
		{"boxes in boxes", `{"box":[{"box":[{"who":"ann"},{"box":"user=bob"}]}]}`, []string{"acme.user ann", "acme.line bob"}},
		{"an empty box is an event", `{"box":[]}`, []string{`original {"box":[]}`}},
		{"a list of what can be no record stays whole", `{"box":[{"who":"ann"},7],"x":1}`, []string{`original {"box":[{"who":"ann"},7],"x":1}`}},
		{"an element without a record is one", `{"box":[{"text":"user=ann"},{"n":1},{"text":" ","n":2},null]}`, []string{"acme.line ann", `original {"n":1}`, `original {"text":" ","n":2}`}},
		{"so is one of blanks", `{"box":["  "]}`, []string{`original {"box":["  "]}`}},
		{"a value that does not fit", `{"box":[{"who":"ann","pid":"x"},{"who":"bob"}]}`, []string{`failed {"who":"ann","pid":"x"}`, "acme.user bob"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := boxStage(t, Config{})
			wrapped, _ := json.Marshal(map[string]any{"event": map[string]any{"id": "r1", "original": c.in}, "log": map[string]any{"file": map[string]any{"path": "/p"}}})
			ids := map[any]bool{}
			for _, in := range []string{c.in, string(wrapped)} {
				out := process(t, s, in)
				if len(out) != len(c.want) {
					t.Fatalf("%d events, want %d: %s", len(out), len(c.want), out)
				}
				for i, line := range out {
					got, _ := get(t, line, "event.dataset").(string)
					if user, ok := get(t, line, "user.name").(string); ok {
						got += " " + user
					} else {
						got = "original " + get(t, line, "event.original").(string)
					}
					if get(t, line, "event.kind") == "pipeline_error" {
						got = "failed" + strings.TrimPrefix(got, "original")
					}
					if got != c.want[i] {
						t.Errorf("event %d: %s, want %s: %s", i, got, c.want[i], line)
					}
					if id := get(t, line, "event.id"); in == string(wrapped) && (id == nil || ids[id]) {
						t.Errorf("event %d has no id of its own: %s", i, line)
					} else {
						ids[id] = true
					}
				}
			}
		})
	}
}

func TestRecordsInARecordAreBounded(t *testing.T) {
	s := boxStage(t, Config{})
	in := `"user=ann"`
	for range maxInside + 2 {
		in = `{"box":[` + in + `]}`
	}
	out := process(t, s, in)
	if len(out) != 1 || get(t, out[0], "user.name") != nil || get(t, out[0], "event.original") != `{"box":["user=ann"]}` {
		t.Errorf("got %s", out)
	}
}

// A hint may name what lies in the box: the box is still opened, and the records are read by it.
func TestHintOfWhatLiesInside(t *testing.T) {
	s := boxStage(t, Config{Dataset: "acme.line"})
	for in, want := range map[string]int{`{"box":["user=ann","user=bob"]}`: 2, "user=ann": 1} {
		out := process(t, s, in)
		if len(out) != want || get(t, out[0], "user.name") != "ann" {
			t.Errorf("%s: %s", in, out)
		}
	}
}

func TestInsideFault(t *testing.T) {
	_, err := compileAll([]string{"x.yaml"}, map[string][]byte{"x.yaml": []byte("name: x\nparse: json\ninside: [a, 'b[']\n")})
	if err == nil || !strings.Contains(err.Error(), "x.yaml:3:13: inside: ") {
		t.Errorf("got %v", err)
	}
}

// What stands around a record goes with it.
func TestWhatStandsAround(t *testing.T) {
	s := boxStage(t, Config{})
	for _, c := range []struct{ in, want string }{
		{`{"box":[{"who":"ann"}],"from":"x","none":null}`, `{"from":"x"}`},
		{`{"box":[{"who":"ann"}]}`, `null`},
		{`{"box":[{"text":"user=ann","at":7,"from":"y"}],"from":"x","to":{"b":[1]}}`, `{"at":7,"from":"y","to":{"b":[1]}}`},
		{`{"box":[{"box":[{"who":"ann"}],"in":1}],"out":2}`, `{"in":1,"outer":{"out":2}}`},
		{`{"box":[{"box":[{"who":"ann"}]}],"out":2}`, `{"out":2}`},
		{`{"box":["???"],"out":2}`, `{"out":2}`},
		{`{"box":[{"who":"ann","pid":"x"}],"out":2}`, `{"out":2}`},
	} {
		out := process(t, s, c.in)
		if got, _ := json.Marshal(get(t, out[0], "acme.box")); len(out) != 1 || string(got) != c.want {
			t.Errorf("%s: %s, want %s: %s", c.in, got, c.want, out)
		}
	}
	deep := mapping(t, "name: a\nwhen: {keys: {x: '*'}}\nparse: json\ninside: x.y.list\nkeep: around\n")
	out := process(t, New(Config{Mappings: deep}), `{"x":{"y":{"list":["t"],"k":1},"n":null},"z":2}`)
	if got, _ := json.Marshal(get(t, out[0], "around")); string(got) != `{"x":{"y":{"k":1}},"z":2}` {
		t.Errorf("got %s of %s", got, out)
	}
}

// A small record must not become an output without bound by what is repeated in its events.
func TestWhatStandsAroundIsBounded(t *testing.T) {
	s := boxStage(t, Config{})
	in := `{"box":[` + strings.Repeat(`"a",`, 4000) + `"z"],"big":"` + strings.Repeat("x", 100_000) + `"}`
	out := process(t, s, in)
	if len(out) != 1 || get(t, out[0], "event.kind") != "pipeline_error" || get(t, out[0], "event.original") != in {
		t.Errorf("%d events, %.300s", len(out), out[0])
	}
}

// FuzzInside opens whatever boxes: lines come out, each a JSON object, and one at least.
func FuzzInside(f *testing.F) {
	for _, in := range []string{`[{"who":"ann"}]`, `{"box":["user=a"]}`, `[[{"text":"user=x"}],1]`, `"\ud800"`, `[{"text":{"box":[]}}]`} {
		f.Add(in)
	}
	s := boxStage(f, Config{})
	f.Fuzz(func(t *testing.T, box string) {
		if !json.Valid([]byte(box)) {
			t.Skip()
		}
		out := process(t, s, wrapped(`{"box":`+box+`,"beside":`+box+`}`))
		for _, line := range out {
			if !json.Valid([]byte(line)) || strings.ContainsAny(line, "\n\r") {
				t.Fatalf("%s\ngave %s", box, line)
			}
		}
		if len(out) == 0 {
			t.Fatalf("%s is lost", box)
		}
	})
}
