package normalize

import "testing"

func TestAddrAndPort(t *testing.T) {
	for _, c := range []struct{ in, addr, port string }{
		{"192.0.2.1", "192.0.2.1", ""},
		{"192.0.2.1:63070", "192.0.2.1", "63070"},
		{"192.0.2.1:", "", ""},
		{"192.0.2.1:65536", "", ""},
		{"2001:db8::1", "2001:db8::1", ""},
		{"[2001:db8::1]:443", "2001:db8::1", "443"},
		{"[2001:db8::1]", "2001:db8::1", ""},
		{"[2001:db8::1]443", "2001:db8::1", ""},
		{"[2001:db8::1", "", ""},
		{"::ffff:192.0.2.1", "::ffff:192.0.2.1", ""},
		{"host.example:8080", "", "8080"},
		{"a:b:80", "", ""},
		{"", "", ""},
		{":", "", ""},
		{"[]:1", "", "1"},
	} {
		r := &runner{}
		if got := addrCall(r, nil, text([]byte(c.in))); string(got.b) != c.addr {
			t.Errorf("addr %q: %q, want %q", c.in, got.b, c.addr)
		}
		if got := portCall(r, nil, text([]byte(c.in))); string(got.b) != c.port {
			t.Errorf("port %q: %q, want %q", c.in, got.b, c.port)
		}
	}
}

func FuzzSplitHostPort(f *testing.F) {
	for _, s := range []string{"192.0.2.1:1", "[::1]:2", "[::", "a:b:c", ":99999"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		host, port := splitHostPort(b)
		if len(host)+len(port) > len(b) || len(port) > 5 {
			t.Errorf("%q: %q %q", b, host, port)
		}
	})
}
