package respond

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"leat/internal/wildcard"
	"leat/pkg/event"
)

// Allow lists those that are never acted on. It is checked last, in the actor, for every kind of action, and where it
// can't be checked (an address that can't be read) nothing is done either.
//
// Names are compared without regard to case, compatibility forms, invisible characters and surrounding space. A user
// without a domain stands for that user in every domain (administrator: also CORP\Administrator and
// administrator@corp.example); a host without a dot for every host with that first label. * and ? are wild cards.
// Addresses are compared as addresses: IPv4 mapped into IPv6 is IPv4.
type Allow struct {
	Users  Words `yaml:"users"`
	Groups Words `yaml:"groups"`
	Hosts  Words `yaml:"hosts"`
	CIDRs  Words `yaml:"cidrs"`
	// Fields maps any field to patterns, such as host.function: [Domain Controller].
	Fields map[string]Words `yaml:"fields"`

	nets   []netip.Prefix
	fields []fieldMatch
}

// Where an alert names its people, machines and addresses. Each field counts for the allow-list, also those that no play
// has as its target: one person has a name, an address and an id.
var (
	userFields  = []string{"user.name", "user.email", "user.id", "user.full_name", "user.target.name", "user.effective.name", "user.changes.name", "related.user", "source.user.name", "destination.user.name", "client.user.name", "server.user.name"}
	groupFields = []string{"user.group.name", "user.group.id", "user.roles", "user.target.group.name", "user.effective.group.name", "group.name"}
	hostFields  = []string{"host.name", "host.hostname", "host.id", "related.hosts", "source.domain", "destination.domain", "agent.name"}
	addrFields  = []string{"source.ip", "source.address", "destination.ip", "destination.address", "client.ip", "server.ip", "host.ip", "related.ip", "source.nat.ip", "destination.nat.ip"}
)

func (a *Allow) compile() (err error) {
	for _, list := range []struct {
		name  string
		words Words
	}{{"users", a.Users}, {"groups", a.Groups}, {"hosts", a.Hosts}} {
		for _, w := range list.words {
			if fold(w) == "" {
				return fmt.Errorf("allow %s: an empty name", list.name)
			}
		}
	}
	for _, w := range a.CIDRs {
		if addr, aerr := netip.ParseAddr(w); aerr == nil {
			addr = plain(addr)
			a.nets = append(a.nets, netip.PrefixFrom(addr, addr.BitLen()))
			continue
		}
		net, perr := netip.ParsePrefix(w)
		if perr != nil {
			return fmt.Errorf("allow cidrs: %q is no address or network; expected one such as 10.0.0.0/8 or 2001:db8::/32", w)
		}
		if net.Addr().Is4In6() && net.Bits() >= 96 {
			net = netip.PrefixFrom(net.Addr().Unmap(), net.Bits()-96)
		}
		a.nets = append(a.nets, net.Masked())
	}
	a.fields, err = compileFields(a.Fields)
	if err != nil {
		return fmt.Errorf("allow %w", err)
	}
	return nil
}

// refuses tells why the target must not be acted on; nil = it may be. e is the alert.
func (a *Allow) refuses(e *event.Event, t targetField, value string) error {
	for i := range a.fields {
		if a.fields[i].match(e) {
			return fmt.Errorf("allow-listed by field %s", a.fields[i].path)
		}
	}
	switch t.kind {
	case kindUser:
		return firstNo(a.user(value), func() error { return a.sameUser(e, t) })
	case kindHost:
		return firstNo(a.host(value), func() error { return a.sameHost(e, t) })
	case kindAddr:
		return firstNo(a.addr(value, true), func() error { return a.addrOf(e, t, value) })
	case kindOther:
		// It may be the name of anything: ask every list.
		return firstNo(a.user(value), func() error {
			return firstNo(a.group(value), func() error { return firstNo(a.host(value), func() error { return a.addr(value, false) }) })
		})
	}
	return a.whole(e)
}

func firstNo(err error, then func() error) error {
	if err != nil {
		return err
	}
	return then()
}

// sameUser checks the other names of the user that the target field names one of, and the user's groups.
func (a *Allow) sameUser(e *event.Event, t targetField) error {
	base := parent(t.path)
	for _, leaf := range []string{"name", "email", "id", "full_name"} {
		if err := each(e, join(base, leaf), a.user); err != nil {
			return err
		}
	}
	for _, f := range []string{join(base, "group.name"), join(base, "group.id"), join(base, "roles")} {
		if err := each(e, f, a.group); err != nil {
			return err
		}
	}
	return nil
}

