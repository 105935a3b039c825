package intel

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
)

// allowList knows what is benign: an indicator that is on it is left out, whatever a feed says.
type allowList struct {
	exact    map[string]struct{} // canonical values, with the kind's name and a space before each
	suffixes map[string]struct{} // names of hosts that stand for themselves and all below them
	above    map[string]struct{} // names above one of the list
	blocks   map[netip.Prefix]struct{}
	v4, v6   [129]bool // lengths that occur
	list     []netip.Prefix
}

func newAllowList() *allowList {
	return &allowList{exact: map[string]struct{}{}, suffixes: map[string]struct{}{}, above: map[string]struct{}{}, blocks: map[netip.Prefix]struct{}{}}
}

// special are the blocks that are nobody's on the Internet (RFC 6890 and its registries), or everybody's (multicast).
func special() []string {
	return []string{"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
		"192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
		"::/128", "::1/128", "64:ff9b:1::/48", "100::/64", "2001::/32", "2001:2::/48", "2001:db8::/32", "3fff::/20", "fc00::/7", "fe80::/10", "ff00::/8"}
}

// resolvers are the addresses and names of well-known public resolvers: malware asks them too, and feeds then list them.
func resolvers() []string {
	return []string{"1.1.1.1", "1.0.0.1", "2606:4700:4700::1111", "2606:4700:4700::1001", "8.8.8.8", "8.8.4.4", "2001:4860:4860::8888",
		"2001:4860:4860::8844", "9.9.9.9", "149.112.112.112", "2620:fe::fe", "2620:fe::9", "208.67.222.222", "208.67.220.220", "2620:119:35::35",
		"2620:119:53::53", "94.140.14.14", "94.140.15.15", "dns.google", "one.one.one.one", "cloudflare-dns.com", "dns.quad9.net", "resolver1.opendns.com"}
}

// add takes one line of a list: an address, a block, a hash, an URL, or the name of a host; .example.com stands for all below it too.
func (a *allowList) add(line []byte) bool {
	line = bytes.TrimSpace(line)
	if wild, ok := bytes.CutPrefix(line, []byte("*.")); ok {
		line = append([]byte("."), wild...)
	}
	if len(line) > 1 && line[0] == '.' {
		if host := AppendCanonical(nil, line[1:], Domain); len(host) > 0 {
			a.suffixes[string(host)] = struct{}{}
			a.noteAbove(host)
			return true
		}
		return false
	}
	value, kind := Classify(nil, line)
	switch kind {
	case Unknown:
		return false
	case CIDR, IPv4, IPv6:
		p, ok := parsePrefix(value)
		if ok {
			a.block(p)
		}
		return ok
	}
	a.exact[string(value)] = struct{}{}
	if kind == Domain {
		a.noteAbove(value)
	}
	return true
}

// noteAbove notes the names above a host's, as far as they could be indicators.
func (a *allowList) noteAbove(host []byte) {
	for {
		host = host[bytes.IndexByte(host, '.')+1:]
		if bytes.IndexByte(host, '.') < 0 {
			return
		}
		a.above[string(host)] = struct{}{}
	}
}

func (a *allowList) block(p netip.Prefix) {
	if _, ok := a.blocks[p]; ok {
		return
	}
	a.blocks[p] = struct{}{}
	a.list = append(a.list, p)
	if p.Addr().Is4() {
		a.v4[p.Bits()] = true
	} else {
		a.v6[p.Bits()] = true
	}
}

// holdsAddr tells whether a block of the list holds the first bits of an address.
func (a *allowList) holdsAddr(addr netip.Addr, bits int) bool {
	lengths := &a.v6
	if addr.Is4() {
		lengths = &a.v4
	}
	for n := bits; n >= 0; n-- {
		if !lengths[n] {
			continue
		}
		p, err := addr.Prefix(n)
		if err != nil {
			return false
		}
		if _, ok := a.blocks[p]; ok {
			return true
		}
	}
	return false
}

