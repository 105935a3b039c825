package normalize

import "bytes"

// splitHostPort splits HOST:PORT and [ADDRESS]:PORT. An IPv6 address without brackets is a host without a port, since every
// group of it could be one. port is empty where there is none.
func splitHostPort(t []byte) (host, port []byte) {
	if len(t) > 0 && t[0] == '[' {
		end := bytes.IndexByte(t, ']')
		if end < 0 {
			return t, nil
		}
		host, t = t[1:end], t[end+1:]
		if len(t) > 1 && t[0] == ':' && isPort(t[1:]) {
			port = t[1:]
		}
		return host, port
	}
	if i := bytes.IndexByte(t, ':'); i >= 0 && isPort(t[i+1:]) {
		return t[:i], t[i+1:]
	}
	return t, nil
}

// isPort tells whether t is a number from 0 to 65535.
func isPort(t []byte) bool {
	n := 0
	for _, c := range t {
		if c-'0' > 9 || n > 65535 {
			return false
		}
		n = n*10 + int(c-'0')
	}
	return len(t) > 0 && len(t) < 6 && n <= 65535
}

func addrCall(r *runner, _ *call, v value) value {
	host, _ := splitHostPort(r.textOf(v))
	if _, ok := parseAddr(host); !ok {
		return value{}
	}
	return text(host)
}

func portCall(r *runner, _ *call, v value) value {
	_, port := splitHostPort(r.textOf(v))
	return text(port)
}
