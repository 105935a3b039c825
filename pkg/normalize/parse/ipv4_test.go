package parse

import (
	"net/netip"
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
	})
}
