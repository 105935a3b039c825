package normalize

import (
	"bytes"
	"strings"

	"golang.org/x/net/publicsuffix"
)

// domainParts says where the parts of a domain name begin in it: the part that can be registered, and the public suffix. Both are 0
// where the name has none that anybody could register: an address, a single label, a name below no public suffix.
type domainParts struct{ registered, suffix int }

// splitDomain reads a name by the ICANN section of the public suffix list: bucket.s3.amazonaws.com belongs to amazonaws.com. What
// companies let their customers name (the list's private section) does not count.
func splitDomain(name []byte) domainParts {
	name = withoutDot(name)
	if len(name) < 3 || len(name) > 253 || bytes.IndexByte(name, '.') <= 0 || bytes.Contains(name, []byte("..")) || bytes.IndexByte(name, ':') >= 0 {
		return domainParts{}
	}
	for _, c := range name {
		if c <= ' ' || c >= 0x7f || c == '/' || c == '@' {
			return domainParts{}
		}
	}
	if _, isAddress := parseAddr(name); isAddress {
		return domainParts{}
	}
	low := strings.ToLower(string(name))
	suffix, icann := publicsuffix.PublicSuffix(low)
	for !icann {
		// A private suffix lies below one of ICANN's; one without a dot is on no list.
		i := strings.IndexByte(suffix, '.')
		if i < 0 {
			return domainParts{}
		}
		suffix, icann = publicsuffix.PublicSuffix(suffix[i+1:])
	}
	at := len(low) - len(suffix)
	if at < 2 {
		return domainParts{} // the name is a suffix itself
	}
	return domainParts{registered: strings.LastIndexByte(low[:at-1], '.') + 1, suffix: at}
}

func withoutDot(name []byte) []byte { return bytes.TrimSuffix(name, []byte(".")) }

// domain returns the parts of a name; all are empty where nobody can have registered it.
func (r *runner) domain(name []byte) (registered, suffix, subdomain []byte) {
	p := r.domains.get(name, splitDomain)
	if p.suffix == 0 {
		return nil, nil, nil
	}
	name = withoutDot(name)
	if p.registered > 0 {
		subdomain = name[:p.registered-1]
	}
	return name[p.registered:], name[p.suffix:], subdomain
}

func registeredCall(r *runner, _ *call, v value) value {
	d, _, _ := r.domain(r.textOf(v))
	return text(d)
}

func suffixCall(r *runner, _ *call, v value) value {
	_, s, _ := r.domain(r.textOf(v))
	return text(s)
}

func subdomainCall(r *runner, _ *call, v value) value {
	_, _, s := r.domain(r.textOf(v))
	return text(s)
}
