package normalize

import (
	"bytes"
	"encoding/base64"
	"testing"
)

func TestBase64(t *testing.T) {
	for _, c := range []struct{ record, want string }{
		{`{"d":"YW5u"}`, "ann"},
		{`{"d":"YQ=="}`, "a"},
		{`{"d":"YQ"}`, "a"},
		{`{"d":"an no"}`, ""},
		{`{"d":"Y"}`, ""},
		{`{"d":""}`, ""},
		{`{"d":["YW5u","?","Ym9i"]}`, "bob"},
	} {
		s := New(Config{Mappings: mapping(t, "name: demo\nwhen: {keys: {d: '*'}}\nparse: json\nfields: {user.name: 'd | base64 | last'}\n")})
		got, _ := get(t, process(t, s, c.record)[0], "user.name").(string)
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.record, got, c.want)
		}
	}
}

func FuzzBase64(f *testing.F) {
	f.Add([]byte("ann"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
			got, ok := appendDecoded([]byte("x"), []byte(enc.EncodeToString(b)))
			if !ok || !bytes.Equal(got[1:], b) {
				t.Errorf("%q: %q %v", b, got, ok)
			}
		}
		if got, ok := appendDecoded([]byte("x"), b); !ok && string(got) != "x" {
			t.Errorf("%q left %q", b, got)
		}
	})
}
