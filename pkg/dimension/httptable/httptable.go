// Package httptable is a dimension's source that a web service answers: JSON (an array somewhere in the answer), JSON lines or
// CSV, over as many pages as there are.
//
// It asks for the whole table each time, but for nothing where the server says that it is unchanged. It is not for look-ups of
// single keys (pkg/enrich/remote is).
//
// Delivery: a table has all pages or is not there.
package httptable

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"

	"leat/pkg/dimension"
	"leat/pkg/dimension/webclient"
	"leat/pkg/event"
)

// maxPages ends what would go on for ever.
const maxPages = 100_000

// Config is what a configuration file says below http.
type Config struct {
	webclient.Config `yaml:",inline"`
	// Body of a POST.
	Body string `yaml:"body"`
	// Format is json (default), ndjson or csv.
	Format string `yaml:"format"`
	// Rows is the path of the array in JSON (data.items); empty: the answer is the array.
	Rows string `yaml:"rows"`
	// Next says how further pages are found; nil: there is one.
	Next *Next `yaml:"next"`
	// MaxBytes bounds all pages together; 0 = 256 MiB.
	MaxBytes int64 `yaml:"max_bytes"`
}

// Next says where an answer tells of the next page.
type Next struct {
	// Header: link takes the address from the header Link, rel=next (RFC 8288).
	Header string `yaml:"header"`
	// Path of a text or number in JSON: an address, or with Param a cursor. Absent, null, false or empty ends.
	Path string `yaml:"path"`
	// Param of the URL that the cursor is put in.
	Param string `yaml:"param"`
}

// Check fills in what was left out and returns what is wrong.
func (c *Config) Check() []dimension.Complaint {
	bad := c.Config.Check()
	add := func(key, format string, args ...any) {
		bad = append(bad, dimension.Complaint{Key: key, Message: fmt.Sprintf(format, args...)})
	}
	if c.Format == "" {
		c.Format = "json"
	}
	if !slices.Contains([]string{"json", "ndjson", "csv"}, c.Format) {
		add("format", "format %q; expected json, ndjson or csv", c.Format)
	}
	if c.Rows != "" && c.Format != "json" {
		add("rows", "rows is the path of an array in JSON; expected it with format: json only")
	}
	if _, err := event.ParsePath("v." + c.Rows); c.Rows != "" && err != nil {
		add("rows", "%v", err)
	}
	if c.Body != "" && c.Method != http.MethodPost {
		add("body", "a body with %s; expected method: POST", c.Method)
	}
	if n := c.Next; n != nil {
		switch {
		case n.Header != "" && n.Header != "link":
			add("next.header", "header %q; expected link", n.Header)
		case (n.Header == "") == (n.Path == ""):
			add("next", "expected either header: link, or path: the place of the next page in the answer")
		case n.Path != "" && c.Format != "json":
			add("next.path", "a path in an answer of format %s; expected header: link", c.Format)
		case n.Header != "" && n.Param != "":
			add("next.param", "the header Link has the whole address; expected no param")
		}
		if _, err := event.ParsePath("v." + n.Path); n.Path != "" && err != nil {
			add("next.path", "%v", err)
		}
	}
	if c.MaxBytes < 0 {
		add("max_bytes", "max_bytes below 0; expected a number of bytes")
	}
	if c.MaxBytes == 0 {
		c.MaxBytes = 256 << 20
	}
	return bad
}

// source is a dimension.Source.
type source struct {
	cfg    Config
	env    dimension.Env
	client *webclient.Client
}

// Open reads the certificates; the first Fetch connects.
func (c *Config) Open(env dimension.Env) (dimension.Source, error) {
	cl, err := c.Config.Open(env.Base, rand.Float64)
	if err != nil {
		return nil, err
	}
	return &source{*c, env, cl}, nil
}

// Close frees connections.
func (s *source) Close() error {
	s.client.Close()
	return nil
}

// validators are what the server called a single page: its cursor.
type validators struct {
	ETag     string `json:"etag,omitempty"`
	Modified string `json:"modified,omitempty"`
	Of       string `json:"of"` // what was asked
}

