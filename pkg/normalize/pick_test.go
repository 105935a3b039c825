package normalize

import "testing"

func TestPick(t *testing.T) {
	s := New(Config{Mappings: mapping(t, `
name: x
when: {keys: {l: '*'}}
parse: json
fields:
  user.id?: 'l[0].a.b'
  user.name?: 'l[2]'
  user.email?: 'l[k=v].a'
  user.domain?: 'l[k~V].a'
  user.roles?: 'l[].r'
`)})
	for _, c := range []struct {
		in, field string
		want      any
	}{
		{`{"l":[{"a":{"b":"x"}}]}`, "user.id", "x"},
		{`{"l":[{"a":{"c":"x"}},{"a":{"b":"y"}}]}`, "user.id", nil}, // the first element, not the first that has it
		{`{"l":["a","b","c","d"]}`, "user.name", "c"},
		{`{"l":["a"]}`, "user.name", nil},
		{`{"l":[{"k":"w","a":"x"},{"k":"v"},{"k":"v","a":"z"}]}`, "user.email", "z"},
		{`{"l":[{"k":"V","a":"x"}]}`, "user.email", nil},
		{`{"l":[{"k":"v","a":"x"}]}`, "user.domain", "x"},
		{`{"l":[[{"k":"v","a":"x"}]]}`, "user.domain", "x"},
		{`{"l":"text"}`, "user.domain", nil},
		{`{"l":{"k":"v","a":"x"}}`, "user.email", "x"},
		{`{"l":[1,null,{"r":[]},{"r":[ ]}]}`, "user.roles", nil},
	} {
		if got := get(t, process(t, s, c.in)[0], c.field); got != c.want {
			t.Errorf("%s: %s is %v, want %v", c.in, c.field, got, c.want)
		}
	}
}
