package intel

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"leat/internal/duration"
	"leat/pkg/dimension"
	"leat/pkg/dimension/secret"
)

// site is a web server whose files tests change. It counts the requests it answers in full.
type site struct {
	sync.Mutex
	*httptest.Server
	files  map[string]string
	full   map[string]int
	down   bool
	secret string // Authorization that is wanted
}

func newSite(t *testing.T, tlsOn bool) *site {
	t.Helper()
	s := &site{files: map[string]string{}, full: map[string]int{}}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.Lock()
		defer s.Unlock()
		text, ok := s.files[r.URL.Path]
		switch {
		case s.down:
			w.WriteHeader(http.StatusServiceUnavailable)
		case s.secret != "" && r.Header.Get("Authorization") != s.secret:
			w.WriteHeader(http.StatusUnauthorized)
		case !ok:
			w.WriteHeader(http.StatusNotFound)
		default:
			tag := fmt.Sprintf(`"%d-%x"`, len(text), hashValue(URL, []byte(text)))
			w.Header().Set("ETag", tag)
			if r.Header.Get("If-None-Match") == tag {
				w.WriteHeader(http.StatusNotModified)
				return
			}
			s.full[r.URL.Path]++
			w.Header().Set("Content-Type", "text/plain")
			if strings.HasSuffix(r.URL.Path, ".html") {
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
			}
			_, _ = io.WriteString(w, text)
		}
	})
	if tlsOn {
		s.Server = httptest.NewUnstartedServer(h)
		s.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
		s.StartTLS()
	} else {
		s.Server = httptest.NewServer(h)
	}
	t.Cleanup(s.Close)
	return s
}

func (s *site) set(path, text string) {
	s.Lock()
	defer s.Unlock()
	s.files[path] = text
}

func (s *site) served(path string) int {
	s.Lock()
	defer s.Unlock()
	return s.full[path]
}

// clock is a clock that tests move.
type clock struct{ t time.Time }

func (c *clock) now() time.Time       { return c.t }
func (c *clock) pass(d time.Duration) { c.t = c.t.Add(d) }
func values(t *testing.T, f *dimension.Fetched) string {
	t.Helper()
	var out []string
	for v := range rows(t, f.Table) {
		out = append(out, v)
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}

func TestDownload(t *testing.T) {
	web := newSite(t, true)
	web.secret = "Bearer s3cret"
	web.set("/iocs.txt", "192.0.2.1\n")
	dir := write(t, t.TempDir(), "token", "Bearer s3cret\n")
	write(t, dir, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw})))
	c := &clock{noon}
	cfg := &Config{Feeds: []*Feed{{Name: "web", URL: web.URL + "/iocs.txt", Headers: map[string]secret.Value{"Authorization": {File: "token"}}, CA: "ca.pem", Interval: duration.Age(10 * time.Minute)}}, Allow: Allow{Builtin: no()}}
	s := source(t, cfg, dir, c.now)
	first := fetch(t, s)
	if got := values(t, first); got != "192.0.2.1" || !first.AsOf.Equal(noon) {
		t.Errorf("got %q as of %v", got, first.AsOf)
	}
	again := func(had dimension.Stamp, want error) *dimension.Fetched {
		t.Helper()
		f, err := s.Fetch(t.Context(), had)
		if !errors.Is(err, want) {
			t.Fatalf("got %v, want %v", err, want)
		}
		return f
	}
	again(first.Stamp, dimension.ErrUnchanged) // not due
	web.set("/iocs.txt", "192.0.2.1\n192.0.2.2\n")
	again(first.Stamp, dimension.ErrUnchanged) // still not
	c.pass(10 * time.Minute)
	second := again(first.Stamp, nil)
	if got := values(t, second); got != "192.0.2.1 192.0.2.2" || second.Version == first.Version {
		t.Errorf("got %q", got)
	}
	r := rows(t, second.Table)
	check(t, r, "192.0.2.1", `added="2026-11-24T12:00:00.000Z"`)
	check(t, r, "192.0.2.2", `added="2026-11-24T12:10:00.000Z"`)
	c.pass(10 * time.Minute)
	again(second.Stamp, dimension.ErrUnchanged) // 304
	if n := web.served("/iocs.txt"); n != 2 {
		t.Errorf("served %d times in full", n)
	}
	// Down: what is there stays, and is as old as it is.
	web.Lock()
	web.down = true
	web.Unlock()
	c.pass(2 * time.Hour)
	s.print = "" // as after a restart: the table is made again
	f := again(dimension.Stamp{}, nil)
	if got := values(t, f); got != "192.0.2.1 192.0.2.2" || !f.AsOf.Equal(noon.Add(20*time.Minute)) || f.Version != second.Version {
		t.Errorf("got %q as of %v", got, f.AsOf)
	}
}

