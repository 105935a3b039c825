package directory

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// refusal is the memory of a password that a server refused: it is tried ever more rarely, lest the account be locked.
type refusal struct {
	hash  [sha256.Size]byte
	times int
	until time.Time
}

func (r *refusal) wait(secret string, now time.Time) time.Duration {
	if r.times == 0 || sha256.Sum256([]byte(secret)) != r.hash {
		return 0
	}
	return max(0, r.until.Sub(now))
}

func (r *refusal) note(secret string, now time.Time) {
	if hash := sha256.Sum256([]byte(secret)); hash != r.hash {
		*r = refusal{hash: hash}
	}
	r.until = now.Add(min(time.Minute<<r.times, 30*time.Minute))
	r.times = min(r.times+1, 10)
}

// resting is when a server that failed is asked again before others.
type resting struct {
	until time.Time
	wait  time.Duration
}

// servers returns the URLs to try: first that which answered last, then as listed, those that failed lately at the end.
func (s *Source) servers(ctx context.Context) ([]string, error) {
	list := slices.Clone(s.cfg.URLs)
	if s.cfg.Domain != "" {
		ctx, cancel := context.WithTimeout(ctx, s.cfg.Timeout)
		defer cancel()
		_, records, err := s.resolver.LookupSRV(ctx, "ldap", "tcp", "dc._msdcs."+s.cfg.Domain)
		if err != nil && len(records) == 0 {
			return nil, fmt.Errorf("find the domain controllers of %s: %w", s.cfg.Domain, err)
		}
		for _, r := range records {
			host := strings.TrimSuffix(r.Target, ".")
			if r.Port == 389 {
				// The records speak of the plain port; beside it controllers have that of LDAPS.
				list = append(list, "ldaps://"+host)
			} else {
				list = append(list, "ldaps://"+net.JoinHostPort(host, strconv.Itoa(int(r.Port))))
			}
		}
		if len(list) == 0 {
			return nil, fmt.Errorf("find the domain controllers of %s: DNS names none", s.cfg.Domain)
		}
	}
	now := s.env.Now()
	rank := func(url string) int {
		switch {
		case s.rest[url].until.After(now):
			return 2
		case url == s.state.Server:
			return 0
		}
		return 1
	}
	slices.SortStableFunc(list, func(a, b string) int { return rank(a) - rank(b) })
	return list, nil
}

// each calls read with a connection to one server after the other, until one serves. The open connection comes first.
func (s *Source) each(ctx context.Context, read func(*conn) error) error {
	var errs []error
	if c := s.conn; c != nil {
		err := read(c)
		if err == nil || ctx.Err() != nil {
			return err
		}
		// Servers close what was idle for long: that is no reason to leave the server.
		s.hangUp()
	}
	list, err := s.servers(ctx)
	if err != nil {
		return err
	}
	for _, url := range list {
		c, err := s.connect(ctx, url)
		if err == nil {
			if err = read(c); err == nil {
				s.conn, s.state.Server = c, url
				delete(s.rest, url)
				return nil
			}
			c.close()
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%s: %w", url, context.Cause(ctx))
		}
		if errors.Is(err, errRefused) || errors.Is(err, errTooMany) {
			return fmt.Errorf("%s: %w", url, err)
		}
		wait := min(max(2*s.rest[url].wait, time.Second), 5*time.Minute)
		s.rest[url] = resting{s.env.Now().Add(wait), wait}
		errs = append(errs, fmt.Errorf("%s: %w", url, err))
	}
	return errors.Join(errs...)
}

func (s *Source) hangUp() {
	if s.conn != nil {
		s.conn.close()
		s.conn = nil
	}
}
