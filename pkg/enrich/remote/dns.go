package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"leat/pkg/dimension"
	"leat/pkg/event"
)

// DNSConfig asks the DNS for the names of addresses (PTR, RFC 1035 3.5). A row has name, the first one, and names, all.
type DNSConfig struct {
	// Server is address:port, or an address; empty: the system's.
	Server string `yaml:"server"`
	// Only is private (RFC 1918, RFC 4193), global (neither private, loopback, link-local nor multicast) or all (default).
	// What it leaves out is a miss, and nobody is asked: names of global addresses are chosen by who owns them.
	Only string `yaml:"only"`
}

// maxNames is how many names of an address are taken.
const maxNames = 16

// Check fills in what was left out and returns what is wrong.
func (c *DNSConfig) Check() (bad []dimension.Complaint) {
	if c.Only == "" {
		c.Only = "all"
	}
	if !slices.Contains([]string{"all", "private", "global"}, c.Only) {
		bad = append(bad, dimension.Complaint{Key: "only", Message: fmt.Sprintf("only %q; expected private, global or all", c.Only)})
	}
	if c.Server == "" {
		return bad
	}
	if a, err := netip.ParseAddr(c.Server); err == nil {
		c.Server = netip.AddrPortFrom(a, 53).String()
	}
	if _, err := netip.ParseAddrPort(c.Server); err != nil {
		bad = append(bad, dimension.Complaint{Key: "server", Message: "not an address; expected one such as 192.0.2.53 or 192.0.2.53:53"})
	}
	return bad
}

func (c *DNSConfig) open() Backend {
	b := &dnsBackend{only: c.Only, resolver: &net.Resolver{PreferGo: true}}
	if c.Server != "" {
		b.resolver.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, c.Server)
		}
	}
	return b
}

type dnsBackend struct {
	only     string
	resolver *net.Resolver
}

// Lookup asks for each address.
func (b *dnsBackend) Lookup(ctx context.Context, keys []string) (map[string][]byte, error) {
	out := map[string][]byte{}
	for _, k := range keys {
		a, err := netip.ParseAddr(k)
		if err != nil || !b.wants(a.Unmap().WithZone("")) {
			continue
		}
		names, err := b.resolver.LookupAddr(ctx, a.Unmap().WithZone("").String())
		var d *net.DNSError
		if errors.As(err, &d) && d.IsNotFound {
			continue
		}
		// Names that are none are left out by the library, which says so beside those that are.
		if err != nil && len(names) == 0 {
			if d != nil {
				return nil, fmt.Errorf("ask the DNS: %s", d.Err)
			}
			return nil, fmt.Errorf("ask the DNS: %w", err)
		}
		if row := nameRow(names); row != nil {
			out[k] = row
		}
	}
	return out, nil
}

func (b *dnsBackend) wants(a netip.Addr) bool {
	switch b.only {
	case "private":
		return a.IsPrivate()
	case "global":
		return a.IsGlobalUnicast() && !a.IsPrivate()
	}
	return true
}

// nameRow makes a row of names, without the dot at their ends, in order: servers turn theirs about.
func nameRow(names []string) []byte {
	var all []string
	for _, n := range names {
		if n = strings.ToLower(strings.TrimSuffix(n, ".")); n != "" {
			all = append(all, n)
		}
	}
	if len(all) == 0 {
		return nil
	}
	slices.Sort(all)
	all = slices.Compact(all)
	all = all[:min(len(all), maxNames)]
	row := append(event.AppendString([]byte(`{"name":`), all[0]), `,"names":[`...)
	for i, n := range all {
		if i > 0 {
			row = append(row, ',')
		}
		row = event.AppendString(row, n)
	}
	return append(row, "]}"...)
}
