package address

import (
	"net/netip"
	"strings"
	"testing"
)

func FuzzIsIPv4(f *testing.F) {
	for _, s := range []string{"", "192.0.2.1", "0.0.0.0", "255.255.255.255", "256.0.0.1", "1.2.3", "1.2.3.4.5", "1..2.3", "01.2.3.4", "1.2.3.00",
		"1.2.3.", ".1.2.3", "1.2.3.4 ", "1.2.3.4%eth0", "::1", "1.2.3.-4", "1.2.3.0x4", "1111.2.3.4", "1.2.3.4000000000"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := netip.ParseAddr(s)
		if got, want := IsIPv4([]byte(s)), err == nil && a.Is4(); got != want {
			t.Fatalf("IsIPv4(%q) = %v", s, got)
		}
		if got, ok := ParseIPv4([]byte(s)); ok && got != a {
			t.Fatalf("ParseIPv4(%q) = %v", s, got)
		}
	})
}

func FuzzAddress(f *testing.F) {
	for _, s := range []string{"1.2.3.4", "01.2.3.4", "1.2.3", "1.2.3.4.5", "256.1.1.1", "::1", "fe80::1%eth0", "::ffff:1.2.3.4", "1:2", ":", "%", "0.0.0.0", "1..2.3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		cut, _, _ := strings.Cut(s, "%")
		want, err := netip.ParseAddr(cut)
		got, ok := Parse([]byte(s))
		if ok != (err == nil) || ok && got != want {
			t.Errorf("%q: %v %v, want %v (%v)", s, got, ok, want, err)
		}
	})
}