func (a *allowList) holdsHost(host []byte) bool {
	if len(a.suffixes) == 0 {
		return false
	}
	for {
		if _, ok := a.suffixes[string(host)]; ok {
			return true
		}
		dot := bytes.IndexByte(host, '.')
		if dot < 0 {
			return false
		}
		host = host[dot+1:]
	}
}

// holds tells whether a canonical value is benign. An URL is, where its host is in a block or below a suffix of the list: a single name on
// it says nothing of all that a site hosts. covers tells that a block
// or a name is not, but that something benign is in or below it.
func (a *allowList) holds(value []byte, kind Kind) (benign, covers bool) {
	if _, ok := a.exact[string(value)]; ok {
		return true, false
	}
	switch kind {
	case IPv4, IPv6:
		addr, ok := parseAddr(value)
		return ok && a.holdsAddr(addr, addr.BitLen()), false
	case CIDR:
		p, ok := parsePrefix(value)
		if !ok || a.holdsAddr(p.Addr(), p.Bits()) {
			return true, false
		}
		for _, b := range a.list {
			if p.Overlaps(b) {
				return false, true
			}
		}
	case Domain:
		_, covers = a.above[string(value)]
		return a.holdsHost(value), covers
	case Email:
		return a.holdsHost(value[bytes.LastIndexByte(value, '@')+1:]), false
	case URL:
		host := hostOf(value)
		if addr, ok := parseAddr(host); ok {
			return a.holdsAddr(addr, addr.BitLen()), false
		}
		return a.holdsHost(host), false
	}
	return false, false
}

// hostOf is the host of a canonical URL, an IPv6 address without its brackets.
func hostOf(url []byte) []byte {
	rest := url[bytes.Index(url, []byte("://"))+3:]
	if end := bytes.IndexByte(rest, '/'); end >= 0 {
		rest = rest[:end]
	}
	if len(rest) > 0 && rest[0] == '[' {
		return rest[1:max(bytes.IndexByte(rest, ']'), 1)]
	}
	if colon := bytes.IndexByte(rest, ':'); colon >= 0 {
		rest = rest[:colon]
	}
	return rest
}

// readAllow adds a file: a list, a value a line with # comments, or a warning list of MISP (JSON with type and list).
func (a *allowList) readAllow(path string) (bad int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, fmt.Errorf("allow list: %w", err)
	}
	defer f.Close()
	r := bufio.NewReaderSize(f, 64<<10)
	if head, _ := r.Peek(64); len(bytes.TrimSpace(head)) > 0 && bytes.TrimSpace(head)[0] == '{' {
		if bad, err = a.readWarningList(r); err != nil {
			return bad, fmt.Errorf("allow list %q: %w", path, err)
		}
		return bad, nil
	}
	err = eachLine(r, func(line []byte) error {
		if line = stripComment(line); len(line) > 0 && !a.add(line) {
			bad++
		}
		return nil
	})
	if err != nil {
		return bad, fmt.Errorf("allow list %q: %w", path, err)
	}
	return bad, nil
}

// maxWarningList bounds a warning list, which is read whole.
const maxWarningList = 256 << 20

// readWarningList takes a list of MISP's warning lists of the types cidr, hostname and string.
func (a *allowList) readWarningList(r io.Reader) (bad int, err error) {
	var list struct {
		Type string   `json:"type"`
		List []string `json:"list"`
	}
	lim := &io.LimitedReader{R: r, N: maxWarningList}
	if err := json.NewDecoder(lim).Decode(&list); err != nil {
		if lim.N == 0 {
			return 0, fmt.Errorf("more than %d bytes", maxWarningList)
		}
		return 0, errors.New("not a JSON object with type and list (a torn file?)")
	}
	switch list.Type {
	case "cidr", "hostname", "string":
	default:
		return 0, fmt.Errorf("warning list of the type %q; expected cidr, hostname or string", list.Type)
	}
	for _, s := range list.List {
		if !a.add([]byte(s)) {
			bad++
		}
	}
	return bad, nil
}
