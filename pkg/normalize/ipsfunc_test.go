package normalize

import (
	"testing"

	"leat/pkg/event"
)

func TestIPs(t *testing.T) {
	for in, want := range map[string]string{
		`["type:  5 a.example","::ffff:192.0.2.1",7,"2001:db8::1"]`: `["::ffff:192.0.2.1","2001:db8::1"]`,
		`["a"]`: `[]`,
		`[{"n":"eth0","in":["192.0.2.1"],"six":["2001:db8::1"]},{"in":["192.0.2.2"]}]`: `["192.0.2.1","2001:db8::1","192.0.2.2"]`,
		`[[[[[[[[[["192.0.2.1"]]]]]]]]]]`:                                              `[]`,
		`[]`:                                                                           `[]`,
	} {
		if got := ipsCall(&runner{}, nil, value{b: []byte(in), kind: event.Array, json: true}); string(got.b) != want {
			t.Errorf("%s: %s, want %s", in, got.b, want)
		}
	}
	if got := ipsCall(&runner{}, nil, text([]byte("a.example"))); !got.empty() {
		t.Errorf("a name is no address: %s", got.b)
	}
}
