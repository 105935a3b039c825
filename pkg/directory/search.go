package directory

import (
	"context"
	"errors"
	"fmt"
	"strings"

	ldap "github.com/go-ldap/ldap/v3"
)

// Controls of [MS-ADTS] 3.1.1.3.4.1.
const (
	oidExtendedDN  = "1.2.840.113556.1.4.529"
	oidShowDeleted = "1.2.840.113556.1.4.417"
)

// extendedNames asks for DNs that bear the GUID of what they name: it stays where names change. The value is
// SEQUENCE { INTEGER 1 }: GUIDs as text.
func extendedNames() ldap.Control {
	return ldap.NewControlString(oidExtendedDN, true, "\x30\x03\x02\x01\x01")
}

func showDeleted() ldap.Control { return ldap.NewControlString(oidShowDeleted, true, "") }

var errTooMany = errors.New("the directory is too big")

// query is a search below a base.
type query struct {
	base     string
	scope    int
	filter   string
	attrs    []string
	controls []ldap.Control
}

// request makes the search's request.
func (s *Source) request(q query, extra ...ldap.Control) *ldap.SearchRequest {
	return ldap.NewSearchRequest(q.base, q.scope, ldap.NeverDerefAliases, 0, 0, false, q.filter, q.attrs,
		append(q.controls[:len(q.controls):len(q.controls)], extra...))
}

// paged calls add for each entry, page by page. Referrals to other servers are not followed.
func (s *Source) paged(ctx context.Context, c *conn, q query, add func(*ldap.Entry) error) error {
	page := ldap.NewControlPaging(uint32(s.cfg.Page))
	for seen := 0; ; {
		res, err := c.search(ctx, s.request(q, page), s.cfg.Timeout)
		if err != nil {
			return fmt.Errorf("search %q: %w", q.base, err)
		}
		if seen += len(res.Entries); seen > s.cfg.MaxEntries {
			return fmt.Errorf("search %q: %w: more than max_entries (%d)", q.base, errTooMany, s.cfg.MaxEntries)
		}
		for _, e := range res.Entries {
			if err := add(e); err != nil {
				return err
			}
		}
		next, _ := ldap.FindControl(res.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging)
		if next == nil || len(next.Cookie) == 0 {
			return nil
		}
		if len(res.Entries) == 0 {
			return fmt.Errorf("search %q: the server sends empty pages", q.base)
		}
		page.SetCookie(next.Cookie)
	}
}

// dirSync calls add for each entry that changed since the cookie (none: for all), and returns the cookie for next time.
func (s *Source) dirSync(ctx context.Context, c *conn, q query, flags int64, cookie []byte, add func(*ldap.Entry) error) ([]byte, error) {
	for seen, idle := 0, 0; ; {
		// Samba knows no pages here: all comes in one answer.
		res, err := c.search(ctx, s.request(q, ldap.NewRequestControlDirSync(flags, maxMessage, cookie)), 5*s.cfg.Timeout)
		if err != nil {
			return nil, fmt.Errorf("DirSync %q: %w", q.base, err)
		}
		if seen += len(res.Entries); seen > s.cfg.MaxEntries {
			return nil, fmt.Errorf("DirSync %q: %w: more than max_entries (%d)", q.base, errTooMany, s.cfg.MaxEntries)
		}
		for _, e := range res.Entries {
			if err := add(e); err != nil {
				return nil, err
			}
		}
		next, _ := ldap.FindControl(res.Controls, ldap.ControlTypeDirSync).(*ldap.ControlDirSync)
		if next == nil || len(next.Cookie) == 0 {
			return nil, fmt.Errorf("DirSync %q: the server's answer has no cookie", q.base)
		}
		cookie = next.Cookie
		// The flags of an answer say whether there is more.
		if next.Flags == 0 {
			return cookie, nil
		}
		// Where nothing on a page may be seen, pages are empty; a server that sends nothing else is not waited for.
		if len(res.Entries) > 0 {
			idle = 0
		} else if idle++; idle > 10_000 {
			return nil, fmt.Errorf("DirSync %q: the server sends empty pages", q.base)
		}
	}
}

// one reads a single entry.
func (s *Source) one(ctx context.Context, c *conn, base string, attrs []string, controls ...ldap.Control) (*ldap.Entry, error) {
	q := query{base: base, scope: ldap.ScopeBaseObject, filter: "(objectClass=*)", attrs: attrs, controls: controls}
	res, err := c.search(ctx, s.request(q), s.cfg.Timeout)
	if err != nil {
		return nil, fmt.Errorf("read %q: %w", base, err)
	}
	if len(res.Entries) != 1 {
		return nil, fmt.Errorf("read %q: %d entries", base, len(res.Entries))
	}
	return res.Entries[0], nil
}

// remaining reads the values of an attribute from the given one on, of an object that has too many for one answer.
func (s *Source) remaining(ctx context.Context, c *conn, base, attr string, from int, controls ...ldap.Control) ([]string, error) {
	var out []string
	for size := 0; ; {
		e, err := s.one(ctx, c, base, []string{fmt.Sprintf("%s;range=%d-*", attr, from)}, controls...)
		if err != nil {
			return nil, err
		}
		next := 0
		for _, a := range e.Attributes {
			name, n := ranged(a.Name)
			if !strings.EqualFold(name, attr) {
				continue
			}
			next = n
			for _, v := range a.Values {
				size += len(v)
			}
			out = append(out, a.Values...)
		}
		if next == 0 {
			return out, nil
		}
		if next <= from || size > int(s.maxAnswer) {
			return nil, fmt.Errorf("read %q: the ranges of %s do not end", base, attr)
		}
		from = next
	}
}
