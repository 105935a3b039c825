package normalize

import "testing"

func TestLess(t *testing.T) {
	s := New(Config{Mappings: mapping(t, "name: x\nwhen: {keys: {a: '*'}}\nparse: json\nfields: {event.duration: a | less b.c | ms}\n")})
	for in, want := range map[string]any{
		`{"a":62004,"b":{"c":61588}}`:            416e6,
		`{"a":"62004","b":{"c":"61588"}}`:        416e6,
		`{"a":7,"b":{"c":7}}`:                    0.0,
		`{"a":6,"b":{"c":7}}`:                    nil, // a counter that began anew
		`{"a":6}`:                                nil,
		`{"a":6,"b":{"c":"x"}}`:                  nil,
		`{"a":9223372036854775807,"b":{"c":-1}}`: nil,
		`{"a":99999999999999999999,"b":{"c":1}}`: nil,
	} {
		if got := get(t, process(t, s, in)[0], "event.duration"); got != want {
			t.Errorf("%s: %v, want %v", in, got, want)
		}
	}
	if _, err := compileAll([]string{"x.yaml"}, map[string][]byte{"x.yaml": []byte("name: x\nfields: {event.duration: a | less b[}\n")}); err == nil {
		t.Error("a broken source behind less is taken")
	}
}