// TestRestart: a new process with the same folder needs no network, and knows its stamp.
func TestRestart(t *testing.T) {
	web := newSite(t, false)
	web.set("/f.txt", "192.0.2.1\n")
	dir := t.TempDir()
	make1 := func() *Config {
		return &Config{Feeds: []*Feed{{Name: "web", URL: web.URL + "/f.txt"}}, Allow: Allow{Builtin: no()}}
	}
	one := source(t, make1(), dir, nil)
	had := fetch(t, one).Stamp
	two := source(t, make1(), dir, nil)
	two.dir, two.feeds[0].dir = one.dir, one.feeds[0].dir
	if err := two.feeds[0].load(); err != nil {
		t.Fatal(err)
	}
	web.Close()
	if _, err := two.Fetch(t.Context(), had); !errors.Is(err, dimension.ErrUnchanged) {
		t.Errorf("got %v", err)
	}
	if f := fetch(t, two); f.Version != had.Version {
		t.Errorf("version %s, then %s", had.Version, f.Version)
	}
}

func TestDownloadFaults(t *testing.T) {
	web := newSite(t, true)
	web.set("/f.txt", strings.Repeat("192.0.2.1\n", 100))
	web.set("/login.html", "192.0.2.1\n")
	web.set("/other.txt", "sorry\nnot today\n")
	dir := t.TempDir()
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw}))
	write(t, dir, "ca.pem", ca)
	write(t, dir, "bad.pem", "nothing")
	other := newSite(t, false)
	redirect := httptest.NewTLSServer(http.RedirectHandler(other.URL+"/f.txt", http.StatusFound))
	t.Cleanup(redirect.Close)
	write(t, dir, "other.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: redirect.Certificate().Raw})))
	for _, tt := range []struct {
		name string
		feed Feed
		want string
	}{
		{"unknown certificate", Feed{URL: web.URL + "/f.txt"}, "certificate"},
		{"not there", Feed{URL: web.URL + "/g.txt?key=s3cret", CA: "ca.pem"}, "404"},
		{"too big", Feed{URL: web.URL + "/f.txt", CA: "ca.pem", MaxBytes: 100}, "max_bytes"},
		{"a web page", Feed{URL: web.URL + "/login.html", CA: "ca.pem"}, "a web page"},
		{"no indicators", Feed{URL: web.URL + "/other.txt", CA: "ca.pem"}, "none of 2 records"},
		{"no CA", Feed{URL: web.URL + "/f.txt", CA: "bad.pem"}, "no certificate"},
		{"no secret", Feed{URL: web.URL + "/f.txt", CA: "ca.pem", Headers: map[string]secret.Value{"Auth-Key": {Env: "LEAT_TEST_NO_SUCH"}}}, "LEAT_TEST_NO_SUCH"},
		{"nobody there", Feed{URL: "http://127.0.0.1:1/f.txt?key=s3cret"}, "get http://127.0.0.1:1/f.txt:"},
		{"out of TLS", Feed{URL: redirect.URL + "/f.txt", CA: "other.pem"}, "redirected from https"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			feed := tt.feed
			feed.Name, feed.Format = "web", formatList
			s := source(t, &Config{Feeds: []*Feed{&feed}}, dir, nil)
			_, err := s.Fetch(t.Context(), dimension.Stamp{})
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "s3cret") {
				t.Errorf("got %v, want %q", err, tt.want)
			}
			feed.Optional = true
			if f, err := s.Fetch(t.Context(), dimension.Stamp{}); err != nil || f.Table.Rows() != 0 {
				t.Errorf("optional: %v", err)
			}
		})
	}
}

