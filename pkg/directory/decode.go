package directory

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// formatSID writes a security identifier as S-1-... ([MS-DTYP] 2.4.2.2).
func formatSID(b string) (string, bool) {
	if len(b) < 8 || b[0] != 1 || int(b[1]) > 15 || len(b) != 8+4*int(b[1]) {
		return "", false
	}
	var authority uint64
	for i := 2; i < 8; i++ {
		authority = authority<<8 | uint64(b[i])
	}
	out := append(make([]byte, 0, 48), "S-1-"...)
	if authority >= 1<<32 {
		out = fmt.Appendf(out, "0x%012x", authority)
	} else {
		out = strconv.AppendUint(out, authority, 10)
	}
	for i := 8; i < len(b); i += 4 {
		out = append(out, '-')
		out = strconv.AppendUint(out, uint64(binary.LittleEndian.Uint32([]byte(b[i:i+4]))), 10)
	}
	return string(out), true
}

// rid splits a SID into its domain and its last part.
func rid(sid string) (domain string, id uint32) {
	i := strings.LastIndexByte(sid, '-')
	if i < 0 {
		return sid, 0
	}
	n, err := strconv.ParseUint(sid[i+1:], 10, 32)
	if err != nil {
		return sid, 0
	}
	return sid[:i], uint32(n)
}

// formatGUID writes 16 bytes as Windows does: the first three groups are little-endian ([MS-DTYP] 2.3.4).
func formatGUID(b string) (string, bool) {
	if len(b) != 16 {
		return "", false
	}
	g := []byte{b[3], b[2], b[1], b[0], b[5], b[4], b[7], b[6]}
	return fmt.Sprintf("%x-%x-%x-%x-%x", g[:4], g[4:6], g[6:8], b[8:10], b[10:]), true
}

// parseGUID is the reverse of formatGUID; it takes no braces.
func parseGUID(s string) (string, bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return "", false
	}
	g, err := hex.DecodeString(s[:8] + s[9:13] + s[14:18] + s[19:23] + s[24:])
	if err != nil {
		return "", false
	}
	g[0], g[1], g[2], g[3] = g[3], g[2], g[1], g[0]
	g[4], g[5], g[6], g[7] = g[5], g[4], g[7], g[6]
	return string(g), true
}

const (
	never = 1<<63 - 1 // of FILETIMEs: also 0
	// epoch is 1970 in units of 100 ns since 1601.
	epoch = 116_444_736_000_000_000
)

// fileTime reads an attribute of 100 ns since 1601; ok is false for never and for what is no time.
func fileTime(s string) (t time.Time, ok bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n <= 0 || n == never {
		return time.Time{}, false
	}
	n -= epoch
	t = time.Unix(n/1e7, n%1e7*100).UTC()
	return t, t.Year() <= 9999
}

// interval reads an attribute of negative 100 ns such as lockoutDuration; ok is false for "for ever".
func interval(s string) (d time.Duration, ok bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n > 0 || n < -(1<<63-1)/100 {
		return 0, false
	}
	return time.Duration(-n) * 100, true
}

// generalizedTime reads such as 20260131235959.0Z (RFC 4517 section 3.3.13, in UTC as directories write it).
func generalizedTime(s string) (time.Time, bool) {
	s, ok := strings.CutSuffix(s, "Z")
	if !ok {
		return time.Time{}, false
	}
	s, _, _ = strings.Cut(s, ".")
	t, err := time.Parse("20060102150405", s)
	return t, err == nil
}

// extendedDN takes <GUID=...>;<SID=...>;CN=... apart ([MS-ADTS] 3.1.1.3.4.1.5). id is 16 bytes, or empty.
func extendedDN(s string) (id, dn string) {
	for strings.HasPrefix(s, "<") {
		part, rest, ok := strings.Cut(s, ">;")
		if !ok {
			return id, s
		}
		if g, ok := strings.CutPrefix(part, "<GUID="); ok {
			id, _ = parseGUID(g)
		}
		s = rest
	}
	return id, s
}

// parent returns what follows the first part of a DN, or nothing.
func parent(dn string) string {
	for i := 0; i < len(dn); i++ {
		switch dn[i] {
		case '\\':
			i++
		case ',':
			return strings.TrimLeft(dn[i+1:], " ")
		}
	}
	return ""
}

// below tells whether dn is base or lies below it. Both are in lower case.
func below(dn, base string) bool {
	return base == "" || dn == base || strings.HasSuffix(dn, ","+base)
}

// ranged takes an attribute's name and its range apart: member;range=0-1499 ([MS-ADTS] 3.1.1.3.1.3.3). next is where the
// next part begins; 0: this is the last.
func ranged(name string) (base string, next int) {
	base, options, ok := strings.Cut(name, ";")
	for ok {
		var o string
		o, options, ok = strings.Cut(options, ";")
		if len(o) < 6 || !strings.EqualFold(o[:6], "range=") {
			continue
		}
		if _, last, found := strings.Cut(o[6:], "-"); found {
			if n, err := strconv.ParseUint(last, 10, 31); err == nil {
				next = int(n) + 1
			}
		}
	}
	return base, next
}

// Bits of userAccountControl ([MS-ADTS] 2.2.16).
const (
	uacDisabled     = 0x2
	uacNotRequired  = 0x20
	uacServer       = 0x2000
	uacNeverExpires = 0x10000
	uacDelegation   = 0x80000
	uacNoPreauth    = 0x400000
	uacReadOnlyDC   = 0x4000000
)
