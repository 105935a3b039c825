package remote

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"

	"leat/internal/trust"
	"leat/pkg/dimension"
	"leat/pkg/dimension/secret"
	"leat/pkg/event"
)

// LDAPConfig asks a directory. A row has the attributes: one value as text, several as an array; what is not text is in
// hexadecimal digits.
type LDAPConfig struct {
	// URL is ldaps://host, or ldap://host with StartTLS.
	URL      string `yaml:"url"`
	StartTLS bool   `yaml:"start_tls"`
	// CA is a PEM file of the authorities that are trusted instead of the system's.
	CA string `yaml:"ca"`
	// Insecure allows plain text over a network.
	Insecure bool `yaml:"insecure"`
	// Bind is the name to log in by; empty: anonymous.
	Bind     string       `yaml:"bind"`
	Password secret.Value `yaml:"password"`
	Base     string       `yaml:"base"`
	// Filter has {key} where the key goes: (uid={key}).
	Filter string `yaml:"filter"`
	// Key is the attribute that says which key an entry is for; compared without regard to case.
	Key        string   `yaml:"key"`
	Attributes []string `yaml:"attributes"`
}

// Check fills in what was left out and returns what is wrong.
func (c *LDAPConfig) Check() (bad []dimension.Complaint) {
	add := func(key, format string, args ...any) {
		bad = append(bad, dimension.Complaint{Key: key, Message: fmt.Sprintf(format, args...)})
	}
	u, err := url.Parse(c.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "ldap" && u.Scheme != "ldaps":
		add("url", "not an address of a directory; expected ldaps://host")
	case u.User != nil:
		add("url", "a user or password in the URL; expected bind and password")
	case u.Scheme == "ldaps" && c.StartTLS:
		add("start_tls", "ldaps:// has TLS from the start; expected ldap://, or no start_tls")
	case u.Scheme == "ldap" && !c.StartTLS && !c.Insecure && !isLoopback(u.Hostname()):
		add("url", "ldap:// to another machine is readable for all between; expected ldaps://, start_tls: true, or insecure: true")
	}
	if (c.Bind == "") != c.Password.Zero() {
		add("bind", "bind and password belong together; expected both or neither")
	}
	if c.Password.Text != "" {
		add("password", "a password in the file; expected {env: NAME} or {file: PATH}")
	}
	if c.Base == "" {
		add("base", "no base; expected the name of the entry to search below")
	} else if _, err := ldap.ParseDN(c.Base); err != nil {
		add("base", "not a name of an entry; expected one such as dc=example,dc=test")
	}
	if strings.Count(c.Filter, keyMark) == 0 {
		add("filter", "expected %s in the filter, such as (uid=%s)", keyMark, keyMark)
	} else if _, err := ldap.CompileFilter(fillFilter(c.Filter, "x")); err != nil {
		add("filter", "not a filter; expected one such as (uid=%s)", keyMark)
	}
	if c.Key == "" {
		add("key", "no key; expected the attribute that has the key")
	}
	return bad
}

func isLoopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// fillFilter puts a key into a filter; what has a meaning there is escaped (RFC 4515, 3).
func fillFilter(filter, key string) string {
	return strings.ReplaceAll(filter, keyMark, ldap.EscapeFilter(key))
}

func (c *LDAPConfig) open(env dimension.Env, cfg *Config) (Backend, error) {
	b := &ldapBackend{cfg: *c, base: env.Base, timeout: cfg.Timeout, now: env.Now, free: make(chan *ldapConn, cfg.Concurrency)}
	for range cfg.Concurrency {
		b.free <- nil
	}
	u, err := url.Parse(c.URL)
	if err != nil {
		return nil, errors.New("not a URL")
	}
	b.tls = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: u.Hostname()}
	if c.CA != "" {
		if b.tls.RootCAs, err = trust.Pool(dimension.Below(env.Base, c.CA)); err != nil {
			return nil, fmt.Errorf("read ca: %w", err)
		}
	}
	return b, nil
}

// ldapBackend has a connection for each call that there may be at once; nil: it is made when it is needed.
type ldapBackend struct {
	cfg     LDAPConfig
	base    string
	tls     *tls.Config
	timeout time.Duration
	now     func() time.Time
	free    chan *ldapConn

	mu      sync.Mutex
	refused string    // the password that was refused
	until   time.Time // and until when it is not tried again
}

func (b *ldapBackend) Close() error {
	var errs []error
	for range cap(b.free) {
		if c := <-b.free; c != nil {
			// One that broke is closed already.
			if err := c.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
				errs = append(errs, err)
			}
		}
		b.free <- nil
	}
	return errors.Join(errs...)
}

// Lookup searches for all keys at once.
func (b *ldapBackend) Lookup(ctx context.Context, keys []string) (map[string][]byte, error) {
	conn := <-b.free
	var err error
	if conn == nil || conn.IsClosing() {
		conn, err = b.connect(ctx)
	}
	var rows map[string][]byte
	if err == nil {
		stop := conn.wire.until(ctx)
		rows, err = b.search(ctx, conn, keys)
		stop()
	}
	if err != nil && conn != nil {
		_ = conn.Close()
		conn = nil
	}
	b.free <- conn
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", b.cfg.URL, err)
	}
	return rows, nil
}

func (b *ldapBackend) search(ctx context.Context, conn *ldapConn, keys []string) (map[string][]byte, error) {
	var filter strings.Builder
	filter.WriteString("(|")
	for _, k := range keys {
		filter.WriteString(fillFilter(b.cfg.Filter, k))
	}
	filter.WriteByte(')')
	attributes := b.cfg.Attributes
	if len(attributes) > 0 && !slices.Contains(attributes, b.cfg.Key) {
		attributes = append(slices.Clone(attributes), b.cfg.Key)
	}
	req := ldap.NewSearchRequest(b.cfg.Base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, max(1, int(b.timeout/time.Second)), false,
		filter.String(), attributes, nil)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	m := newMatcher(keys, true)
	res := conn.SearchAsync(ctx, req, 16)
	n := 0
	for res.Next() {
		e := res.Entry()
		if e == nil {
			continue // a referral; it is not followed
		}
		if n++; n > 16*len(keys)+16 {
			return nil, errors.New("more entries than were asked for")
		}
		row := entryRow(e)
		for _, key := range e.GetEqualFoldAttributeValues(b.cfg.Key) {
			m.add(key, row)
		}
	}
	return m.rows, errors.Join(res.Err(), ctx.Err())
}

// entryRow makes a row of an entry's attributes.
func entryRow(e *ldap.Entry) []byte {
	row := event.AppendString([]byte(`{"dn":`), e.DN)
	for _, a := range e.Attributes {
		if len(a.ByteValues) == 0 || a.Name == "dn" {
			continue
		}
		row = append(event.AppendString(append(row, ','), a.Name), ':')
		if len(a.ByteValues) > 1 {
			row = append(row, '[')
		}
		for i, v := range a.ByteValues {
			if i > 0 {
				row = append(row, ',')
			}
			if utf8.Valid(v) {
				row = event.AppendString(row, v)
			} else {
				row = fmt.Appendf(row, `"%x"`, v)
			}
		}
		if len(a.ByteValues) > 1 {
			row = append(row, ']')
		}
	}
	return append(row, '}')
}