func TestCompressed(t *testing.T) {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	fmt.Fprint(w, "192.0.2.1\n")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got, _ := read(t, formatList, z.String())
	check(t, got, "192.0.2.1")
	got, _ = read(t, formatList, zipped(t, "192.0.2.2\n"))
	check(t, got, "192.0.2.2")
	// A bomb is cut at max_bytes of text.
	z.Reset()
	w = gzip.NewWriter(&z)
	for range 1000 {
		fmt.Fprint(w, strings.Repeat("192.0.2.1\n", 100))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	dir := write(t, t.TempDir(), "f.txt", z.String())
	s := source(t, &Config{Feeds: []*Feed{{Name: "f", File: "f.txt", MaxBytes: 100_000}}}, dir, nil)
	if _, err := s.Fetch(t.Context(), dimension.Stamp{}); err == nil || !strings.Contains(err.Error(), "max_bytes") {
		t.Errorf("got %v", err)
	}
	s = source(t, &Config{Feeds: []*Feed{{Name: "f", File: "f.txt"}}}, dir, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Fetch(ctx, dimension.Stamp{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestGlob(t *testing.T) {
	dir := write(t, t.TempDir(), "1.txt", "192.0.2.1\n")
	write(t, dir, "2.txt", "192.0.2.2\n")
	s := source(t, &Config{Feeds: []*Feed{{Name: "f", File: "*.txt", Format: formatList}}, Allow: Allow{Builtin: no()}}, dir, nil)
	if got := values(t, fetch(t, s)); got != "192.0.2.1 192.0.2.2" {
		t.Errorf("got %q", got)
	}
	if err := os.Remove(filepath.Join(dir, "1.txt")); err != nil {
		t.Fatal(err)
	}
	if got := values(t, fetch(t, s)); got != "192.0.2.2" {
		t.Errorf("got %q", got)
	}
	if err := os.Remove(filepath.Join(dir, "2.txt")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Fetch(t.Context(), dimension.Stamp{}); err == nil || !strings.Contains(err.Error(), `feed "f": open "*.txt"`) {
		t.Errorf("got %v", err)
	}
}

// TestArrivalsSurviveDamage: a torn file of arrivals costs the knowledge of what is new, no more.
func TestArrivalsSurviveDamage(t *testing.T) {
	dir := write(t, t.TempDir(), "f.txt", "192.0.2.1\n")
	c := &clock{noon}
	s := source(t, &Config{Feeds: []*Feed{{Name: "f", File: "f.txt"}}, Allow: Allow{Builtin: no()}}, dir, c.now)
	fetch(t, s)
	c.pass(time.Hour)
	check(t, rows(t, fetch(t, s).Table), "192.0.2.1", `added="2026-11-24T12:00:00.000Z"`)
	path := filepath.Join(s.dir, arrivalsName)
	for _, bad := range []string{"", "x", arrivalsMagic + "short", strings.Repeat("x", len(arrivalsMagic)+12)} {
		if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		c.pass(time.Hour)
		check(t, rows(t, fetch(t, s).Table), "192.0.2.1", `added="`+c.t.Format("2006-01-02T15:04:05.000Z")+`"`)
	}
}

func FuzzAllow(f *testing.F) {
	f.Add([]byte("10.0.0.0/8\n.example.com\n*.x.y\n"))
	f.Add([]byte(`{"type":"hostname","list":["a.b",".c.d"]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		a := newAllowList()
		path := filepath.Join(t.TempDir(), "allow")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		_, _ = a.readAllow(path)
		for v := range a.exact {
			if benign, _ := a.holds([]byte(v), Domain); !benign {
				t.Fatalf("%q is not on its own list", v)
			}
		}
	})
}
