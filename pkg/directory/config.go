package directory

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	ldap "github.com/go-ldap/ldap/v3"

	"leat/pkg/dimension"
)

// Config is the `ldap` part of a dimension.
type Config struct {
	// Kind is ad (default) or ldap.
	Kind string `yaml:"kind"`
	// URLs of the servers, tried in this order: ldaps://host[:port], or ldap://host[:port], on which StartTLS comes first.
	URLs []string `yaml:"urls"`
	// Domain finds the servers of an Active Directory domain by DNS (SRV _ldap._tcp.dc._msdcs.DOMAIN), in place of URLs.
	Domain string `yaml:"domain"`
	// Base is the part of the directory whose entries become rows. Of Active Directory the default is the whole domain.
	Base string `yaml:"base"`
	// Bind is who reads; without it, anonymous.
	Bind Bind `yaml:"bind"`
	// CA is a file of PEM certificates that may sign the servers'; default is the system's.
	CA string `yaml:"ca"`
	// ServerName is the name that the servers' certificates must have; default is the host of the URL.
	ServerName string `yaml:"server_name"`
	// Insecure speaks plain text on ldap:// URLs, the password included.
	Insecure bool `yaml:"insecure"`
	// Interval is how often changes are asked for; default 1m.
	Interval time.Duration `yaml:"interval"`
	// Reconcile is how often the list of all entries is read to find deletions that the server does not tell of; default 5m.
	Reconcile time.Duration `yaml:"reconcile"`
	// Resync is how often everything is read anew; default 24h.
	Resync time.Duration `yaml:"resync"`
	// Timeout bounds a connect, and each request; default 30s.
	Timeout time.Duration `yaml:"timeout"`
	// Page is how many entries are asked for at once, 1 to 1000 (default).
	Page int `yaml:"page"`
	// MaxEntries refuses a directory that is bigger; default 2,000,000.
	MaxEntries int `yaml:"max_entries"`
	// Sync is how changes are found: auto (default); of ad: dirsync, usn; of ldap: modified, full.
	Sync string `yaml:"sync"`
	// Filter (RFC 4515) says which entries of a plain directory are rows; default (objectClass=*).
	Filter string `yaml:"filter"`
	// Attributes is column: attribute. A plain directory has these columns and dn; of Active Directory they are added.
	Attributes map[string]string `yaml:"attributes"`
	// StaleAfter is how long nobody has logged on to an account that is stale; default 2160h (90 days).
	StaleAfter time.Duration `yaml:"stale_after"`
}

// Bind says who reads the directory. The password is never in the configuration itself.
type Bind struct {
	// User is a DN, or of Active Directory also user@domain or DOMAIN\user.
	User string `yaml:"user"`
	// PasswordFile holds the password, read anew for each connection; white space at its end is not part of it.
	PasswordFile string `yaml:"password_file"`
	// PasswordEnv names the environment variable that holds it.
	PasswordEnv string `yaml:"password_env"`
}

const (
	kindAD   = "ad"
	kindLDAP = "ldap"

	maxPage = 1000
)

// Check returns all that is wrong, and fills in what was left out.
func (c *Config) Check() []dimension.Complaint {
	var out []dimension.Complaint
	bad := func(key, format string, args ...any) {
		out = append(out, dimension.Complaint{Key: key, Message: fmt.Sprintf(format, args...)})
	}
	if c.Kind == "" {
		c.Kind = kindAD
	}
	if c.Kind != kindAD && c.Kind != kindLDAP {
		bad("kind", "%q is neither ad nor ldap", c.Kind)
		return out
	}
	c.checkServers(bad)
	c.checkBind(bad)
	c.checkContent(bad)
	for _, d := range []struct {
		key   string
		at    *time.Duration
		std   time.Duration
		least time.Duration
	}{
		{"interval", &c.Interval, time.Minute, 100 * time.Millisecond},
		{"reconcile", &c.Reconcile, 5 * time.Minute, 100 * time.Millisecond},
		{"resync", &c.Resync, 24 * time.Hour, time.Second},
		{"timeout", &c.Timeout, 30 * time.Second, 10 * time.Millisecond},
		{"stale_after", &c.StaleAfter, 90 * 24 * time.Hour, time.Hour},
	} {
		if *d.at == 0 {
			*d.at = d.std
		}
		if *d.at < d.least {
			bad(d.key, "%v is too short; expected %v or more", *d.at, d.least)
		}
	}
	if c.Page == 0 {
		c.Page = maxPage
	}
	if c.Page < 1 || c.Page > maxPage {
		bad("page", "%d; expected 1 to %d", c.Page, maxPage)
	}
	if c.MaxEntries == 0 {
		c.MaxEntries = 2_000_000
	}
	if c.MaxEntries < 1 {
		bad("max_entries", "%d; expected 1 or more", c.MaxEntries)
	}
	return out
}

