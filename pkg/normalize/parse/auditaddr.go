package parse

import (
	"encoding/binary"
	"net/netip"
)

// Address families of Linux, as they stand in a sockaddr.
const (
	familyUnix  = 1
	familyInet  = 2
	familyInet6 = 10
)

var keyFamily, keyAddr, keyPort, keyPath = []byte("family"), []byte("addr"), []byte("port"), []byte("path")

// socketAddress adds the object saddr of a sockaddr in hexadecimal: family, and addr and port or path. False where it is none.
func (r *Record) socketAddress(at int32, s []byte) bool {
	var raw [128]byte
	if len(s) < 4 || len(s)%2 != 0 || len(s) > 2*len(raw) {
		return false
	}
	for i := 0; i < len(s); i += 2 {
		hi, lo := hexDigit(s[i]), hexDigit(s[i+1])
		if hi < 0 || lo < 0 {
			return false
		}
		raw[i/2] = byte(hi<<4 | lo)
	}
	b := raw[:len(s)/2]
	// The kernel's integers are those of the machine; all that write this today are little-endian.
	switch family := binary.LittleEndian.Uint16(b); {
	case family == familyUnix:
		end := 2
		for end < len(b) && b[end] != 0 {
			end++
		}
		if end == 2 {
			return false
		}
		at = r.AddObject(at, keySaddr)
		r.AddText(at, keyFamily, []byte("unix"))
		r.AddText(at, keyPath, r.Memory(func(dst []byte) []byte { return append(dst, b[2:end]...) }))
	case family == familyInet && len(b) >= 8:
		r.inetAddress(r.AddObject(at, keySaddr), "ipv4", netip.AddrFrom4([4]byte(b[4:8])), b)
	case family == familyInet6 && len(b) >= 24:
		r.inetAddress(r.AddObject(at, keySaddr), "ipv6", netip.AddrFrom16([16]byte(b[8:24])), b)
	default:
		return false
	}
	return true
}

func (r *Record) inetAddress(at int32, family string, a netip.Addr, b []byte) {
	r.AddText(at, keyFamily, []byte(family))
	r.AddText(at, keyAddr, r.Memory(a.AppendTo))
	r.AddText(at, keyPort, r.Memory(func(dst []byte) []byte { return appendInt(dst, int(binary.BigEndian.Uint16(b[2:]))) }))
}
