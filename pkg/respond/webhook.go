package respond

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"leat/internal/trust"
)

// Webhook posts one JSON object to a URL and takes a status of 2xx as success. The signature follows the Standard
// Webhooks specification 1.0 (headers webhook-id, webhook-timestamp, webhook-signature).
type Webhook struct {
	// URL must be https; http is for this machine alone.
	URL string `yaml:"url"`
	// Headers are sent as they stand; HeadersEnv takes values from variables of the environment (tokens).
	Headers    map[string]string `yaml:"headers"`
	HeadersEnv map[string]string `yaml:"headers_env"`
	// SecretEnv or SecretFile holds the secret of the signature; one that begins with whsec_ is base64.
	SecretEnv  string `yaml:"secret_env"`
	SecretFile string `yaml:"secret_file"`
	// Timeout bounds each attempt (default 10s). Attempts bounds their number (default 4).
	Timeout  time.Duration `yaml:"timeout"`
	Attempts int           `yaml:"attempts"`
	// CAFile holds certificates (PEM) to trust instead of the system's.
	CAFile string `yaml:"ca_file"`

	header http.Header
	secret []byte
	client *http.Client
	// backoff is the pause before the attempt n (from 1), set by tests.
	backoff func(n int) time.Duration
	now     func() time.Time
}

// ownHeaders are respond's to set.
var ownHeaders = []string{"Content-Type", "Content-Length", "Host", "Idempotency-Key", "Webhook-Id", "Webhook-Timestamp", "Webhook-Signature", "User-Agent", "Transfer-Encoding", "Connection"}

