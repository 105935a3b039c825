package intel

import (
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"leat/pkg/dimension"
	"leat/pkg/dimension/secret"
	"leat/pkg/event"
)

// TestLongLists: a list of any length is gone through, and one event carries no more than maxHits.
func TestLongLists(t *testing.T) {
	var lines, clean []string
	for i := range 200 {
		lines = append(lines, fmt.Sprintf("192.0.2.%d", i))
		clean = append(clean, fmt.Sprintf(`"198.51.%d.%d"`, i/256, i%256), fmt.Sprintf(`"h%d.a.b.c.example"`, i))
	}
	set := listed(t, append(lines, "evil.example")...)
	m := NewMatcher(set, MatchOptions{Related: true})
	got := hitsOf(m, parse(t, `{"dns":{"resolved_ip":[`+strings.Join(clean, ",")+`,"192.0.2.7"]},"related":{"hosts":[`+strings.Join(clean, ",")+`,"x.evil.example"]}}`))
	if got != "dns.resolved_ip=192.0.2.7 related.hosts=x.evil.example>evil.example" {
		t.Errorf("got %s", got)
	}
	e := parse(t, `{"related":{"ip":["`+strings.Join(lines, `","`)+`"]}}`)
	if hits := m.Match(e); len(hits) != maxHits {
		t.Errorf("%d hits", len(hits))
	}
	if n, err := m.Enrich(e); n != maxHits || err != nil {
		t.Errorf("%d hits, %v", n, err)
	}
	count := 0
	for range e.Get(event.MustPath("threat.enrichments")).Elements {
		count++
	}
	if count != maxHits {
		t.Errorf("%d enrichments", count)
	}
}

// FuzzMatch: no event makes the matcher fail, nor the event it writes be none; and a second time nothing is added.
func FuzzMatch(f *testing.F) {
	f.Add([]byte(`{"source":{"ip":"192.0.2.1"},"url":{"full":"http://evil.example/a"},"threat":{"enrichments":[1,null,{"a":"]"}]}}`))
	f.Add([]byte(`{"dns":{"resolved_ip":["192.0.2.1","\u0031"]},"email":{"from":{"address":"a@evil.example"}},"threat":{"indicator":null}}`))
	f.Add([]byte(`{"threat":7,"url":{"original":"http://[::1","domain":null},"file":{"hash":{"md5":["x"]}}}`))
	set := listed(f, "192.0.2.1", "evil.example", "198.51.100.0/24", "http://evil.example/a", strings.Repeat("a", 32))
	m := NewMatcher(set, MatchOptions{Related: true})
	f.Fuzz(func(t *testing.T, line []byte) {
		var e event.Event
		e.Reset(line)
		if e.Parse() != nil {
			return
		}
		n, err := m.Enrich(&e)
		out := e.Append(nil)
		var again event.Event
		again.Reset(out)
		if perr := again.Parse(); perr != nil {
			t.Fatalf("%q becomes %q: %v", line, out, perr)
		}
		if err != nil || n == 0 {
			return
		}
		if k, err := m.Enrich(&again); k != n || err != nil || string(again.Append(nil)) != string(out) {
			t.Fatalf("%q becomes %q, and then %q", line, out, again.Append(nil))
		}
	})
}

// TestSecretStaysHome: who is asked at another host by a redirection gets no secret.
func TestSecretStaysHome(t *testing.T) {
	var got []string
	other := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header.Get("Auth-Key")+r.Header.Get("Authorization"))
		fmt.Fprintln(w, "192.0.2.1")
	}))
	defer other.Close()
	var had string
	home := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		had = r.Header.Get("Auth-Key")
		http.Redirect(w, r, strings.Replace(other.URL, "127.0.0.1", "localhost", 1)+"/f.txt", http.StatusFound)
	}))
	defer home.Close()
	dir := t.TempDir()
	var ca string
	for _, s := range []*httptest.Server{home, other} {
		ca += string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
	}
	write(t, dir, "ca.pem", ca)
	t.Setenv("LEAT_TEST_KEY", "s3cret")
	feed := &Feed{Name: "f", URL: home.URL + "/f.txt", CA: "ca.pem", Headers: map[string]secret.Value{"Auth-Key": {Env: "LEAT_TEST_KEY"}}}
	s := source(t, &Config{Feeds: []*Feed{feed}}, dir, nil)
	// The certificate is of 127.0.0.1 and example.com: another name is not believed, and then nothing was sent at all.
	_, err := s.Fetch(t.Context(), dimension.Stamp{})
	if had != "s3cret" || err == nil && strings.Join(got, "") != "" || strings.Join(got, "") != "" {
		t.Errorf("home got %q, the other %q, %v", had, got, err)
	}
	w, err := s.feeds[0].newWeb()
	if err != nil {
		t.Fatal(err)
	}
	first, err := http.NewRequest(http.MethodGet, home.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	next, err := http.NewRequest(http.MethodGet, "https://elsewhere.example/", nil)
	if err != nil {
		t.Fatal(err)
	}
	next.Header = w.headers.Clone()
	if err := w.redirect(next, []*http.Request{first}); err != nil || next.Header.Get("Auth-Key") != "" {
		t.Errorf("%v, Auth-Key %q", err, next.Header.Get("Auth-Key"))
	}
	if err := w.redirect(next, []*http.Request{first, first, first, first, first}); err == nil {
		t.Error("redirections without end")
	}
}
