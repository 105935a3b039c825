package normalize

import "bytes"

// dnCall gives the values of one attribute type in a distinguished name (RFC 4514), joined with dots: of dc that is the
// domain (RFC 2247). Nothing where the name has no such attribute.
func dnCall(r *runner, c *call, v value) value {
	t := r.textOf(v)
	start := len(r.mem)
	for len(t) > 0 {
		var rdn []byte
		rdn, t = cutRDN(t)
		name, val, ok := bytes.Cut(rdn, []byte("="))
		if !ok || !bytes.EqualFold(bytes.TrimSpace(name), c.arg) {
			continue
		}
		if len(r.mem) > start {
			r.mem = append(r.mem, '.')
		}
		r.mem = appendUnescapedDN(r.mem, bytes.TrimSpace(val))
	}
	return text(r.mem[start:len(r.mem):len(r.mem)])
}

// cutRDN splits the first name=value off; a backslash takes the comma behind it its meaning.
func cutRDN(t []byte) (rdn, rest []byte) {
	for i := 0; i < len(t); i++ {
		switch t[i] {
		case '\\':
			i++
		case ',', ';', '+':
			return t[:i], t[i+1:]
		}
	}
	return t, nil
}

// appendUnescapedDN appends a value without its backslashes (RFC 4514 section 2.4): \, and \2C are commas.
func appendUnescapedDN(dst, val []byte) []byte {
	for i := 0; i < len(val); i++ {
		if val[i] != '\\' || i+1 == len(val) {
			dst = append(dst, val[i])
			continue
		}
		i++
		if i+1 < len(val) && hexDigit(val[i]) >= 0 && hexDigit(val[i+1]) >= 0 {
			dst = append(dst, byte(hexDigit(val[i])<<4|hexDigit(val[i+1])))
			i++
			continue
		}
		dst = append(dst, val[i])
	}
	return dst
}

func hexDigit(c byte) int {
	switch {
	case c-'0' < 10:
		return int(c - '0')
	case c|0x20-'a' < 6:
		return int(c|0x20-'a') + 10
	}
	return -1
}
