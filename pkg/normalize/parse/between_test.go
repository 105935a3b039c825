package parse

import "testing"

func TestPairsBetween(t *testing.T) {
	k := KV{Between: []byte(" - "), Value: ' '}
	for _, c := range []struct{ in, want string }{
		{`User ann - Client_ip 192.0.2.1 - Reason "no - one"`, `User=ann Client_ip=192.0.2.1 Reason=no - one`},
		{`Reason "no - one - User ann`, `Reason="no text=one User=ann`},
		{`SessionId: 12 - Group(s) ""a b""`, `SessionId=12 Group(s)=a b`},
		{`Start Time 2026 - alone - User  `, `Start=Time 2026 text=alone text_2=User`},
		{`a 1 - a 2 -  - b ""`, `a=1 a_2=2 b=`},
		{` - `, ``},
		{``, ``},
	} {
		var r Record
		r.Reset()
		ok := k.Parse(&r, 0, []byte(c.in))
		if got := namesOf(&r); got != c.want || ok != (len(c.want) > 0) {
			t.Errorf("%q: got %v %q, want %q", c.in, ok, got, c.want)
		}
	}
}

func FuzzPairsBetween(f *testing.F) {
	f.Add("User ann - Client_ip 192.0.2.1", " - ", byte(' '))
	f.Add(`a ""b"" - a "`, " - ", byte(' '))
	f.Add("a=1; b=2", "; ", byte('='))
	f.Fuzz(func(t *testing.T, in, between string, eq byte) {
		var r Record
		r.Reset()
		if len(between) < 2 {
			return
		}
		KV{Between: []byte(between), Value: eq}.Parse(&r, 0, []byte(in))
		names := map[string]bool{}
		for i := r.Child(0); i >= 0; i = r.Cells[i].Next {
			if k := string(r.Cells[i].Key); names[k] {
				t.Fatalf("%q is there twice in %q", k, in)
			} else {
				names[k] = true
			}
		}
	})
}