func (c *Config) checkServers(bad func(string, string, ...any)) {
	switch {
	case len(c.URLs) == 0 && c.Domain == "":
		bad("urls", "missing; expected a list such as [ldaps://dc1.corp.example], or domain: to find the servers by DNS")
	case len(c.URLs) > 0 && c.Domain != "":
		bad("domain", "servers are listed by urls already; expected one of the two")
	case c.Domain != "" && c.Kind == kindLDAP:
		bad("domain", "is for kind: ad; expected urls")
	}
	for i, u := range c.URLs {
		key := fmt.Sprintf("urls.%d", i)
		p, err := url.Parse(u)
		switch {
		case err != nil || p.Hostname() == "" || p.Scheme != "ldap" && p.Scheme != "ldaps":
			bad(key, "%q is no server; expected ldaps://host[:port] or ldap://host[:port]", u)
		case p.User != nil || p.RawQuery != "" || p.Fragment != "" || p.Path != "" && p.Path != "/":
			bad(key, "more than a scheme, a host and a port; expected the rest under the keys bind, base and filter")
		case c.Insecure && p.Scheme == "ldaps":
			bad("insecure", "is for ldap:// URLs; certificates of ldaps:// are always checked (see ca, server_name)")
		}
	}
}

func (c *Config) checkBind(bad func(string, string, ...any)) {
	b := c.Bind
	switch {
	case b.PasswordFile != "" && b.PasswordEnv != "":
		bad("bind.password_env", "the password is in password_file already; expected one of the two")
	case b.User == "" && (b.PasswordFile != "" || b.PasswordEnv != ""):
		bad("bind.user", "missing; expected who the password is of")
	case b.User != "" && b.PasswordFile == "" && b.PasswordEnv == "":
		bad("bind.password_file", "missing; expected a file with the password, or password_env")
	case b.User == "" && c.Kind == kindAD:
		bad("bind.user", "missing; Active Directory answers nobody who did not sign in. Expected user@domain, DOMAIN\\user or a DN")
	}
}

func (c *Config) checkContent(bad func(string, string, ...any)) {
	if c.Base != "" {
		if _, err := ldap.ParseDN(c.Base); err != nil {
			bad("base", "%q is no distinguished name; expected such as DC=corp,DC=example", c.Base)
		}
	}
	modes := []string{"auto", syncDirSync, syncUSN}
	if c.Kind == kindLDAP {
		modes = []string{"auto", syncModified, syncFull}
	}
	if c.Sync == "" {
		c.Sync = "auto"
	}
	if !slices.Contains(modes, c.Sync) {
		bad("sync", "%q; expected one of %s", c.Sync, strings.Join(modes, ", "))
	}
	if c.Kind == kindAD {
		if c.Filter != "" {
			bad("filter", "is for kind: ldap; of Active Directory all users, machines and groups below base are rows")
		}
		for _, col := range slices.Sorted(keysOf(c.Attributes)) {
			if slices.Contains(adColumns, col) {
				bad("attributes."+col, "is a column already; expected another name")
			}
		}
	} else {
		if c.Filter == "" {
			c.Filter = "(objectClass=*)"
		}
		if _, err := ldap.CompileFilter(c.Filter); err != nil {
			bad("filter", "%q is no filter (RFC 4515); expected such as (objectClass=inetOrgPerson)", c.Filter)
		}
		if c.Base == "" {
			bad("base", "missing; expected such as dc=corp,dc=example")
		}
		if len(c.Attributes) == 0 {
			bad("attributes", "missing; expected column: attribute, such as {name: cn, email: mail}")
		}
		if _, ok := c.Attributes["dn"]; ok {
			bad("attributes.dn", "is a column already; expected another name")
		}
	}
	for _, col := range slices.Sorted(keysOf(c.Attributes)) {
		if a := c.Attributes[col]; !attributeName(a) {
			bad("attributes."+col, "%q is no attribute; expected a name such as mail", a)
		}
	}
}

func keysOf(m map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// attributeName tells whether s is an attribute description without options (RFC 4512 section 2.5).
func attributeName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c|0x20 < 'a' || c|0x20 > 'z' {
			if i == 0 || c != '-' && (c < '0' || c > '9') {
				return false
			}
		}
	}
	return s != ""
}

// Keys returns the columns that are keys where the dimension names none, in the order in which they count: of two rows with
// one name, that with the more exact name is found.
func (c *Config) Keys() []string {
	if c.Kind == kindLDAP {
		return []string{"dn"}
	}
	return []string{"sid", "guid", "sam", "domain_sam", "sam_at_domain", "upn", "email", "proxy_addresses", "dn", "sid_history",
		"employee_id", "dns_host_name", "machine"}
}
