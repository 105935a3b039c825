package learn

import (
	"bytes"
	"net/netip"
	"unsafe"
)

// maxKey and maxCell bound what an event may teach, in bytes.
const (
	maxKey  = 255
	maxCell = 512
)

// appendKey appends the form in which a key is kept: an address as RFC 5952 writes it (IPv4 within IPv6 as IPv4, without
// zone), a MAC address as ECS does, all else in lower case. What stands before the last slash is a scope.
func appendKey(dst, t []byte) []byte {
	t = bytes.TrimSpace(t)
	if len(t) > maxKey {
		return dst
	}
	if i := bytes.LastIndexByte(t, '/'); i >= 0 {
		dst = append(appendLower(dst, t[:i]), '/')
		t = t[i+1:]
	}
	if len(t) > 0 && (t[0]-'0' < 10 || bytes.IndexByte(t, ':') >= 0) && len(t) < 64 {
		if a, err := parseAddr(t); err == nil {
			return a.Unmap().WithZone("").AppendTo(dst)
		}
	}
	if m, ok := appendMAC(dst, t); ok {
		return m
	}
	return appendLower(dst, t)
}

// appendLower appends t with its ASCII letters in lower case.
func appendLower(dst, t []byte) []byte {
	for _, c := range t {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

// appendMAC appends a MAC address of 12 hexadecimal digits, bare or in pairs or in fours, as ECS writes it.
func appendMAC(dst, t []byte) ([]byte, bool) {
	const hex = "0123456789ABCDEF"
	if len(t) != 12 && len(t) != 14 && len(t) != 17 {
		return dst, false
	}
	start, n := len(dst), 0
	for _, c := range t {
		var v byte
		switch {
		case c-'0' < 10:
			v = c - '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			v = c | 0x20 - 'a' + 10
		case c == ':' || c == '-' || c == '.':
			continue
		default:
			return dst[:start], false
		}
		if n > 0 && n%2 == 0 {
			dst = append(dst, '-')
		}
		dst = append(dst, hex[v])
		n++
	}
	if n != 12 {
		return dst[:start], false
	}
	return dst, true
}

// nobody tells whether a key is an address that is many hosts' at once: loopback, link-local, unspecified, multicast,
// broadcast, or "-".
func nobody(key []byte) bool {
	if string(key) == "-" {
		return true
	}
	if key[0]-'0' >= 10 && bytes.IndexByte(key, ':') < 0 {
		return false
	}
	a, err := parseAddr(key)
	if err != nil {
		return false
	}
	return a.IsLoopback() || a.IsUnspecified() || a.IsMulticast() || a.IsLinkLocalUnicast() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// parseAddr is netip.ParseAddr without a copy of the text: neither the address nor anything else keeps it.
func parseAddr(t []byte) (netip.Addr, error) {
	return netip.ParseAddr(unsafe.String(unsafe.SliceData(t), len(t)))
}
