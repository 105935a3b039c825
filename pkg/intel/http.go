package intel

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"leat/internal/durable"
	"leat/internal/trust"
	"leat/pkg/dimension"
	"leat/pkg/dimension/secret"
)

// web asks a feed's server. It is made for one refresh, so that secrets and certificates that were replaced are read again.
type web struct {
	client  *http.Client
	headers http.Header
	feed    *Feed
}

// newWeb reads the feed's secrets and certificates.
func (f *feedState) newWeb() (*web, error) {
	w := &web{feed: f.feed, headers: http.Header{}}
	w.headers.Set("User-Agent", "leat")
	for name, v := range f.feed.Headers {
		text, err := v.Read(f.base)
		if err != nil {
			return nil, fmt.Errorf("header %s: %w", name, err)
		}
		w.headers.Set(name, text)
	}
	if f.feed.Username != "" {
		password, err := secret.Value{Env: f.feed.PasswordEnv, File: f.feed.PasswordFile}.Read(f.base)
		if err != nil {
			return nil, fmt.Errorf("password: %w", err)
		}
		r := http.Request{Header: http.Header{}}
		r.SetBasicAuth(f.feed.Username, password)
		w.headers.Set("Authorization", r.Header.Get("Authorization"))
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	transport.DisableCompression = false
	if f.feed.CA != "" {
		pool, err := trust.Pool(dimension.Below(f.base, f.feed.CA))
		if err != nil {
			return nil, fmt.Errorf("read ca: %w", err)
		}
		transport.TLSClientConfig.RootCAs = pool
	}
	w.client = &http.Client{Transport: transport, Timeout: time.Duration(f.feed.Timeout), CheckRedirect: w.redirect}
	return w, nil
}

// redirect never takes a secret to another host or out of TLS.
func (w *web) redirect(r *http.Request, via []*http.Request) error {
	switch first := via[0].URL; {
	case len(via) >= 5:
		return errors.New("more than 5 redirections")
	case first.Scheme == "https" && r.URL.Scheme != "https":
		return errors.New("redirected from https to " + r.URL.Scheme)
	case first.Host != r.URL.Host:
		for name := range w.headers {
			r.Header.Del(name)
		}
	}
	return nil
}

func (w *web) close() { w.client.CloseIdleConnections() }

// statusError is an answer that is none.
type statusError struct {
	code       int
	retryAfter string
}

func (e *statusError) Error() string {
	s := fmt.Sprintf("the server answered %d %s", e.code, http.StatusText(e.code))
	if e.retryAfter != "" {
		s += " (Retry-After: " + e.retryAfter + ")"
	}
	return s
}

// get asks for a URL. The caller closes the body. 304 is no error.
func (w *web) get(ctx context.Context, address string, set ...[2]string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, errors.New("not a URL")
	}
	for k, v := range w.headers {
		r.Header[k] = v
	}
	for _, h := range set {
		if h[1] != "" {
			r.Header.Set(h[0], h[1])
		}
	}
	resp, err := w.client.Do(r)
	if err != nil {
		return nil, plainURLError(err)
	}
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusNotModified {
		resp.Body.Close()
		return nil, &statusError{resp.StatusCode, resp.Header.Get("Retry-After")}
	}
	return resp, nil
}

// plainURLError leaves the query, which may hold a key, out of a message.
func plainURLError(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		if p, perr := url.Parse(u.URL); perr == nil {
			p.RawQuery, p.User = "", nil
			return fmt.Errorf("get %s: %w", p, u.Err)
		}
		return u.Err
	}
	return err
}

// keep writes a body to a file of the feed's folder, whole or not at all, and returns its hash.
func keep(path string, r io.Reader, limit int64) (print string, err error) {
	h := sha256.New()
	err = durable.Create(path, func(f *os.File) error {
		n, err := io.Copy(io.MultiWriter(f, h), io.LimitReader(r, limit+1))
		if err == nil && n > limit {
			err = fmt.Errorf("more than max_bytes (%d)", limit)
		}
		return err
	})
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}

// download brings the file at a URL, unless it is as it was.
func (f *feedState) download(ctx context.Context) error {
	w, err := f.newWeb()
	if err != nil {
		return err
	}
	defer w.close()
	etag, modified := f.state.ETag, f.state.Modified
	if f.state.Print == "" {
		etag, modified = "", ""
	}
	resp, err := w.get(ctx, f.feed.URL, [2]string{"If-None-Match", etag}, [2]string{"If-Modified-Since", modified})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusNotModified {
		return nil
	}
	if t, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type")); t == "text/html" {
		return errors.New("the server sent a web page, not a feed")
	}
	print, err := keep(filepath.Join(f.dir, bodyName), resp.Body, f.feed.MaxBytes)
	if err != nil {
		return err
	}
	f.state.Print, f.state.ETag, f.state.Modified = print, resp.Header.Get("ETag"), resp.Header.Get("Last-Modified")
	return nil
}
