package redact

import (
	"math/bits"
	"math/rand/v2"
	"net/netip"
	"testing"
)

// paperKey is the key of the sample that the authors of Crypto-PAn published with it.
var paperKey = []byte{
	21, 34, 23, 141, 51, 164, 207, 128, 19, 10, 91, 22, 73, 144, 125, 16,
	216, 152, 143, 131, 121, 121, 101, 39, 98, 87, 76, 45, 42, 132, 34, 2,
}

// TestPublishedVectors: addresses of the sample trace with what the authors' program made of them; those of IPv6 are what other
// implementations agree on.
func TestPublishedVectors(t *testing.T) {
	c := newCryptoPAn(paperKey)
	for in, want := range map[string]string{
		"128.11.68.132": "135.242.180.132", "129.118.74.4": "134.136.186.123", "130.132.252.244": "133.68.164.234",
		"141.223.7.43": "141.167.8.160", "141.233.145.108": "141.129.237.235", "152.163.225.39": "151.140.114.167",
		"156.29.3.236": "147.225.12.42", "165.247.96.84": "162.9.99.234", "166.107.77.190": "160.132.178.185",
		"192.102.249.13": "252.138.62.131", "192.215.32.125": "252.43.47.189", "192.233.80.103": "252.25.108.8",
		"192.41.57.43": "252.222.221.184", "193.150.244.223": "253.169.52.216", "195.205.63.100": "255.186.223.5",
		"64.39.15.238": "0.219.7.41", "10.185.25.118": "117.161.29.118", "::ffff:128.11.68.132": "135.242.180.132",
		"::1": "78ff:f001:9fc0:20df:8380:b1f1:704:ed", "::2": "78ff:f001:9fc0:20df:8380:b1f1:704:ef",
		"::ffff": "78ff:f001:9fc0:20df:8380:b1f1:704:f838", "2001:db8::1": "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1e",
		"2001:db8::2": "4401:2bc:603f:d91d:27f:ff8e:e6f1:dc1c",
	} {
		if got := c.address(netip.MustParseAddr(in)); got.String() != want {
			t.Errorf("%s became %s, not %s", in, got, want)
		}
	}
}

// shared is how many bits two addresses begin with alike.
func shared(a, b []byte) int {
	n := 0
	for i := range a {
		if d := a[i] ^ b[i]; d != 0 {
			return n + bits.LeadingZeros8(d)
		}
		n += 8
	}
	return n
}

// TestPrefixesStay: pairs of any kin keep exactly the prefix that they share, and no two addresses become one.
func TestPrefixesStay(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	c := newCryptoPAn(paperKey)
	for range 3000 {
		size := []int{4, 16}[r.IntN(2)]
		a, b := make([]byte, size), make([]byte, size)
		for i := range a {
			a[i] = byte(r.Uint32())
		}
		a[0] |= 0x20 // not in ::ffff:0:0/96, where IPv4 begins
		copy(b, a)
		for i := r.IntN(size * 8); i < size*8; i++ {
			if r.IntN(2) == 0 && i > 7 {
				b[i/8] ^= 0x80 >> (i % 8)
			}
		}
		x, _ := netip.AddrFromSlice(a)
		y, _ := netip.AddrFromSlice(b)
		before := shared(a, b)
		if after := shared(c.address(x).AsSlice(), c.address(y).AsSlice()); after != before {
			t.Fatalf("%s and %s shared %d bits, their pseudonyms share %d", x, y, before, after)
		}
	}
}
