package normalize

import (
	"fmt"
	"strings"
	"testing"

	"leat/pkg/event"
)

const eachMapping = `name: each.test
when: {keys: {top: '*', a: '*'}}
parse: json
each: a.list[].inner[].tuples
keep: each.test
fields:
  user.name: tuples
  host.name: host
  source.ip?: ip
  event.code: [top, a.n]
`

func TestEach(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     []string // user.name, host.name, source.ip, event.code
	}{
		{"texts with what stands around them", `{"top":1,"a":{"n":2,"list":[{"host":"h1","inner":[{"ip":"192.0.2.1","tuples":["x","y"]},{"tuples":["z"]}]},{"inner":{"tuples":"w"}}]}}`,
			[]string{"x h1 192.0.2.1 1", "y h1 192.0.2.1 1", "z h1 <nil> 1", "w <nil> <nil> 1"}},
		{"an inner name goes first", `{"top":1,"host":"outer","a":{"list":[{"host":"mid","inner":[{"host":"in","tuples":["x"]},{"tuples":["y"]}]},{"inner":[{"tuples":["z"]}]}]}}`,
			[]string{"x in <nil> 1", "y mid <nil> 1", "z outer <nil> 1"}},
		{"objects as elements", `{"top":1,"host":"outer","a":{"list":[{"inner":[{"tuples":[{"tuples":"x","host":"own"},{ } , {"tuples":"y"}]}]}]}}`,
			[]string{"x own <nil> 1", "<nil> outer <nil> 1", "y outer <nil> 1"}},
		{"nulls are no elements", `{"top":null,"a":{"list":[null,{"inner":[{"tuples":[null,"x"]}]}]}}`, []string{"x <nil> <nil> <nil>"}},
		{"of two of a name the first", `{"top":1,"top":2,"a":{"list":[{"inner":[{"tuples":["x"]}]}]}}`, []string{"x <nil> <nil> 1"}},
	} {
		s := New(Config{Mappings: mapping(t, eachMapping)})
		var got []string
		for _, line := range process(t, s, c.in) {
			got = append(got, fmt.Sprint(get(t, line, "user.name"), " ", get(t, line, "host.name"), " ", get(t, line, "source.ip"), " ", get(t, line, "event.code")))
		}
		if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
			t.Errorf("%s:\n got %q\nwant %q", c.name, got, c.want)
		}
	}
}

// What an element's event has as its original makes the same event again.
func TestEachOriginalTellsAll(t *testing.T) {
	s := New(Config{Mappings: mapping(t, eachMapping)})
	out := process(t, s, `{"top":1,"b":"\u00e9","a":{"n":2,"list":[{"host":"h\"1","inner":[{"tuples":["x"]}]}]}}`)
	want := `{"tuples":"x","top":1,"b":"\u00e9","n":2,"host":"h\"1"}`
	if got := get(t, out[0], "event.original"); got != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestEachWithoutElements(t *testing.T) {
	for _, in := range []string{`{"top":1}`, `{"top":1,"a":7}`, `{"top":1,"a":{"list":[]}}`, `{"top":1,"a":{"list":[{"inner":3}]}}`} {
		s := New(Config{Mappings: mapping(t, eachMapping)})
		out := process(t, s, in)
		if len(out) != 1 || get(t, out[0], "event.original") != in {
			t.Errorf("%s: got %v", in, out)
		}
	}
}

// A record whose many small elements each repeat much of it must not fill the memory.
func TestEachIsBounded(t *testing.T) {
	around := strings.Repeat("x", 100_000)
	in := `{"top":"` + around + `","a":{"list":[{"inner":[{"tuples":[` + strings.TrimSuffix(strings.Repeat(`"t",`, 10_000), ",") + `]}]}]}}`
	s := New(Config{Mappings: mapping(t, eachMapping)})
	out := process(t, s, in)
	if len(out) != 1 || get(t, out[0], "event.kind") != event.KindError || get(t, out[0], "event.original") != in {
		t.Errorf("got %d events, the first %.200s", len(out), out[0])
	}
}

func TestEachFaults(t *testing.T) {
	for _, bad := range []string{"''", "'[]'", "a[].[]", "[a]"} {
		_, err := compileAll([]string{"x.yaml"}, map[string][]byte{"x.yaml": []byte("name: x\nparse: json\neach: " + bad + "\n")})
		if err == nil || !strings.Contains(err.Error(), "x.yaml:3:7") {
			t.Errorf("each: %s: %v", bad, err)
		}
	}
}

func FuzzEach(f *testing.F) {
	f.Add(`{"top":1,"a":{"n":2,"list":[{"host":"h1","inner":[{"tuples":["x",{"top":3}]}]}]}}`)
	f.Add(`{"top":{"a":1},"a":{"list":[[{"inner":1}],{"inner":[[[]]]}]}}`)
	m := mapping(f, eachMapping)
	f.Fuzz(func(t *testing.T, in string) {
		var b event.Batch
		b.Push([]byte(in))
		if err := New(Config{Mappings: m}).Process(&b); err != nil {
			t.Fatal(err)
		}
		b.Compact()
		if len(b.Events) == 0 {
			t.Fatal("the record gave no event")
		}
		for _, e := range b.Events {
			if line := e.Append(nil); e.Parse() != nil {
				t.Errorf("no JSON: %s", line)
			}
		}
	})
}

// The texts that mean no value mean it in lists too.
func TestAbsentInLists(t *testing.T) {
	s := New(Config{Mappings: mapping(t, "name: a\nwhen: {keys: {p: '*'}}\nparse: json\nabsent: ['-']\nfields: {user.name: ['p[k=u].v', 'p[k=w].v']}\n")})
	out := process(t, s, `{"p":[{"k":"u","v":"-"},{"k":"w","v":"ann"}]}`)
	if got := get(t, out[0], "user.name"); got != "ann" {
		t.Errorf("got %v", got)
	}
}
