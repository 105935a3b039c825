package normalize

import (
	"encoding/json"
	"testing"
)

func TestBeside(t *testing.T) {
	s := New(Config{Mappings: mapping(t, "name: x\nwhen: {keys: {answers: '*'}}\nparse: json\nfields: {dns.answers: {each: 'answers[]', data: it, ttl: it | beside TTLs | int, type: it | beside more.types}}\n")})
	for in, want := range map[string]string{
		`{"answers":["a","b"],"TTLs":[3.0,4],"more":{"types":["A","TXT"]}}`: `[{"data":"a","ttl":3,"type":"A"},{"data":"b","ttl":4,"type":"TXT"}]`,
		`{"answers":["a","b"],"TTLs":[3]}`:                                  `[{"data":"a","ttl":3},{"data":"b"}]`, // a shorter list
		`{"answers":["a"],"TTLs":[3,4,5]}`:                                  `[{"data":"a","ttl":3}]`,
		`{"answers":["a"],"TTLs":7}`:                                        `[{"data":"a","ttl":7}]`, // a single value
		`{"answers":["a","b"],"TTLs":["x",9]}`:                              `[{"data":"a"},{"data":"b","ttl":9}]`,
	} {
		got, err := json.Marshal(get(t, process(t, s, in)[0], "dns.answers"))
		if err != nil || string(got) != want {
			t.Errorf("%s: %s, want %s (%v)", in, got, want, err)
		}
	}
	if _, err := compileAll([]string{"x.yaml"}, map[string][]byte{"x.yaml": []byte("name: x\nfields: {dns.answers: {each: a, ttl: it | beside b[}}\n")}); err == nil {
		t.Error("a broken source behind beside is taken")
	}
}
