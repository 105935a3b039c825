package normalize

import (
	"fmt"
	"strings"
	"testing"

	"leat/pkg/event"
)

const pairsMapping = `name: pairs.test
when: {keys: {p: '*'}}
parse: json
absent: ['-']
pairs:
  one: {list: p, key: name, value: [value, intValue]}
  all: {list: 'e[].parameters', key: K, value: V}
  second: {list: 'e[1].parameters', key: K, value: V}
  red: {list: 'e[kind=red].parameters', key: K, value: V}
keep: pairs.test
fields:
  user.name: one.user
  process.pid?: one.pid
  event.code: all.code
  rule.name: second.code
  rule.id: red.code
  host.name: one.host\.name
  user.roles: all.roles
`

func TestPairs(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`{"p":[{"name":"user","value":"ann"},{"name":"pid","intValue":"7"},{"name":"other","value":"x"}]}`, "ann 7 <nil> <nil> <nil> <nil> <nil>"},
		{`{"p":[{"name":"user","value":null},{"name":"user","value":"bob"},{"name":"user","value":"eve"},{"value":"x"},"y",null,[{"name":"pid","value":3}]]}`, "bob <nil> <nil> <nil> <nil> <nil> <nil>"},
		{`{"p":[{"name":"user","value":"-"},{"name":"host.name","value":"h"}]}`, "<nil> <nil> <nil> <nil> <nil> h <nil>"},
		{`{"p":{"name":"user","value":"\u00e9"}}`, "é <nil> <nil> <nil> <nil> <nil> <nil>"},
		{`{"p":1,"e":[{"parameters":[{"K":"code","V":1}]},{"kind":"red","parameters":[{"K":"code","V":2},{"K":"roles","V":["a","b"]}]}]}`, "<nil> <nil> 1 2 2 <nil> [a b]"},
		{`{"p":[],"e":7}`, "<nil> <nil> <nil> <nil> <nil> <nil> <nil>"},
		{`{"p":[{"name":"user","value":"list"}],"one":{"user":"own"}}`, "own <nil> <nil> <nil> <nil> <nil> <nil>"},
	} {
		out := process(t, New(Config{Mappings: mapping(t, pairsMapping)}), c.in)
		var got []string
		for _, f := range []string{"user.name", "process.pid", "event.code", "rule.name", "rule.id", "host.name", "user.roles"} {
			got = append(got, fmt.Sprint(get(t, out[0], f)))
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.in, s, c.want)
		}
	}
}

// The lists stay where they were.
func TestPairsAreKept(t *testing.T) {
	out := process(t, New(Config{Mappings: mapping(t, pairsMapping)}), `{"p":[{"name":"user","value":"ann"}]}`)
	if got := get(t, out[0], "pairs.test"); fmt.Sprint(got) != "map[p:[map[name:user value:ann]]]" {
		t.Errorf("kept %v", got)
	}
}

func TestPairsFaults(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"{x: {list: p, key: k}}", "x.yaml:2:9"},
		{"{x: {list: '[]', key: k, value: v}}", "x.yaml:2:19"},
		{"{x: {list: p, key: k, value: v, more: 1}}", "x.yaml:2:40"},
		{"{x.y: {list: p, key: k, value: v}}", "x.yaml:2:9"},
		{"[x]", "x.yaml:2:8"},
	} {
		_, err := compileAll([]string{"x.yaml"}, map[string][]byte{"x.yaml": []byte("name: x\npairs: " + c.in + "\n")})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want one at %s", c.in, err, c.want)
		}
	}
}

func TestPairsDoNotAllocate(t *testing.T) {
	s := New(Config{Mappings: mapping(t, pairsMapping), Original: DropOriginal})
	in := []byte(`{"p":[{"name":"user","value":"ann"},{"name":"pid","intValue":"7"}],"e":[{"parameters":[{"K":"code","V":1}]}]}`)
	var b event.Batch
	run := func() {
		b.Reset()
		b.Push(in)
		if err := s.Process(&b); err != nil {
			t.Fatal(err)
		}
	}
	run()
	if n := testing.AllocsPerRun(200, run); n > 0 {
		t.Errorf("%v allocations per event", n)
	}
}

func FuzzPairs(f *testing.F) {
	f.Add(`{"p":[{"name":"user","value":"ann"}],"e":[{"parameters":[{"K":"code","V":1}]}]}`)
	f.Add(`{"p":[[[{"name":"\u0075ser","value":{}}]]],"e":{"parameters":{"K":1}}}`)
	m := mapping(f, pairsMapping)
	f.Fuzz(func(t *testing.T, in string) {
		var b event.Batch
		b.Push([]byte(in))
		if err := New(Config{Mappings: m}).Process(&b); err != nil {
			t.Fatal(err)
		}
		b.Compact()
		if len(b.Events) != 1 || b.Events[0].Parse() != nil {
			t.Errorf("%d events", len(b.Events))
		}
	})
}
