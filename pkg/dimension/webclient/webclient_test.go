package webclient

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"leat/internal/testdc"
	"leat/pkg/dimension/secret"
)

// server runs h over TLS, and returns its address and its certificate's file.
func server(t *testing.T, h http.HandlerFunc) (addr, ca string) {
	t.Helper()
	s := httptest.NewTLSServer(h)
	t.Cleanup(s.Close)
	ca = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return s.URL, ca
}

func open(t *testing.T, c Config) *Client {
	t.Helper()
	if bad := c.Check(); len(bad) > 0 {
		t.Fatal(bad)
	}
	cl, err := c.Open("", func() float64 { return 0.5 })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	cl.sleep = func(context.Context, time.Duration) error { return nil }
	return cl
}

func get(t *testing.T, cl *Client) (string, error) {
	t.Helper()
	a, err := cl.Do(t.Context(), Request{URL: cl.URL(), Max: 1 << 20})
	if err != nil {
		return "", err
	}
	return string(a.Body), nil
}

func TestHeadersComeFromTheirPlaces(t *testing.T) {
	addr, ca := server(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Method+" "+r.Header.Get("Authorization")+" "+r.Header.Get("X-One"))
	})
	file := filepath.Join(t.TempDir(), "token")
	write := func(s string) {
		if err := os.WriteFile(file, []byte(s+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("Bearer one")
	t.Setenv("LEAT_TEST_ONE", "1")
	cl := open(t, Config{URL: addr, CA: ca, Headers: map[string]secret.Value{"authorization": {File: file}, "X-One": {Env: "LEAT_TEST_ONE"}}})
	if got, err := get(t, cl); got != "GET Bearer one 1" {
		t.Errorf("%q, %v", got, err)
	}
	write("Bearer two") // it was replaced: no restart
	if got, err := get(t, cl); got != "GET Bearer two 1" {
		t.Errorf("%q, %v", got, err)
	}
	write("bad\nvalue")
	if _, err := get(t, cl); err == nil || strings.Contains(err.Error(), "bad\nvalue") {
		t.Error(err)
	}
}

// TestNoSecretLeavesTheHost: neither by a redirect, nor in an error.
func TestNoSecretLeavesTheHost(t *testing.T) {
	var stolen atomic.Int64
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { stolen.Add(1) }))
	defer thief.Close()
	addr, ca := server(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, thief.URL, http.StatusFound)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/here":
			http.Redirect(w, r, "/end", http.StatusTemporaryRedirect)
		case "/end":
			_, _ = io.WriteString(w, r.Header.Get("Authorization"))
		}
	})
	ask := func(path string) (string, error) {
		return get(t, open(t, Config{URL: addr + path + "?key=hunter2", CA: ca, Headers: map[string]secret.Value{"Authorization": {Text: "s3cret"}}}))
	}
	if _, err := ask("/away"); err == nil || !strings.Contains(err.Error(), "another host") || strings.Contains(err.Error(), "hunter2") {
		t.Error(err)
	}
	if _, err := ask("/loop"); err == nil || !strings.Contains(err.Error(), "redirects more than") || strings.Contains(err.Error(), "hunter2") {
		t.Error(err)
	}
	if got, err := ask("/here"); got != "s3cret" {
		t.Error(got, err)
	}
	if stolen.Load() != 0 {
		t.Error("the other host was asked")
	}
}

func TestRetries(t *testing.T) {
	var n atomic.Int64
	addr, ca := server(t, func(w http.ResponseWriter, r *http.Request) {
		switch n.Add(1) {
		case 1:
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusTooManyRequests)
		case 2:
			w.WriteHeader(http.StatusServiceUnavailable)
		case 3:
			w.Header().Set("Content-Length", "100") // and the connection breaks
			_, _ = io.WriteString(w, "he")
		default:
			_, _ = io.WriteString(w, "here")
		}
	})
	cl := open(t, Config{URL: addr, CA: ca})
	var waits []time.Duration
	cl.sleep = func(_ context.Context, d time.Duration) error {
		waits = append(waits, d)
		return nil
	}
	if got, err := get(t, cl); got != "here" {
		t.Fatal(got, err)
	}
	if len(waits) != 3 || waits[0] != 7*time.Second || waits[1] != 750*time.Millisecond || waits[2] != 1500*time.Millisecond {
		t.Errorf("waited %s", waits)
	}
}

func TestFaults(t *testing.T) {
	var asked atomic.Int64
	done := make(chan struct{})
	addr, ca := server(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		switch r.URL.Path {
		case "/403":
			w.WriteHeader(http.StatusForbidden)
		case "/500":
			w.WriteHeader(http.StatusInternalServerError)
		case "/long":
			_, _ = io.WriteString(w, strings.Repeat("x", 1<<20+1))
		case "/bomb":
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			block := make([]byte, 1<<20)
			for range 64 {
				if _, err := z.Write(block); err != nil {
					return
				}
			}
			_ = z.Close()
		case "/cut":
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "short")
		case "/endless":
			for {
				if _, err := io.WriteString(w, "x"); err != nil {
					return
				}
				w.(http.Flusher).Flush()
				select {
				case <-done:
					return
				case <-time.After(10 * time.Millisecond):
				}
			}
		case "/never":
			<-done
		}
	})
	t.Cleanup(func() { close(done) }) // before the server's end
	for _, c := range []struct {
		path, want string
		timeout    time.Duration
		asked      int64
	}{
		{"/403", "403 Forbidden", 0, 1},
		{"/500", "500 Internal Server Error", 0, 1},
		{"/long", "longer than max_bytes", 0, 1},
		{"/bomb", "longer than max_bytes", 0, 1},
		{"/cut", "broke off after 5 bytes", 0, 2},
		{"/endless", "broke off", 200 * time.Millisecond, 2},
		{"/never", "deadline exceeded", 200 * time.Millisecond, 2},
	} {
		asked.Store(0)
		one := 1
		_, err := get(t, open(t, Config{URL: addr + c.path, CA: ca, Timeout: c.timeout, Retries: &one}))
		// A connection that is slow to be made counts as a try, but not as a question.
		if err == nil || !strings.Contains(err.Error(), c.want) && !(c.timeout > 0 && isTimeout(err)) || c.timeout == 0 && asked.Load() != c.asked {
			t.Errorf("%s: asked %d times: %v; want %q, asked %d times", c.path, asked.Load(), err, c.want, c.asked)
		}
	}
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.As(err, &t) && t.Timeout()
}

