package remote

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// lockout is how long a refused password is not tried again: a directory locks accounts for that.
const lockout = 15 * time.Minute

// maxAnswer bounds what a directory sends for one call, in bytes.
const maxAnswer = 64 << 20

// ldapConn is a connection that is signed in. The library waits without end in some places (for TLS, when it closes): what is
// under it does not.
type ldapConn struct {
	*ldap.Conn
	wire *wire
}

// wire bounds what is read, in time by its deadline, and in size.
type wire struct {
	net.Conn
	left atomic.Int64
}

func (w *wire) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if w.left.Add(-int64(n)) < 0 {
		return 0, errors.New("the directory's answer is too long")
	}
	return n, err
}

func (c *ldapConn) Close() error {
	_ = c.wire.SetDeadline(time.Unix(1, 0))
	return c.Conn.Close()
}

// until bounds what is done next by ctx, and returns what takes the bound away.
func (w *wire) until(ctx context.Context) (stop func()) {
	w.left.Store(maxAnswer)
	if end, ok := ctx.Deadline(); ok {
		_ = w.SetDeadline(end)
	}
	after := context.AfterFunc(ctx, func() { _ = w.SetDeadline(time.Unix(1, 0)) })
	return func() {
		if after() {
			_ = w.SetDeadline(time.Time{})
		}
	}
}

func (b *ldapBackend) connect(ctx context.Context) (*ldapConn, error) {
	u, err := url.Parse(b.cfg.URL)
	if err != nil {
		return nil, errors.New("not a URL")
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"ldap": "389", "ldaps": "636"}[u.Scheme]
	}
	raw, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(u.Hostname(), port))
	if err != nil {
		return nil, err
	}
	w := &wire{Conn: raw}
	stop := w.until(ctx)
	var under net.Conn = w
	if u.Scheme == "ldaps" {
		t := tls.Client(w, b.tls)
		if err := t.HandshakeContext(ctx); err != nil {
			return nil, errors.Join(err, raw.Close())
		}
		under = t
	}
	c := &ldapConn{ldap.NewConn(under, u.Scheme == "ldaps"), w}
	c.SetTimeout(b.timeout)
	c.Start()
	if b.cfg.StartTLS {
		err = c.StartTLS(b.tls)
	}
	if err == nil {
		err = b.bind(c)
	}
	if stop(); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

// bind logs in. A password that was refused is not tried again for a while.
func (b *ldapBackend) bind(c *ldapConn) error {
	if b.cfg.Bind == "" {
		return nil
	}
	pw, err := b.cfg.Password.Read(b.base)
	if err != nil {
		return err
	}
	b.mu.Lock()
	wait := b.refused == pw && b.now().Before(b.until)
	b.mu.Unlock()
	if wait {
		return fmt.Errorf("the directory refused %q; to not lock it, it is not tried again for %s, or until the password changes", b.cfg.Bind, lockout)
	}
	err = c.Bind(b.cfg.Bind, pw)
	if ldap.IsErrorWithCode(err, ldap.LDAPResultInvalidCredentials) {
		b.mu.Lock()
		b.refused, b.until = pw, b.now().Add(lockout)
		b.mu.Unlock()
	}
	return err
}
