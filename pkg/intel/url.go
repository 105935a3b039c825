package intel

import "bytes"

// appendURL appends an absolute URL in canonical form.
func appendURL(dst, value []byte) []byte {
	start := len(dst)
	colon := bytes.Index(value, []byte("://"))
	if colon <= 0 || colon > 16 {
		return dst
	}
	for i, c := range value[:colon] {
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if (c < 'a' || c > 'z') && (i == 0 || c-'0' >= 10 && c != '+' && c != '-' && c != '.') {
			return dst[:start]
		}
		dst = append(dst, c)
	}
	scheme := dst[start:]
	dst = append(dst, "://"...)
	rest := value[colon+3:]
	end := 0
	for end < len(rest) && rest[end] != '/' && rest[end] != '?' && rest[end] != '#' && rest[end] != '\\' {
		end++
	}
	authority, rest := rest[:end], rest[end:]
	if at := bytes.LastIndexByte(authority, '@'); at >= 0 {
		authority = authority[at+1:]
	}
	host := len(dst)
	port := defaultPort(scheme)
	if dst = appendAuthority(dst, authority, port); len(dst) == host {
		return dst[:start]
	}
	if hash := bytes.IndexByte(rest, '#'); hash >= 0 {
		rest = rest[:hash]
	}
	path, query := rest, []byte(nil)
	if q := bytes.IndexByte(rest, '?'); q >= 0 {
		path, query = rest[:q], rest[q+1:]
	}
	at := len(dst)
	if len(path) == 0 {
		dst = append(dst, '/')
	}
	dst = appendEscaped(dst, path, true)
	dst = dst[:at+removeDots(dst[at:])]
	if len(query) > 0 {
		dst = appendEscaped(append(dst, '?'), query, false)
	}
	if len(dst)-start > maxValue {
		return dst[:start]
	}
	return dst
}

func defaultPort(scheme []byte) string {
	switch string(scheme) {
	case "http", "ws":
		return "80"
	case "https", "wss":
		return "443"
	case "ftp":
		return "21"
	}
	return ""
}

// appendAuthority appends host and port, or nothing where they are none.
func appendAuthority(dst, authority []byte, port string) []byte {
	start := len(dst)
	host, number := authority, []byte(nil)
	if len(host) > 0 && host[0] == '[' {
		end := bytes.IndexByte(host, ']')
		if end < 0 {
			return dst
		}
		a, ok := parseAddr(host[1:end])
		if !ok {
			return dst
		}
		number = host[end+1:]
		if a.Is4() {
			dst = a.AppendTo(dst)
		} else {
			dst = append(a.AppendTo(append(dst, '[')), ']')
		}
	} else {
		if colon := bytes.LastIndexByte(host, ':'); colon >= 0 {
			host, number = host[:colon], host[colon:]
		}
		if a, ok := parseAddr(host); ok && a.Is4() {
			dst = a.AppendTo(dst)
		} else {
			dst = appendHost(dst, host)
		}
		if len(dst) == start {
			return dst
		}
	}
	if len(number) == 0 {
		return dst
	}
	if number[0] != ':' || len(number) > 6 {
		return dst[:start]
	}
	number = bytes.TrimLeft(number[1:], "0")
	for _, c := range number {
		if c-'0' >= 10 {
			return dst[:start]
		}
	}
	if len(number) == 0 || string(number) == port {
		return dst
	}
	return append(append(dst, ':'), number...)
}

const upperHex = "0123456789ABCDEF"

// appendEscaped appends a path or query with escapes only where the syntax needs them: those of unreserved characters are resolved, others
// are in upper case, and what may not stand in a URL is escaped. With slashes a backslash is a slash, as browsers take it.
func appendEscaped(dst, s []byte, slashes bool) []byte {
	for i := 0; i < len(s); i++ {
		run := i
		for i < len(s) && urlBytes[s[i]] {
			i++
		}
		if dst = append(dst, s[run:i]...); i == len(s) {
			break
		}
		c := s[i]
		switch {
		case c == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			c = hexValue(s[i+1])<<4 | hexValue(s[i+2])
			if isUnreserved(c) {
				dst = append(dst, c)
			} else {
				dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
			}
			i += 2
		case c == '\\' && slashes:
			dst = append(dst, '/')
		default:
			dst = append(dst, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return dst
}

// urlBytes are those that stand for themselves in a path or query (RFC 3986, 3.3 and 3.4; also [ and ], which browsers let pass).
var urlBytes = func() (t [256]bool) {
	for c := byte('!'); c < 0x7f; c++ {
		t[c] = bytes.IndexByte([]byte("\"%<>\\^`{|}"), c) < 0
	}
	return t
}()

func isUnreserved(c byte) bool {
	return c-'0' < 10 || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '-' || c == '.' || c == '_' || c == '~'
}

func isHex(c byte) bool { return c-'0' < 10 || c|0x20 >= 'a' && c|0x20 <= 'f' }

func hexValue(c byte) byte {
	if c-'0' < 10 {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}

// removeDots takes the segments . and .. out of the path p, in place (RFC 3986, 5.2.4), and returns its new length.
func removeDots(p []byte) int {
	if !bytes.Contains(p, []byte("/.")) {
		return len(p)
	}
	n := 0
	for i := 0; i < len(p); {
		end := i + 1
		for end < len(p) && p[end] != '/' {
			end++
		}
		switch seg := p[i:end]; {
		case string(seg) == "/.":
			if end == len(p) {
				p[n] = '/'
				n++
			}
		case string(seg) == "/..":
			for n > 0 {
				if n--; p[n] == '/' {
					break
				}
			}
			if end == len(p) {
				p[n] = '/'
				n++
			}
		default:
			n += copy(p[n:], seg)
		}
		i = end
	}
	return n
}