func TestCertificates(t *testing.T) {
	dir := t.TempDir()
	ours, other := testdc.NewAuthority(t), testdc.NewAuthority(t)
	ca := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(ca, ours.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		by   *testdc.Authority
		cert testdc.Cert
		max  uint16
		want string
	}{
		{"right", ours, testdc.Cert{IPs: []string{"127.0.0.1"}}, 0, ""},
		{"expired", ours, testdc.Cert{IPs: []string{"127.0.0.1"}, Expires: time.Now().Add(-time.Hour)}, 0, "expired"},
		{"another host's", ours, testdc.Cert{Names: []string{"db.example.test"}}, 0, "127.0.0.1"},
		{"another authority's", other, testdc.Cert{IPs: []string{"127.0.0.1"}}, 0, "unknown authority"},
		{"TLS 1.1", ours, testdc.Cert{IPs: []string{"127.0.0.1"}}, tls.VersionTLS11, "protocol version"},
	} {
		certPEM, keyPEM := c.by.Issue(t, c.cert)
		pair, err := tls.X509KeyPair(certPEM, keyPEM)
		if err != nil {
			t.Fatal(err)
		}
		s := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
		s.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS10, MaxVersion: c.max}
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		s.StartTLS()
		_, err = get(t, open(t, Config{URL: s.URL, CA: ca}))
		s.Close()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v; want %q", c.name, err, c.want)
		}
	}
}

func TestCheck(t *testing.T) {
	many := 21
	for _, c := range []struct {
		cfg Config
		key string
	}{
		{Config{}, "url"},
		{Config{URL: "host/path"}, "url"},
		{Config{URL: "ftp://host/"}, "url"},
		{Config{URL: "https://u:p@host/"}, "url"},
		{Config{URL: "http://host.example.test/"}, "url"},
		{Config{URL: "http://192.0.2.1/"}, "url"},
		{Config{URL: "http://host.example.test/", Insecure: true}, ""},
		{Config{URL: "http://127.0.0.1:8080/"}, ""},
		{Config{URL: "http://[::1]/"}, ""},
		{Config{URL: "https://h/", Method: "PUT"}, "method"},
		{Config{URL: "https://h/", Headers: map[string]secret.Value{"a b": {Text: "x"}}}, "headers.a b"},
		{Config{URL: "https://h/", Headers: map[string]secret.Value{"A": {}}}, "headers.A"},
		{Config{URL: "https://h/", Headers: map[string]secret.Value{"A": {Text: "x\r\nB: y"}}}, "headers.A"},
		{Config{URL: "https://h/", Cert: "x"}, "cert"},
		{Config{URL: "https://h/", Timeout: -1}, "timeout"},
		{Config{URL: "https://h/", Retries: &many}, "retries"},
	} {
		var got []string
		for _, b := range c.cfg.Check() {
			got = append(got, b.Key)
		}
		if strings.Join(got, ",") != c.key {
			t.Errorf("%+v: %q; want %q", c.cfg, got, c.key)
		}
	}
	bad := filepath.Join(t.TempDir(), "bad.pem")
	if err := os.WriteFile(bad, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []Config{{URL: "https://h/", CA: bad}, {URL: "https://h/", CA: bad + "x"}, {URL: "https://h/", Cert: bad, Key: bad}} {
		if _, err := c.Open("", nil); err == nil {
			t.Errorf("%+v: no error", c)
		}
	}
}

func TestHome(t *testing.T) {
	cl := open(t, Config{URL: "https://api.example.test/v1"})
	for s, want := range map[string]bool{
		"https://api.example.test/v2?x=1": true, "http://api.example.test/": false, "https://api.example.test:8443/": false,
		"https://api.example.test.evil.test/": false, "https://api.example.test@evil.test/": false, "https://u@api.example.test/": false,
	} {
		u, err := url.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		if cl.Home(u) != want {
			t.Errorf("%s: %v", s, !want)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for s, want := range map[string]time.Duration{
		"": 0, "5": 5 * time.Second, "-1": 0, "x": 0, "99999999999": 24 * time.Hour, "999999": 24 * time.Hour,
		"Tue, 24 Nov 2026 12:00:30 GMT": 30 * time.Second, "Tue, 24 Nov 2026 11:00:00 GMT": 0,
	} {
		if got := retryAfter(s, now); got != want {
			t.Errorf("%q: %s; want %s", s, got, want)
		}
	}
}
