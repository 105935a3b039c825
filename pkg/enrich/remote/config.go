package remote

import (
	"context"
	"errors"
	"fmt"
	"time"

	"leat/pkg/dimension"
)

// Backend answers for keys.
type Backend interface {
	// Lookup returns a JSON object for each key that is known; one that is not is absent. Many goroutines call it at once. An
	// error is one of the whole call: ErrKeys where a key's value is to blame, others speak of the other side's health. It
	// names no key's value and no secret.
	Lookup(ctx context.Context, keys []string) (map[string][]byte, error)
}

// ErrKeys is an error of Lookup that one of the keys brought about: each half is asked alone then, down to the guilty key,
// which is a miss. It does not count as a failure: no event may open the breaker.
var ErrKeys = errors.New("a key was refused")

// Config is what a configuration file says below remote: one of the backends, and how they are asked.
type Config struct {
	HTTP *HTTPConfig `yaml:"http"`
	SQL  *SQLConfig  `yaml:"sql"`
	LDAP *LDAPConfig `yaml:"ldap"`
	DNS  *DNSConfig  `yaml:"dns"`

	// Timeout of one call; 0 = 500ms. Wait is how long a batch of events waits for all of its keys; 0 = 2s.
	Timeout time.Duration `yaml:"timeout"`
	Wait    time.Duration `yaml:"wait"`
	// Batch is how many keys are in one call; 0 = 100. Where a call has one key (GET, DNS), it is 1.
	Batch int `yaml:"batch"`
	// Concurrency is how many calls there are at once; 0 = 8.
	Concurrency int `yaml:"concurrency"`
	// Rate is how many calls there are a second at most; 0 = any number.
	Rate float64 `yaml:"rate"`
	// TTL is how long an answer holds (0 = 1h), NegativeTTL how long a miss does (0 = 5m). Each is cut by a random part of
	// up to Jitter (nil = 0.1), so that what came at once does not go at once.
	TTL         time.Duration `yaml:"ttl"`
	NegativeTTL time.Duration `yaml:"negative_ttl"`
	Jitter      *float64      `yaml:"jitter"`
	// MaxStale is how long after its time an answer is still served while no newer one is to be had; nil = 24h.
	MaxStale *time.Duration `yaml:"max_stale"`
	// Size is how many keys are remembered (0 = 100,000), MaxBytes how much memory they take (0 = 256 MiB).
	Size     int           `yaml:"size"`
	MaxBytes int64         `yaml:"max_bytes"`
	Breaker  BreakerConfig `yaml:"breaker"`
}

// BreakerConfig says when a backend is left alone.
type BreakerConfig struct {
	// Failures in a row that open the breaker; 0 = 5.
	Failures int `yaml:"failures"`
	// Pause until one call tries again; it doubles, up to 8 times, while that fails. 0 = 10s.
	Pause time.Duration `yaml:"pause"`
}

// Check fills in what was left out and returns what is wrong.
func (c *Config) Check() (bad []dimension.Complaint) {
	add := func(key, format string, args ...any) {
		bad = append(bad, dimension.Complaint{Key: key, Message: fmt.Sprintf(format, args...)})
	}
	single := c.checkBackends(&bad)
	for _, d := range []struct {
		key  string
		v    *time.Duration
		unit time.Duration
	}{
		{"timeout", &c.Timeout, 500 * time.Millisecond}, {"wait", &c.Wait, 2 * time.Second}, {"ttl", &c.TTL, time.Hour},
		{"negative_ttl", &c.NegativeTTL, 5 * time.Minute}, {"breaker.pause", &c.Breaker.Pause, 10 * time.Second},
	} {
		if *d.v < 0 {
			add(d.key, "%s; expected a duration above 0", *d.v)
		}
		if *d.v == 0 {
			*d.v = d.unit
		}
	}
	for _, d := range []struct {
		key      string
		v        *int
		def, max int
	}{
		{"batch", &c.Batch, 100, 10_000}, {"concurrency", &c.Concurrency, 8, 1000}, {"size", &c.Size, 100_000, 20_000_000},
		{"breaker.failures", &c.Breaker.Failures, 5, 1_000_000},
	} {
		if *d.v < 0 || *d.v > d.max {
			add(d.key, "%d; expected 1 to %d", *d.v, d.max)
		}
		if *d.v == 0 {
			*d.v = d.def
		}
	}
	if single {
		c.Batch = 1
	}
	if c.MaxBytes < 0 {
		add("max_bytes", "%d; expected a number of bytes", c.MaxBytes)
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = 256 << 20
	}
	if c.Rate < 0 {
		add("rate", "%g; expected calls a second", c.Rate)
	}
	if c.Jitter == nil {
		c.Jitter = new(float64)
		*c.Jitter = 0.1
	}
	if !(*c.Jitter >= 0 && *c.Jitter < 1) {
		add("jitter", "%g; expected a part from 0 to below 1", *c.Jitter)
	}
	if c.MaxStale == nil {
		c.MaxStale = new(time.Duration)
		*c.MaxStale = 24 * time.Hour
	}
	if *c.MaxStale < 0 {
		add("max_stale", "%s; expected a duration of 0 or more", *c.MaxStale)
	}
	return bad
}

// checkBackends adds what is wrong with the backend, and tells whether a call of it has a single key.
func (c *Config) checkBackends(bad *[]dimension.Complaint) (single bool) {
	part := func(key string, got []dimension.Complaint) {
		for _, g := range got {
			*bad = append(*bad, dimension.Complaint{Key: key + "." + g.Key, Message: g.Message})
		}
	}
	n := 0
	if c.HTTP != nil {
		n++
		part("http", c.HTTP.Check())
		single = !c.HTTP.batched()
	}
	if c.SQL != nil {
		n++
		part("sql", c.SQL.Check())
	}
	if c.LDAP != nil {
		n++
		part("ldap", c.LDAP.Check())
	}
	if c.DNS != nil {
		n++
		part("dns", c.DNS.Check())
		single = true
	}
	if n != 1 {
		*bad = append(*bad, dimension.Complaint{Message: fmt.Sprintf("%d backends; expected one of http, sql, ldap and dns", n)})
	}
	return single
}

// Open makes the backend that is configured. A backend that has connections is an io.Closer; the Cache closes it.
func (c *Config) Open(env dimension.Env) (Backend, error) {
	switch {
	case c.HTTP != nil:
		return c.HTTP.open(env)
	case c.SQL != nil:
		return c.SQL.open(env, c)
	case c.LDAP != nil:
		return c.LDAP.open(env, c)
	case c.DNS != nil:
		return c.DNS.open(), nil
	}
	return nil, errors.New("no backend; expected one of http, sql, ldap and dns")
}
