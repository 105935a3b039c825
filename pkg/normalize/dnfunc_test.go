package normalize

import (
	"testing"
	"unicode/utf8"

	"leat/pkg/event"
)

func dn(t testing.TB, attribute, name string) string {
	t.Helper()
	c, err := compileCall("dn "+attribute, nil)
	if err != nil {
		t.Fatal(err)
	}
	var r runner
	r.rec.Reset()
	return string(dnCall(&r, &c, value{b: []byte(name), kind: event.String}).b)
}

func TestDN(t *testing.T) {
	for _, c := range []struct{ attribute, name, want string }{
		{"dc", "uid=ann,ou=People,dc=example,dc=com", "example.com"},
		{"uid", "uid=ann,ou=People,dc=example,dc=com", "ann"},
		{"cn", "CN=Doe\\, Ann, OU=x", "Doe, Ann"},
		{"cn", `cn=a\2Cb+uid=c`, "a,b"},
		{"uid", `cn=a\2Cb+uid=c`, "c"},
		{"cn", `cn=end\`, `end\`},
		{"o", "uid=ann", ""},
		{"o", "", ""},
		{"o", "no name", ""},
	} {
		if got := dn(t, c.attribute, c.name); got != c.want {
			t.Errorf("%s of %q: %q, want %q", c.attribute, c.name, got, c.want)
		}
	}
}

func FuzzDN(f *testing.F) {
	f.Add("dc=example,dc=com")
	f.Add(`cn=a\,b\2`)
	f.Fuzz(func(t *testing.T, name string) {
		got := dn(t, "cn", name)
		if len(got) > len(name) || utf8.ValidString(name) && len(got) > 0 && len(name) < 4 {
			t.Fatalf("%q of %q", got, name)
		}
	})
}