func (c *check) webhook(a *Action, in func(...any) []any) {
	w := a.Webhook
	u, err := url.Parse(w.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		c.fault(in("webhook", "url"), "url is %q; expected https://host/path", w.URL)
		return
	case u.Scheme == "http" && !loopback(u.Hostname()):
		c.fault(in("webhook", "url"), "http would send alerts readable over the network; expected https (http only to this machine)")
	case u.User != nil:
		c.fault(in("webhook", "url"), "credentials in a url end up in logs; expected headers_env: {Authorization: VARIABLE}")
	}
	c.headers(w, in)
	c.secretOf(w, in)
	if w.Timeout == 0 {
		w.Timeout = 10 * time.Second
	}
	if w.Timeout < 0 || w.Timeout > time.Minute {
		c.fault(in("webhook", "timeout"), "timeout is %v; expected more than 0s, at most 1m", w.Timeout)
	}
	if w.Attempts == 0 {
		w.Attempts = 4
	}
	if w.Attempts < 1 || w.Attempts > 10 {
		c.fault(in("webhook", "attempts"), "attempts is %d; expected 1 to 10", w.Attempts)
	}
	tlsConfig := &tls.Config{MinVersion: tls.VersionTLS12}
	if w.CAFile != "" {
		if tlsConfig.RootCAs, err = trust.Pool(c.path(w.CAFile)); err != nil {
			c.fault(in("webhook", "ca_file"), "%v", err)
		}
	}
	w.client = &http.Client{
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: tlsConfig, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute},
		// A redirect would carry the alert, and the signature, to somebody whom the playbook does not name.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	w.backoff, w.now = pause, time.Now
	if a.Name == "" {
		a.Name = "webhook:" + tame(u.Hostname())
	}
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

func (c *check) path(p string) string {
	if filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(c.dir, p)
}

func (c *check) headers(w *Webhook, in func(...any) []any) {
	w.header = http.Header{}
	set := func(key, name, value string) {
		canonical := http.CanonicalHeaderKey(name)
		for _, own := range ownHeaders {
			if canonical == own {
				c.fault(in("webhook", key, name), "the header %s is set by respond", name)
				return
			}
		}
		if !validHeader(name, value) {
			c.fault(in("webhook", key, name), "%q is no header, or its value has a line break", name)
			return
		}
		w.header.Set(canonical, value)
	}
	for name, value := range w.Headers {
		set("headers", name, value)
	}
	for name, env := range w.HeadersEnv {
		value := os.Getenv(env)
		if value == "" {
			c.fault(in("webhook", "headers_env", name), "the variable %s is empty or not set", env)
			continue
		}
		set("headers_env", name, value)
	}
}

func validHeader(name, value string) bool {
	return name != "" && strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789-_") == "" && !strings.ContainsAny(value, "\r\n\x00")
}

func (c *check) secretOf(w *Webhook, in func(...any) []any) {
	var text string
	switch {
	case w.SecretEnv != "" && w.SecretFile != "":
		c.fault(in("webhook", "secret_file"), "both secret_env and secret_file; expected one of them")
		return
	case w.SecretEnv != "":
		if text = os.Getenv(w.SecretEnv); text == "" {
			c.fault(in("webhook", "secret_env"), "the variable %s is empty or not set", w.SecretEnv)
			return
		}
	case w.SecretFile != "":
		b, err := os.ReadFile(c.path(w.SecretFile))
		if err != nil {
			c.fault(in("webhook", "secret_file"), "%v", err)
			return
		}
		if text = strings.TrimSpace(string(b)); text == "" {
			c.fault(in("webhook", "secret_file"), "the file %s is empty", w.SecretFile)
			return
		}
	default:
		return
	}
	w.secret = []byte(text)
	if b64, ok := strings.CutPrefix(text, "whsec_"); ok {
		raw, err := base64.StdEncoding.DecodeString(b64)
		if err != nil || len(raw) == 0 {
			c.fault(in("webhook"), "the secret begins with whsec_ and is not base64 behind it")
			return
		}
		w.secret = raw
	}
}

// sign returns the value of webhook-signature: base64 of HMAC-SHA256 over id.timestamp.body (Standard Webhooks 1.0).
func sign(secret []byte, id, timestamp string, body []byte) string {
	m := hmac.New(sha256.New, secret)
	m.Write([]byte(id + "." + timestamp + "."))
	m.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(m.Sum(nil))
}

// pause is exponential from half a second to ten, with jitter so that many callers don't come back at once.
func pause(n int) time.Duration {
	d := min(500*time.Millisecond<<min(n-1, 5), 10*time.Second)
	return d/2 + rand.N(d/2+1)
}

// maxRetryAfter bounds what a receiver may ask us to wait.
const maxRetryAfter = 30 * time.Second

// run posts the request until it is taken, refused for good, or the attempts are used up.
func (w *Webhook) run(ctx context.Context, r *request) (string, error) {
	var detail string
	var err error
	for n := 1; ; n++ {
		var wait time.Duration
		var again bool
		detail, wait, again, err = w.post(ctx, r)
		if err == nil || !again || n == w.Attempts {
			break
		}
		t := time.NewTimer(max(w.backoff(n), wait))
		select {
		case <-ctx.Done():
			t.Stop()
			return detail, context.Cause(ctx)
		case <-t.C:
		}
	}
	return detail, err
}

func (w *Webhook) post(ctx context.Context, r *request) (detail string, wait time.Duration, again bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, w.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL, bytes.NewReader(r.body))
	if err != nil {
		return "", 0, false, err
	}
	req.Header = w.header.Clone()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "leat-respond")
	req.Header.Set("Idempotency-Key", r.job.Key)
	if w.secret != nil {
		ts := strconv.FormatInt(w.now().Unix(), 10)
		req.Header.Set("Webhook-Id", r.job.Key)
		req.Header.Set("Webhook-Timestamp", ts)
		req.Header.Set("Webhook-Signature", sign(w.secret, r.job.Key, ts, r.body))
	}
	resp, err := w.client.Do(req)
	if err != nil {
		var certErr *tls.CertificateVerificationError
		return "", 0, !errors.As(err, &certErr), bare(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxOutput))
	detail = resp.Status
	if resp.StatusCode/100 == 2 {
		return detail, 0, false, nil
	}
	switch resp.StatusCode {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusTooEarly:
		again = true
	default:
		again = resp.StatusCode >= 500 && resp.StatusCode != http.StatusNotImplemented
	}
	if s, aerr := strconv.Atoi(resp.Header.Get("Retry-After")); aerr == nil && s > 0 {
		wait = min(time.Duration(s)*time.Second, maxRetryAfter)
	}
	if resp.StatusCode/100 == 3 {
		return detail, 0, false, fmt.Errorf("answered %s: redirects are not followed", resp.Status)
	}
	return detail, wait, again, fmt.Errorf("answered %s%s", resp.Status, quoted(clip(string(body), 200)))
}

// bare takes the URL out of an error: it may hold a token.
func bare(err error) error {
	var ue *url.Error
	if errors.As(err, &ue) {
		err = ue.Err
	}
	var ne net.Error
	if errors.As(err, &ne) && ne.Timeout() {
		return errors.New("no answer in time")
	}
	return err
}
