package intel

import (
	"bytes"
	"net/netip"
	"strings"
	"unicode/utf8"

	"leat/internal/address"

	"golang.org/x/net/idna"
)

// maxValue bounds a value in canonical form: longer ones are no indicators.
const maxValue = 4096

// AppendCanonical appends value in the one form in which values of its kind are compared; dst is returned as it is where value is none of
// that kind. It does not allocate, but for names of hosts that are not ASCII.
//
//   - addresses as netip writes them (RFC 5952), IPv4-mapped ones as IPv4, without a zone; IPv4 and IPv6 both take either
//   - blocks with the host's bits zero
//   - names of hosts in lower case, as A-labels (RFC 5891), without the dot at the end and without "*." in front
//   - URLs as RFC 3986, 6.2.2 and 6.2.3 say: scheme and host in lower case, no default port, escapes only where needed and in upper case,
//     no dot segments, at least the path "/"; no user information and no fragment
//   - hashes and e-mail addresses in lower case
func AppendCanonical(dst, value []byte, kind Kind) []byte {
	value = bytes.TrimSpace(value)
	if len(value) == 0 || len(value) > maxValue {
		return dst
	}
	switch kind {
	case IPv4, IPv6:
		if a, ok := parseAddr(value); ok {
			return a.AppendTo(dst)
		}
	case CIDR:
		if p, ok := parsePrefix(value); ok {
			return p.AppendTo(dst)
		}
	case Domain:
		return appendHost(dst, value)
	case URL:
		return appendURL(dst, value)
	case Email:
		return appendEmail(dst, value)
	case MD5, JA3:
		return appendHex(dst, value, 32)
	case SHA1, Certificate:
		return appendHex(dst, value, 40)
	case SHA256:
		return appendHex(dst, value, 64)
	case SHA512:
		return appendHex(dst, value, 128)
	}
	return dst
}

func appendHex(dst, value []byte, digits int) []byte {
	if len(value) != digits {
		return dst
	}
	start := len(dst)
	for _, c := range value {
		switch {
		case c-'0' < 10, c >= 'a' && c <= 'f':
		case c >= 'A' && c <= 'F':
			c |= 0x20
		default:
			return dst[:start]
		}
		dst = append(dst, c)
	}
	return dst
}

// parseAddr reads an address; IPv4 in IPv6 is IPv4.
func parseAddr(text []byte) (netip.Addr, bool) {
	a, ok := address.Parse(text)
	return a.Unmap(), ok
}

func parsePrefix(text []byte) (netip.Prefix, bool) {
	slash := bytes.IndexByte(text, '/')
	if slash < 0 {
		a, ok := parseAddr(text)
		return netip.PrefixFrom(a, a.BitLen()), ok
	}
	mapped := bytes.IndexByte(text, ':') >= 0
	a, ok := parseAddr(text[:slash])
	digits := text[slash+1:]
	if !ok || len(digits) == 0 || len(digits) > 3 {
		return netip.Prefix{}, false
	}
	bits := 0
	for _, c := range digits {
		if c-'0' >= 10 {
			return netip.Prefix{}, false
		}
		bits = bits*10 + int(c-'0')
	}
	if mapped && a.Is4() {
		bits -= 96
	}
	p, err := a.Prefix(bits)
	return p, err == nil
}

// appendHost appends the name of a host. A name whose last label is a number is none: it would be an address (RFC 3696, 2).
func appendHost(dst, value []byte) []byte {
	start := len(dst)
	value = bytes.TrimSuffix(bytes.TrimPrefix(value, []byte("*.")), []byte("."))
	dst = append(dst, value...)
	out := dst[start:]
	label, digits := 0, 0
	for i, c := range out {
		switch class := hostBytes[c]; {
		case class == hostLetter:
		case c == '.':
			if label == 0 {
				return dst[:start]
			}
			label, digits = 0, 0
			continue
		case class == hostDigit:
			digits++
		case class == hostUpper:
			out[i] = c | 0x20
		case c >= utf8.RuneSelf:
			return appendIDN(dst[:start], value)
		case c != '-' || label == 0 && i == 0:
			return dst[:start]
		}
		if label++; label > 63 {
			return dst[:start]
		}
	}
	if label == 0 || label == digits || len(dst)-start > 253 {
		return dst[:start]
	}
	return dst
}

// Classes of the bytes of a name.
const (
	hostOther uint8 = iota
	hostLetter
	hostUpper
	hostDigit
)

var hostBytes = func() (t [256]uint8) {
	for c := byte('a'); c <= 'z'; c++ {
		t[c], t[c-'a'+'A'] = hostLetter, hostUpper
	}
	for c := byte('0'); c <= '9'; c++ {
		t[c] = hostDigit
	}
	t['_'] = hostLetter
	return t
}()

// appendIDN maps a name with letters beyond ASCII to A-labels, as browsers do (UTS 46).
func appendIDN(dst, value []byte) []byte {
	if !utf8.Valid(value) || len(value) > 1024 {
		return dst
	}
	name, err := idna.Lookup.ToASCII(string(value))
	if err != nil {
		// Names with _ and the like are in use, and no registry's business.
		if name, err = idna.Punycode.ToASCII(strings.ToLower(string(value))); err != nil {
			return dst
		}
	}
	for i := range len(name) {
		if name[i] >= utf8.RuneSelf {
			return dst
		}
	}
	return appendHost(dst, []byte(name))
}

// appendEmail takes the plain form name@host. The name is folded too: mail systems that tell its case apart are not in use.
func appendEmail(dst, value []byte) []byte {
	at := bytes.LastIndexByte(value, '@')
	if at <= 0 || at > 64 {
		return dst
	}
	start := len(dst)
	for _, c := range value[:at] {
		switch {
		case c <= ' ', c == '"', c == '\\', c == '<', c == '>', c == '(', c == ')', c == ',', c == ';', c == ':', c == '@', c == 0x7f:
			return dst[:start]
		case c >= 'A' && c <= 'Z':
			c |= 0x20
		}
		dst = append(dst, c)
	}
	if !utf8.Valid(value[:at]) {
		return dst[:start]
	}
	dst = append(dst, '@')
	host := len(dst)
	if dst = appendHost(dst, value[at+1:]); len(dst) == host {
		return dst[:start]
	}
	return dst
}
