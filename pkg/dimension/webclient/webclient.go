// Package webclient asks one HTTP server and does not let itself be led elsewhere: redirects stay on the host, so that the
// secrets in the headers do; certificates are checked; plain http is for this machine only, unless told; answers are bounded
// in size and time, also when they are compressed.
//
// It is not a browser: no cookies, no caching. Delivery: an answer is whole, or an error.
package webclient

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http/httpguts"

	"leat/internal/trust"
	"leat/pkg/dimension"
	"leat/pkg/dimension/secret"
)

const (
	maxRedirects = 5
	// firstPause is waited before the first retry; each further one waits twice as long, at most maxPause.
	firstPause = 500 * time.Millisecond
	maxPause   = 30 * time.Second
)

// Config says whom to ask and how.
type Config struct {
	// URL is https://; http:// is for loopback, or with Insecure.
	URL string `yaml:"url"`
	// Method is GET (default) or POST.
	Method string `yaml:"method"`
	// Headers of each request; a value may come from the environment or a file, which is read for each request.
	Headers map[string]secret.Value `yaml:"headers"`
	// CA is a PEM file of the authorities that are trusted instead of the system's.
	CA string `yaml:"ca"`
	// Cert and Key are PEM files of a certificate to show.
	Cert string `yaml:"cert"`
	Key  string `yaml:"cert_key"`
	// Timeout of one request with its answer; 0 = 30s.
	Timeout time.Duration `yaml:"timeout"`
	// Retries after no answer, 429, 502, 503 and 504; nil = 3.
	Retries *int `yaml:"retries"`
	// Insecure allows http:// over a network.
	Insecure bool `yaml:"insecure"`
}