// asked identifies the request that validators belong to.
func (s *source) asked() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", []string{s.cfg.URL, s.cfg.Method, s.cfg.Body, s.cfg.Rows, s.cfg.Format}))
	return hex.EncodeToString(sum[:8])
}

// conditions are headers by which the server may say that nothing changed. Of several pages, the first one's validator says
// nothing of the others.
func (s *source) conditions(had dimension.Stamp) map[string]string {
	var v validators
	if s.cfg.Next != nil || s.cfg.Method != http.MethodGet || had.Version == "" || json.Unmarshal([]byte(had.Cursor), &v) != nil || v.Of != s.asked() {
		return nil
	}
	out := map[string]string{}
	if v.ETag != "" {
		out["If-None-Match"] = v.ETag
	}
	if v.Modified != "" {
		out["If-Modified-Since"] = v.Modified
	}
	return out
}

// Fetch reads all pages. With ErrUnchanged comes the stamp of now, without a table.
func (s *source) Fetch(ctx context.Context, had dimension.Stamp) (*dimension.Fetched, error) {
	now := s.env.Now()
	p := pages{cfg: &s.cfg, b: dimension.NewBuilder(s.env.Limits), sum: sha256.New()}
	left := s.cfg.MaxBytes
	seen := map[string]bool{}
	cursor := ""
	conditions := s.conditions(had)
	for at := s.client.URL(); at != nil; {
		if seen[at.String()] {
			return nil, errors.New("the next page is one that was read already")
		}
		if seen[at.String()] = true; len(seen) > maxPages {
			return nil, fmt.Errorf("more than %d pages", maxPages)
		}
		a, err := s.client.Do(ctx, webclient.Request{URL: at, Header: conditions, Body: []byte(s.cfg.Body), Max: left, Prefix: p.prefix()})
		if err != nil {
			return nil, err
		}
		if a.Status == http.StatusNotModified {
			if len(conditions) == 0 {
				return nil, errors.New("304 Not Modified, but the request had no condition")
			}
			had.AsOf = now
			return &dimension.Fetched{Stamp: had}, dimension.ErrUnchanged
		}
		left -= int64(len(a.Body) - len(p.prefix()))
		if err := p.read(a.Body); err != nil {
			return nil, fmt.Errorf("page %d of %s://%s%s: %w", len(seen), at.Scheme, at.Host, at.EscapedPath(), err)
		}
		cursor = s.validators(a.Header)
		if at, err = s.next(at, a, &p); err != nil {
			return nil, err
		}
	}
	f := &dimension.Fetched{Stamp: dimension.Stamp{Version: hex.EncodeToString(p.sum.Sum(nil)[:8]), AsOf: now, Cursor: cursor}}
	if f.Version == had.Version {
		return f, dimension.ErrUnchanged
	}
	f.Table = p.b.Table()
	return f, nil
}

func (s *source) validators(h http.Header) string {
	v := validators{ETag: h.Get("ETag"), Modified: h.Get("Last-Modified"), Of: s.asked()}
	if s.cfg.Next != nil || v.ETag == "" && v.Modified == "" || len(v.ETag)+len(v.Modified) > 4096 {
		return ""
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(raw)
}

// next is the address of the next page, nil where there is none.
func (s *source) next(at *url.URL, a *webclient.Answer, p *pages) (*url.URL, error) {
	n := s.cfg.Next
	ref := ""
	switch {
	case n == nil:
		return nil, nil
	case n.Header != "":
		ref = nextLink(a.Header.Values("Link"))
	default:
		ref = p.next
	}
	if ref == "" {
		return nil, nil
	}
	if n.Param != "" {
		u := *s.client.URL()
		q := u.Query()
		q.Set(n.Param, ref)
		u.RawQuery = q.Encode()
		return &u, nil
	}
	to, err := at.Parse(ref)
	if err != nil {
		return nil, errors.New("the address of the next page is not a URL")
	}
	if !s.client.Home(to) {
		return nil, fmt.Errorf("the next page is on another host (%s://%s), which is refused", to.Scheme, to.Host)
	}
	return to, nil
}
