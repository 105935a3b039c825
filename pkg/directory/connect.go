package directory

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	ldap "github.com/go-ldap/ldap/v3"

	"leat/internal/trust"
	"leat/pkg/dimension"
	"leat/pkg/dimension/secret"
)

// conn is a connection that is signed in.
type conn struct {
	*ldap.Conn
	guard *guard
	url   string
}

// search sends one request and returns its answer, which must be there within timeout. The end of ctx ends the connection.
func (c *conn) search(ctx context.Context, r *ldap.SearchRequest, timeout time.Duration) (*ldap.SearchResult, error) {
	c.SetTimeout(timeout)
	r.TimeLimit = int(timeout.Seconds())
	// AfterFunc and not Close: that waits for the library's goroutines, which may wait for the network.
	stop := context.AfterFunc(ctx, func() { c.guard.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	c.guard.begin()
	res, err := c.Search(r)
	if err == nil {
		return res, nil
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if errors.Is(err, errTooBig) || c.guard.answer.Load() > c.guard.max {
		return nil, errTooBig
	}
	return nil, err
}

// close ends the connection now, whatever the server does.
func (c *conn) close() {
	c.guard.SetDeadline(time.Unix(1, 0))
	c.Close()
}

// connect opens a connection, makes it safe, and signs in.
func (s *Source) connect(ctx context.Context, server string) (*conn, error) {
	u, err := url.Parse(server)
	if err != nil {
		return nil, err
	}
	password, err := s.secret()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
	defer cancel()
	port := u.Port()
	if port == "" {
		port = map[string]string{"ldap": "389", "ldaps": "636"}[u.Scheme]
	}
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return nil, err
	}
	c, err := s.secure(ctx, raw, u)
	if err != nil {
		raw.Close()
		return nil, err
	}
	c.url = server
	if err := s.bind(ctx, c, password); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

// secure puts TLS on a connection.
func (s *Source) secure(ctx context.Context, raw net.Conn, u *url.URL) (*conn, error) {
	deadline, _ := ctx.Deadline()
	if err := raw.SetDeadline(deadline); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { raw.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if u.Scheme == "ldaps" || !s.cfg.Insecure {
		if u.Scheme == "ldap" {
			if err := startTLS(raw); err != nil {
				return nil, fmt.Errorf("StartTLS: %w", err)
			}
		}
		conf, err := s.tls(u.Hostname())
		if err != nil {
			return nil, err
		}
		t := tls.Client(raw, conf)
		if err := t.HandshakeContext(ctx); err != nil {
			return nil, fmt.Errorf("TLS: %w", err)
		}
		raw = t
	}
	if !stop() {
		return nil, context.Cause(ctx)
	}
	if err := raw.SetDeadline(time.Time{}); err != nil {
		return nil, err
	}
	g := &guard{Conn: raw, max: s.maxAnswer}
	l := ldap.NewConn(g, true) // true: the library is not to begin TLS
	l.SetTimeout(s.cfg.Timeout)
	l.Start()
	return &conn{Conn: l, guard: g}, nil
}

// startTLS asks for TLS on a plain connection (RFC 4511 section 4.14). The library's own StartTLS can't be bounded in time.
func startTLS(c net.Conn) error {
	request := []byte{0x30, 29, 2, 1, 1, 0x77, 24, 0x80, 22}
	if _, err := c.Write(append(request, "1.3.6.1.4.1.1466.20037"...)); err != nil {
		return err
	}
	// An answer is short; byte by byte, since what follows it is TLS.
	var head, one []byte = nil, make([]byte, 1)
	length := 0
	for {
		if _, err := c.Read(one); err != nil {
			return err
		}
		head = append(head, one[0])
		n, whole, ok := messageLength(head)
		if !ok || n > 4096 {
			return errors.New("the server does not speak LDAP")
		}
		if whole {
			length = n
			break
		}
	}
	for range length {
		if _, err := c.Read(one); err != nil {
			return err
		}
		head = append(head, one[0])
	}
	p, err := ber.ReadPacket(bytes.NewReader(head))
	if err != nil {
		return errors.New("the server does not speak LDAP")
	}
	return ldap.GetLDAPError(p)
}

// tls reads the CA file anew each time, so that a renewed one counts.
func (s *Source) tls(host string) (*tls.Config, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host}
	if s.cfg.ServerName != "" {
		conf.ServerName = s.cfg.ServerName
	}
	if s.cfg.CA == "" {
		return conf, nil
	}
	pool, err := trust.Pool(dimension.Below(s.env.Base, s.cfg.CA))
	if err != nil {
		return nil, fmt.Errorf("read ca: %w", err)
	}
	conf.RootCAs = pool
	return conf, nil
}

// secret returns the password, which stands in no message, unless it was refused lately.
func (s *Source) secret() (string, error) {
	if s.cfg.Bind.User == "" {
		return "", nil
	}
	password, err := s.password()
	if err != nil {
		return "", err
	}
	if wait := s.refused.wait(password, s.env.Now()); wait > 0 {
		return "", fmt.Errorf("%w %q; to not lock it, that is tried again in %v, or when the password changes", errRefused, s.cfg.Bind.User,
			wait.Round(time.Second))
	}
	return password, nil
}

func (s *Source) password() (string, error) {
	b := s.cfg.Bind
	key := "bind.password_file"
	if b.PasswordEnv != "" {
		key = "bind.password_env"
	}
	// It is never empty: a bind without a password succeeds, as nobody (RFC 4513 section 5.1.2).
	text, err := secret.Value{Env: b.PasswordEnv, File: b.PasswordFile}.Read(s.env.Base)
	if err != nil {
		return "", fmt.Errorf("%s: %w", key, err)
	}
	return text, nil
}

// errRefused says that the server refused the account. Trying again would lock it.
var errRefused = errors.New("the server refuses the account")

// bind signs in.
func (s *Source) bind(ctx context.Context, c *conn, password string) error {
	if s.cfg.Bind.User == "" {
		return nil
	}
	stop := context.AfterFunc(ctx, func() { c.guard.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	c.guard.begin()
	err := c.Bind(s.cfg.Bind.User, password)
	if ldap.IsErrorWithCode(err, ldap.LDAPResultInvalidCredentials) {
		s.refused.note(password, s.env.Now())
		return fmt.Errorf("%w %q (%s)", errRefused, s.cfg.Bind.User, why(err))
	}
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return fmt.Errorf("bind as %q: %w", s.cfg.Bind.User, err)
	}
	s.refused = refusal{}
	return nil
}

// why reads what Active Directory means by refusing credentials.
func why(err error) string {
	msg := err.Error()
	for _, w := range []struct{ code, text string }{
		{"data 525", "no such account"}, {"data 52e", "wrong password"}, {"data 530", "not at this time"}, {"data 531", "not at this machine"},
		{"data 532", "the password has expired"}, {"data 533", "the account is disabled"}, {"data 701", "the account has expired"},
		{"data 773", "the password must be changed"}, {"data 775", "the account is locked"},
	} {
		if strings.Contains(msg, w.code) {
			return w.text
		}
	}
	return "wrong name or password"
}