// sameHost checks the other names and the addresses of the host that the target field names.
func (a *Allow) sameHost(e *event.Event, t targetField) error {
	base := parent(t.path)
	for _, leaf := range []string{"name", "hostname", "id"} {
		if err := each(e, join(base, leaf), a.host); err != nil {
			return err
		}
	}
	return each(e, join(base, "ip"), func(s string) error { return a.addr(s, false) })
}

// addrOf checks the names of the machine whose address the target is: the host itself, where host.ip has it, and the domain
// beside it (source.domain for source.ip).
func (a *Allow) addrOf(e *event.Event, t targetField, value string) error {
	base := parent(t.path)
	for _, leaf := range []string{"name", "hostname", "domain"} {
		if err := each(e, join(base, leaf), a.host); err != nil {
			return err
		}
	}
	own := false
	addr, ok := parseAddr(value)
	_ = each(e, "host.ip", func(s string) error {
		have, good := parseAddr(s)
		own = own || s == value || ok && good && have == addr
		return nil
	})
	if !own {
		return nil
	}
	for _, f := range []string{"host.name", "host.hostname", "host.id"} {
		if err := each(e, f, a.host); err != nil {
			return err
		}
	}
	return nil
}

// whole checks everything that the alert names.
func (a *Allow) whole(e *event.Event) error {
	addr := func(s string) error { return a.addr(s, false) }
	for _, set := range []struct {
		fields []string
		check  func(string) error
	}{{userFields, a.user}, {groupFields, a.group}, {hostFields, a.host}, {addrFields, addr}} {
		for _, f := range set.fields {
			if err := each(e, f, set.check); err != nil {
				return err
			}
		}
	}
	return nil
}

func parent(p event.Path) []string { return p.Keys()[:len(p.Keys())-1] }

func join(base []string, leaf string) string {
	return event.KeyPath(base...).String() + "." + leaf
}

func each(e *event.Event, field string, check func(string) error) (err error) {
	path, perr := event.ParsePath(strings.TrimPrefix(field, "."))
	if perr != nil {
		return perr
	}
	e.Get(path).Elements(func(v event.Value) bool {
		if v.Kind != event.Null {
			err = check(v.String())
		}
		return err == nil
	})
	return err
}

func (a *Allow) user(s string) error {
	full := strings.TrimRight(fold(s), ".")
	bare := full
	if i := strings.LastIndexByte(bare, '\\'); i >= 0 {
		bare = bare[i+1:]
	}
	if i := strings.IndexByte(bare, '@'); i > 0 {
		bare = bare[:i]
	}
	for _, w := range a.Users {
		w := strings.TrimRight(fold(w), ".")
		if wildcard.Match(w, full) || !strings.ContainsAny(w, `\@`) && wildcard.Match(w, strings.TrimSpace(bare)) {
			return fmt.Errorf("allow-listed user %q", w)
		}
	}
	return nil
}

func (a *Allow) group(s string) error {
	full := fold(s)
	bare := full
	if i := strings.LastIndexByte(bare, '\\'); i >= 0 {
		bare = bare[i+1:]
	}
	if cn, ok := strings.CutPrefix(bare, "cn="); ok {
		bare, _, _ = strings.Cut(cn, ",")
	}
	for _, w := range a.Groups {
		if w := fold(w); wildcard.Match(w, full) || wildcard.Match(w, strings.TrimSpace(bare)) {
			return fmt.Errorf("allow-listed group %q", w)
		}
	}
	return nil
}

func (a *Allow) host(s string) error {
	full := strings.TrimRight(fold(s), ".$")
	label, _, _ := strings.Cut(full, ".")
	for _, w := range a.Hosts {
		w := strings.TrimRight(fold(w), ".$")
		if wildcard.Match(w, full) || !strings.Contains(w, ".") && wildcard.Match(w, label) {
			return fmt.Errorf("allow-listed host %q", w)
		}
	}
	if _, ok := parseAddr(s); ok {
		return a.addr(s, false)
	}
	return nil
}

var errNoAddr = errors.New("the target is no address, so the allow-list can't be checked")

// addr checks an address. With strict, a text that is none is refused as long as any network is listed.
func (a *Allow) addr(s string, strict bool) error {
	addr, ok := parseAddr(fold(s))
	if !ok {
		if strict && len(a.nets) > 0 {
			return errNoAddr
		}
		return nil
	}
	for _, n := range a.nets {
		if n.Contains(addr) {
			return fmt.Errorf("allow-listed network %s", n)
		}
	}
	return nil
}