// Check fills in what was left out and returns what is wrong.
func (c *Config) Check() (bad []dimension.Complaint) {
	add := func(key, format string, args ...any) {
		bad = append(bad, dimension.Complaint{Key: key, Message: fmt.Sprintf(format, args...)})
	}
	u, err := url.Parse(c.URL)
	switch {
	case c.URL == "":
		add("url", "no url; expected https://...")
	case err != nil || u.Host == "":
		add("url", "not a URL; expected https://host/path")
	case u.Scheme != "https" && u.Scheme != "http":
		add("url", "scheme %q; expected https", u.Scheme)
	case u.User != nil:
		add("url", "a user or password in the URL; expected headers: {Authorization: {env: NAME}}")
	case u.Scheme == "http" && !c.Insecure && !loopback(u.Hostname()):
		add("url", "http:// to another machine is readable for all between; expected https://, or insecure: true")
	}
	switch c.Method {
	case "":
		c.Method = http.MethodGet
	case http.MethodGet, http.MethodPost:
	default:
		add("method", "method %q; expected GET or POST", c.Method)
	}
	for name, v := range c.Headers {
		if !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(v.Text) {
			add("headers."+name, "not a header of HTTP")
		}
		if v.Zero() {
			add("headers."+name, "no value; expected a text, {env: NAME} or {file: PATH}")
		}
	}
	if (c.Cert == "") != (c.Key == "") {
		add("cert", "cert and cert_key belong together; expected both or neither")
	}
	if c.Timeout < 0 {
		add("timeout", "timeout %s; expected a duration above 0", c.Timeout)
	}
	if c.Timeout == 0 {
		c.Timeout = 30 * time.Second
	}
	if c.Retries == nil {
		n := 3
		c.Retries = &n
	}
	if *c.Retries < 0 || *c.Retries > 20 {
		add("retries", "retries %d; expected 0 to 20", *c.Retries)
	}
	return bad
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// Client asks the server of its Config. It may be used by many goroutines.
type Client struct {
	cfg    Config
	base   string
	url    *url.URL
	http   *http.Client
	jitter func() float64 // 0 to 1
	sleep  func(context.Context, time.Duration) error
}

// Open reads the certificates; relative files are below base. jitter gives numbers from 0 to 1 that spread retries.
func (c *Config) Open(base string, jitter func() float64) (*Client, error) {
	u, err := url.Parse(c.URL)
	if err != nil {
		return nil, errors.New("not a URL")
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CA != "" {
		if conf.RootCAs, err = trust.Pool(dimension.Below(base, c.CA)); err != nil {
			return nil, fmt.Errorf("read ca: %w", err)
		}
	}
	if c.Cert != "" {
		pair, err := tls.LoadX509KeyPair(dimension.Below(base, c.Cert), dimension.Below(base, c.Key))
		if err != nil {
			return nil, fmt.Errorf("read cert: %w", err)
		}
		conf.Certificates = []tls.Certificate{pair}
	}
	t := &http.Transport{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: conf, ForceAttemptHTTP2: true,
		DialContext:         (&net.Dialer{Timeout: c.Timeout}).DialContext,
		TLSHandshakeTimeout: c.Timeout, ResponseHeaderTimeout: c.Timeout, IdleConnTimeout: time.Minute,
		MaxIdleConnsPerHost: 32, MaxResponseHeaderBytes: 64 << 10,
	}
	cl := &Client{cfg: *c, base: base, url: u, jitter: jitter, sleep: sleep}
	cl.http = &http.Client{Transport: t, CheckRedirect: cl.redirect}
	return cl, nil
}

// URL is the configured one. The caller doesn't change it.
func (c *Client) URL() *url.URL { return c.url }

// Close frees idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Home says whether a URL is on the server that was configured: the same scheme, host and port.
func (c *Client) Home(u *url.URL) bool {
	return u.Scheme == c.url.Scheme && u.Host == c.url.Host && u.User == nil
}

func (c *Client) redirect(req *http.Request, via []*http.Request) error {
	if !c.Home(req.URL) {
		return final{fmt.Errorf("it redirects to another host (%s://%s), which is refused", req.URL.Scheme, req.URL.Host)}
	}
	if len(via) > maxRedirects {
		return final{fmt.Errorf("it redirects more than %d times", maxRedirects)}
	}
	return nil
}

// Request is one request to the server.
type Request struct {
	URL    *url.URL
	Header map[string]string // beside the configured ones
	Body   []byte            // of a POST
	// Max bounds the answer's bytes, as they are after decompression.
	Max int64
	// Show is what errors call the path, where the URL's has what must not be told; empty: the URL's.
	Show string
	// Prefix is put before the answer's bytes, so that they need not be copied for it.
	Prefix string
}

// Answer is what the server said.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// StatusError is an answer that is neither success nor 304.
type StatusError struct {
	Code int
	wait time.Duration
}

// Error names the status.
func (e *StatusError) Error() string { return fmt.Sprintf("%d %s", e.Code, http.StatusText(e.Code)) }

// Do asks, again as often as configured where the server is busy or away. Errors name method, host and path; neither the
// query of the URL nor headers, which may be secret.
func (c *Client) Do(ctx context.Context, r Request) (*Answer, error) {
	pause := firstPause
	for try := 0; ; try++ {
		a, err := c.once(ctx, r)
		if err == nil {
			return a, nil
		}
		wait := pause/2 + time.Duration(c.jitter()*float64(pause)/2)
		var st *StatusError
		again := true
		if errors.As(err, &st) {
			again = st.Code == http.StatusTooManyRequests || st.Code >= 502 && st.Code <= 504
			wait = max(wait, st.wait)
		}
		path := r.Show
		if path == "" {
			path = r.URL.EscapedPath()
		}
		err = fmt.Errorf("%s %s://%s%s: %w", c.cfg.Method, r.URL.Scheme, r.URL.Host, path, err)
		if !again || errors.Is(err, errFinal) || try >= *c.cfg.Retries || ctx.Err() != nil {
			return nil, err
		}
		if end, ok := ctx.Deadline(); ok && time.Until(end) < wait {
			return nil, err
		}
		if serr := c.sleep(ctx, wait); serr != nil {
			return nil, err
		}
		pause = min(2*pause, maxPause)
	}
}

// errFinal marks what another try would not change.
var errFinal = errors.New("not tried again")

// final is an error that another try would not change.
type final struct{ error }

func (final) Is(target error) bool { return target == errFinal }
func (f final) Unwrap() error      { return f.error }

func (c *Client) once(ctx context.Context, r Request) (*Answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	var body io.Reader
	if c.cfg.Method == http.MethodPost {
		body = bytes.NewReader(r.Body)
	}
	req, err := http.NewRequestWithContext(ctx, c.cfg.Method, r.URL.String(), body)
	if err != nil {
		return nil, final{errors.New("not a URL")}
	}
	req.Header.Set("User-Agent", "leat")
	for name, v := range c.cfg.Headers {
		s, err := v.Read(c.base)
		if err != nil {
			return nil, final{fmt.Errorf("header %s: %w", name, err)}
		}
		if !httpguts.ValidHeaderFieldValue(s) {
			return nil, final{fmt.Errorf("header %s: its value has characters that no header may have", name)}
		}
		if req.Header.Set(name, s); strings.EqualFold(name, "Host") {
			req.Host = s
		}
	}
	for name, s := range r.Header {
		req.Header.Set(name, s)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, told(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusNotModified && (res.StatusCode < 200 || res.StatusCode > 299) {
		return nil, &StatusError{Code: res.StatusCode, wait: retryAfter(res.Header.Get("Retry-After"), time.Now())}
	}
	data := bytes.NewBuffer(append(make([]byte, 0, 4096), r.Prefix...))
	n, err := data.ReadFrom(io.LimitReader(res.Body, r.Max+1))
	if err != nil {
		return nil, fmt.Errorf("the answer broke off after %d bytes: %w", n, err)
	}
	if n > r.Max {
		return nil, final{fmt.Errorf("the answer is longer than max_bytes (%d)", r.Max)}
	}
	return &Answer{res.StatusCode, res.Header, data.Bytes()}, nil
}

// told strips the URL from the library's error, which has the query; certificates that are wrong stay wrong.
func told(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	var cert *tls.CertificateVerificationError
	if errors.As(err, &cert) {
		return final{err}
	}
	return err
}

// retryAfter is how long the server wants to be left alone (RFC 9110, 10.2.3): seconds, or a date.
func retryAfter(s string, now time.Time) time.Duration {
	if n, err := strconv.Atoi(s); err == nil && n >= 0 {
		return time.Duration(min(n, 24*3600)) * time.Second
	}
	if t, err := http.ParseTime(s); err == nil {
		return min(max(t.Sub(now), 0), 24*time.Hour)
	}
	return 0
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
