package dimension

import (
	"bytes"
	"net/netip"
	"unsafe"
)

// ParseAddress reads an IP address without allocating: events bring one each. A zone (fe80::1%eth0) is cut off.
func ParseAddress(text []byte) (netip.Addr, bool) {
	if i := bytes.IndexByte(text, '%'); i >= 0 {
		text = text[:i]
	}
	if bytes.IndexByte(text, ':') < 0 {
		return parseIPv4(text)
	}
	if len(text) > len("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255") {
		return netip.Addr{}, false
	}
	// ParseAddr keeps its text in the error only, which is dropped before text can change.
	a, err := netip.ParseAddr(unsafe.String(unsafe.SliceData(text), len(text)))
	return a, err == nil
}

func parseIPv4(text []byte) (netip.Addr, bool) {
	var b [4]byte
	part, digits, value := 0, 0, 0
	for _, c := range text {
		switch {
		case c-'0' < 10:
			if value = value*10 + int(c-'0'); value > 255 || digits > 0 && value < 10 {
				return netip.Addr{}, false
			}
			digits++
		case c == '.' && digits > 0 && part < 3:
			b[part] = byte(value)
			part, digits, value = part+1, 0, 0
		default:
			return netip.Addr{}, false
		}
	}
	if part != 3 || digits == 0 {
		return netip.Addr{}, false
	}
	b[3] = byte(value)
	return netip.AddrFrom4(b), true
}
