package intel

import "bytes"

// Classify tells what kind of indicator a text from a list is, and appends its canonical form to dst. Texts may be defanged (hxxp://,
// example[.]com). Unknown: it is none; then dst is returned as it is.
func Classify(dst, text []byte) ([]byte, Kind) {
	text = bytes.TrimSpace(text)
	if len(text) == 0 || len(text) > maxValue {
		return dst, Unknown
	}
	if bytes.ContainsAny(text, "[({") || hasPrefixFold(text, "hxx") || hasPrefixFold(text, "fxp") || hasPrefixFold(text, "meow") {
		text = refang(text)
	}
	start := len(dst)
	k := guess(text)
	if dst = AppendCanonical(dst, text, k); len(dst) > start {
		return dst, settle(dst[start:], k)
	}
	// 192.0.2.1:443, [2001:db8::1]:443 and host:443 stand for the host; host/path for an URL that lost its scheme.
	if host, ok := cutPort(text); ok {
		for _, k := range [...]Kind{IPv4, Domain} {
			if dst = AppendCanonical(dst, host, k); len(dst) > start && (k != Domain || bytes.IndexByte(dst[start:], '.') > 0) {
				return dst, settle(dst[start:], k)
			}
			dst = dst[:start]
		}
	}
	if slash := bytes.IndexByte(text, '/'); slash > 0 && bytes.IndexByte(text[:slash], '.') > 0 {
		if dst = AppendCanonical(dst, append([]byte("http://"), text...), URL); len(dst) > start {
			return dst, URL
		}
	}
	return dst[:start], Unknown
}

// guess is the kind that text could be, by its look.
func guess(text []byte) Kind {
	switch {
	case hashKind(len(text)) != Unknown && allHex(text):
		return hashKind(len(text))
	case bytes.Contains(text, []byte("://")):
		return URL
	case bytes.IndexByte(text, '@') > 0:
		return Email
	case bytes.IndexByte(text, '/') > 0:
		return CIDR
	}
	if _, ok := parseAddr(text); ok {
		return IPv4
	}
	if bytes.IndexByte(text, '.') > 0 || bytes.Contains(text, []byte("\u3002")) {
		return Domain
	}
	return Unknown
}

// settle corrects the kind of a canonical value: an address's family is told by its text, a block of one address is that address.
func settle(value []byte, k Kind) Kind {
	switch k {
	case IPv4, IPv6:
		if bytes.IndexByte(value, ':') >= 0 {
			return IPv6
		}
		return IPv4
	}
	return k
}

// single returns the address of a block of one address, or the value as it is.
func single(value []byte, k Kind) ([]byte, Kind) {
	if k == CIDR {
		if p, ok := parsePrefix(value); ok && p.IsSingleIP() {
			value = value[:bytes.IndexByte(value, '/')]
			return value, settle(value, IPv4)
		}
	}
	return value, k
}

func cutPort(text []byte) ([]byte, bool) {
	colon := bytes.LastIndexByte(text, ':')
	if colon <= 0 || colon+1 == len(text) || len(text)-colon > 6 {
		return nil, false
	}
	for _, c := range text[colon+1:] {
		if c-'0' >= 10 {
			return nil, false
		}
	}
	host := text[:colon]
	if host[0] == '[' && host[len(host)-1] == ']' {
		host = host[1 : len(host)-1]
	}
	return host, len(host) > 0
}

func allHex(text []byte) bool {
	for _, c := range text {
		if !isHex(c) {
			return false
		}
	}
	return true
}

// defanged are the ways to write a value so that nobody clicks on it.
var defanged = [...][2]string{
	{"[://]", "://"}, {"[:]", ":"}, {"[.]", "."}, {"(.)", "."}, {"{.}", "."}, {"[dot]", "."}, {"(dot)", "."}, {"{dot}", "."},
	{"[@]", "@"}, {"[at]", "@"}, {"(at)", "@"}, {"[/]", "/"}, {"[.", "."}, {".]", "."},
}

// refang returns the value that a defanged text stands for.
func refang(text []byte) []byte {
	out := make([]byte, 0, len(text))
next:
	for i := 0; i < len(text); {
		if c := text[i]; c == '[' || c == '(' || c == '{' || c == '.' {
			for _, d := range defanged {
				if hasPrefixFold(text[i:], d[0]) {
					out = append(out, d[1]...)
					i += len(d[0])
					continue next
				}
			}
		}
		out = append(out, text[i])
		i++
	}
	for _, s := range [...][2]string{{"hxxps:", "https:"}, {"hxxp:", "http:"}, {"fxp:", "ftp:"}, {"meow:", "http:"}, {"hxxps[", "https["}} {
		if hasPrefixFold(out, s[0]) {
			return append([]byte(s[1]), out[len(s[0]):]...)
		}
	}
	return out
}

func hasPrefixFold(text []byte, prefix string) bool {
	if len(text) < len(prefix) {
		return false
	}
	for i := range len(prefix) {
		c := text[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != prefix[i] {
			return false
		}
	}
	return true
}
