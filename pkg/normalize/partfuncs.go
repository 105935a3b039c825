package normalize

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// urlParts and mailParts are what may stand behind `| url` and `| email`.
var (
	urlParts  = []string{"scheme", "user", "host", "port", "path", "query", "fragment"}
	mailParts = []string{"address", "name", "local", "domain"}
)

// checkPart checks the argument of a function that takes one of a few words.
func checkPart(function, arg string) error {
	parts := map[string][]string{"url": urlParts, "email": mailParts, "user_agent": agentParts}[function]
	if parts != nil && !slices.Contains(parts, arg) {
		return fmt.Errorf("function %q wants one of %s, found %q", function, strings.Join(parts, ", "), arg)
	}
	return nil
}

// urlCall gives a part of a URL (RFC 3986).
func urlCall(r *runner, c *call, v value) value {
	return text(urlPart(r.textOf(v), string(c.arg)))
}

func urlPart(u []byte, part string) []byte {
	u, fragment, _ := bytes.Cut(u, []byte("#"))
	u, query, _ := bytes.Cut(u, []byte("?"))
	var scheme, authority []byte
	path := u
	if i := bytes.Index(u, schemeMark); i > 0 {
		scheme = u[:i]
		authority = u[i+len(schemeMark):]
		path = nil
		if j := bytes.IndexByte(authority, '/'); j >= 0 {
			authority, path = authority[:j], authority[j:]
		}
	}
	var user []byte
	if i := bytes.LastIndexByte(authority, '@'); i >= 0 {
		user, _, _ = bytes.Cut(authority[:i], []byte(":"))
		authority = authority[i+1:]
	}
	host, port := authority, []byte(nil)
	if i := bytes.LastIndexByte(authority, ':'); i >= 0 && bytes.IndexByte(authority[i:], ']') < 0 {
		host, port = authority[:i], authority[i+1:]
	}
	switch part {
	case "scheme":
		return scheme
	case "user":
		return user
	case "host":
		return bytes.Trim(host, "[]")
	case "port":
		return port
	case "path":
		return path
	case "query":
		return query
	}
	return fragment
}

// parameterCall gives the value of a parameter of a URL or of its query, with %XX and + decoded.
func parameterCall(r *runner, c *call, v value) value {
	t := r.textOf(v)
	t, _, _ = bytes.Cut(t, []byte("#"))
	if i := bytes.IndexByte(t, '?'); i >= 0 {
		t = t[i+1:]
	}
	for len(t) > 0 {
		var pair []byte
		pair, t, _ = bytes.Cut(t, []byte("&"))
		if name, val, ok := bytes.Cut(pair, []byte("=")); ok && string(name) == string(c.arg) {
			return urldecodeCall(r, c, text(bytes.ReplaceAll(val, []byte("+"), []byte(" "))))
		}
	}
	return value{}
}

// emailCall gives a part of a mailbox (RFC 5322 section 3.4): "Ann Lee" <ann@example.org>, or the address alone.
func emailCall(r *runner, c *call, v value) value {
	return text(mailPart(r.textOf(v), string(c.arg)))
}

func mailPart(t []byte, part string) []byte {
	t = bytes.TrimSpace(t)
	var name []byte
	address := t
	if i := bytes.LastIndexByte(t, '<'); i >= 0 {
		name = bytes.Trim(bytes.TrimSpace(t[:i]), `"`)
		address, _, _ = bytes.Cut(t[i+1:], []byte(">"))
	}
	at := bytes.LastIndexByte(address, '@')
	if at <= 0 || at == len(address)-1 {
		if part == "name" {
			return name
		}
		return nil
	}
	switch part {
	case "address":
		return address
	case "local":
		return address[:at]
	case "domain":
		return address[at+1:]
	}
	return name
}
