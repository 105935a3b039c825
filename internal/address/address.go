// Package address reads IP addresses from bytes, without allocating where they are addresses: events bring many.
//
// It is not for blocks, names or ports (net/netip is), and keeps nothing of what it reads.
package address

import (
	"bytes"
	"net/netip"
	"unsafe"
)

// Parse reads an IP address. A zone (fe80::1%eth0) is cut off.
func Parse(text []byte) (netip.Addr, bool) {
	if i := bytes.IndexByte(text, '%'); i >= 0 {
		text = text[:i]
	}
	if bytes.IndexByte(text, ':') < 0 {
		return ParseIPv4(text)
	}
	if len(text) > len("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255") {
		return netip.Addr{}, false
	}
	// ParseAddr makes an error of what is no address, and much that has a colon is none: a host with its port, a time.
	for _, c := range text {
		if c-'0' >= 10 && c != ':' && c != '.' && (c|0x20)-'a' > 5 {
			return netip.Addr{}, false
		}
	}
	// ParseAddr keeps its text in the error only, which is dropped before text can change.
	a, err := netip.ParseAddr(unsafe.String(unsafe.SliceData(text), len(text)))
	return a, err == nil
}
