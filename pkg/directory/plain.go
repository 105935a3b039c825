package directory

import (
	"context"
	"fmt"
	"strings"

	ldap "github.com/go-ldap/ldap/v3"
)

// syncPlain reads what changed in a plain directory, or all. A changed entry has a modifyTimestamp (RFC 4512 section 3.4.4)
// of a second that is not over yet when it is read, so that second is asked for again.
func (s *Source) syncPlain(ctx context.Context, c *conn) error {
	now := s.env.Now()
	if s.objects == nil || s.state.Mode == syncFull || now.Sub(s.state.Full) >= s.cfg.Resync {
		return s.fullPlain(ctx, c)
	}
	q := s.plainQuery()
	q.filter = "(&(modifyTimestamp>=" + ldap.EscapeFilter(s.state.Modified) + ")" + s.cfg.Filter + ")"
	var changes []change
	newest, _, err := s.readPlain(ctx, c, q, &changes)
	if err != nil {
		return err
	}
	s.take(changes, true)
	s.state.Modified = max(s.state.Modified, newest)
	if now.Sub(s.state.Reconciled) < s.cfg.Reconcile {
		return nil
	}
	// Deleted entries leave no trace, nor do those that the filter no longer takes.
	q = s.plainQuery()
	q.attrs = []string{"entryUUID"}
	if err := s.list(ctx, c, q, plainID); err != nil {
		return err
	}
	s.state.Reconciled = now
	return nil
}

func (s *Source) plainQuery() query {
	return query{base: s.cfg.Base, scope: ldap.ScopeWholeSubtree, filter: s.cfg.Filter,
		attrs: append(append([]string{}, s.attrs...), "entryUUID", "modifyTimestamp")}
}

// fullPlain reads everything.
func (s *Source) fullPlain(ctx context.Context, c *conn) error {
	now := s.env.Now()
	st := state{Config: s.state.Config, Server: c.url, Full: now, Reconciled: now, Mode: syncFull}
	var changes []change
	newest, all, err := s.readPlain(ctx, c, s.plainQuery(), &changes)
	if err != nil {
		return err
	}
	if all && s.cfg.Sync != syncFull {
		st.Mode, st.Modified = syncModified, newest
	} else if s.cfg.Sync == syncModified {
		return fmt.Errorf("search %q: entries without modifyTimestamp and entryUUID; expected both, or sync: full", s.cfg.Base)
	}
	next := make(objects, len(changes))
	next.apply(changes, true, len(s.attrs))
	if s.objects != nil && s.state.Mode == syncFull && st.Mode == syncFull && same(s.objects, next) {
		s.state.Full = now
		return nil
	}
	s.replace(&st, next)
	return nil
}

func same(a, b objects) bool {
	if len(a) != len(b) {
		return false
	}
	for id, o := range a {
		if p := b[id]; p == nil || *o != *p {
			return false
		}
	}
	return true
}

// readPlain reads entries; all: each has what is needed to find its changes.
func (s *Source) readPlain(ctx context.Context, c *conn, q query, changes *[]change) (newest string, all bool, err error) {
	all = true
	err = s.paged(ctx, c, q, func(e *ldap.Entry) error {
		ch := change{id: plainID(e), dn: e.DN, v: make(values, len(s.attrs))}
		for _, a := range e.Attributes {
			// Options such as ;lang-fr make other values of the same attribute; Active Directory gives long lists in parts.
			name, next := ranged(a.Name)
			code, ok := s.codes[strings.ToLower(name)]
			if !ok {
				continue
			}
			ch.v[code] = append(ch.v[code], a.Values...)
			if next > 0 {
				more, err := s.remaining(ctx, c, e.DN, name, next)
				if err != nil {
					return err
				}
				ch.v[code] = append(ch.v[code], more...)
			}
		}
		modified := e.GetEqualFoldAttributeValue("modifyTimestamp")
		_, ok := generalizedTime(modified)
		all = all && ok && e.GetEqualFoldAttributeValue("entryUUID") != ""
		newest = max(newest, modified)
		*changes = append(*changes, ch)
		return nil
	})
	// Nothing there: nothing to go on from.
	return newest, all && newest != "", err
}

func plainID(e *ldap.Entry) string {
	if id := e.GetEqualFoldAttributeValue("entryUUID"); id != "" {
		return id
	}
	return strings.ToLower(e.DN)
}
