package remote

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"leat/pkg/dimension"
	"leat/pkg/dimension/webclient"
)

// hostile are keys as an attacker would choose them.
var hostile = []string{
	`x'); drop table users; --`, `' or '1'='1`, `{a,b}`, `"`, `\`, `\"`, `NULL`, ` `, "new\r\nX-Injected: 1", `%`, `%2e%2e%2f`, `_`, `$1`, `é`, `"]}`, `[1]`,
	`../../admin`, `/etc/passwd`, `//evil.example.test/`, `?admin=1`, `#frag`, `a&admin=1`, `a;b`, `http://evil.example.test`, `@evil.example.test`, `:80`,
	`*`, `*)(uid=*`, `)(|(uid=*))`, `a\2a`, `(`, `{key}`, `{keys}`, `a b+c`, `.x.`, `...x`,
}

func env(t *testing.T) dimension.Env {
	t.Helper()
	return dimension.Env{Name: "test", Log: slog.New(slog.DiscardHandler), Now: time.Now}
}

// backend opens a checked configuration.
func backend(t *testing.T, c *Config) Backend {
	t.Helper()
	if bad := c.Check(); len(bad) > 0 {
		t.Fatal(bad)
	}
	b, err := c.Open(env(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if cl, ok := b.(io.Closer); ok {
			if err := cl.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	return b
}

func web(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// TestHTTPKeys: whatever a key is, the server gets it as one segment or one value, and nothing else.
func TestHTTPKeys(t *testing.T) {
	for _, at := range []string{"/users/{key}/info", "/users?id={key}&x=1"} {
		base := web(t, func(w http.ResponseWriter, r *http.Request) {
			q := r.URL.Query()
			key := q.Get("id")
			if strings.HasPrefix(at, "/users/") {
				segments := strings.Split(r.URL.EscapedPath(), "/")
				if len(segments) != 4 || segments[1] != "users" || segments[3] != "info" || r.URL.RawQuery != "" {
					t.Errorf("led astray: %s", r.RequestURI)
				}
				key, _ = url.PathUnescape(segments[2])
			} else if len(q) != 2 || q.Get("x") != "1" || r.URL.Path != "/users" {
				t.Errorf("led astray: %s", r.RequestURI)
			}
			if r.Header.Get("X-Injected") != "" {
				t.Errorf("a header was put in: %s", r.RequestURI)
			}
			_ = json.NewEncoder(w).Encode(map[string]string{"key": key})
		})
		b := backend(t, &Config{HTTP: &HTTPConfig{Config: webclient.Config{URL: base + at}}})
		for _, k := range hostile {
			rows, err := b.Lookup(t.Context(), []string{k})
			var got struct{ Key string }
			if err != nil || json.Unmarshal(rows[k], &got) != nil || got.Key != k {
				t.Errorf("%s: %q: %q, %v", at, k, rows, err)
			}
		}
		for _, k := range []string{".", "..", "..."} {
			if rows, err := b.Lookup(t.Context(), []string{k}); err != nil || len(rows) != 0 {
				t.Errorf("%q: %q, %v", k, rows, err)
			}
		}
	}
}

func TestHTTPAnswers(t *testing.T) {
	base := web(t, func(w http.ResponseWriter, r *http.Request) {
		switch key := strings.TrimPrefix(r.URL.Path, "/"); key {
		case "404", "410", "400", "414", "422", "401", "403", "429", "500", "503", "204":
			var code int
			_, _ = fmt.Sscan(key, &code)
			w.WriteHeader(code)
		case "alice":
			_, _ = io.WriteString(w, `{"data": {"user": {"name": "Alice"}}}`)
		case "list":
			_, _ = io.WriteString(w, `{"data": {"user": [{"name": "Bob"}, 1]}}`)
		case "none":
			_, _ = io.WriteString(w, `{"data": {"user": []}}`)
		case "null":
			_, _ = io.WriteString(w, `{"data": null}`)
		case "text":
			_, _ = io.WriteString(w, `{"data": {"user": "x"}}`)
		case "html":
			_, _ = io.WriteString(w, `<html>`)
		case "inject":
			_, _ = io.WriteString(w, `{}, "v": {"data": {"user": {}}}`)
		case "torn":
			_, _ = io.WriteString(w, `{"data": {"user": {"name"`)
		case "long":
			_, _ = io.WriteString(w, `{"data": "`+strings.Repeat("x", 2000)+`"}`)
		case "away":
			http.Redirect(w, r, "http://198.51.100.1/", http.StatusFound)
		}
	})
	b := backend(t, &Config{HTTP: &HTTPConfig{Config: webclient.Config{URL: base + "/{key}"}, Row: "data.user", MaxBytes: 1000}})
	for key, want := range map[string]string{
		"alice": `{"name": "Alice"}`, "list": `{"name": "Bob"}`, "none": "", "null": "", "404": "", "410": "", "204": "",
		"400": "keys", "414": "keys", "422": "keys",
		"401": "error", "403": "error", "429": "error", "500": "error", "503": "error", "text": "error", "html": "error", "inject": "error", "torn": "error",
		"long": "error", "away": "error",
	} {
		rows, err := b.Lookup(t.Context(), []string{key})
		got := string(rows[key])
		switch {
		case errors.Is(err, ErrKeys):
			got = "keys"
		case err != nil:
			got = "error"
		}
		if got != want {
			t.Errorf("%s: %s, %v; want %s", key, got, err, want)
		}
		if err != nil && (!strings.Contains(err.Error(), base) || strings.Contains(err.Error(), "/"+key)) && got != "error" {
			t.Errorf("%s: the error tells the key, or not the place: %v", key, err)
		}
	}
}

// TestHTTPErrorsTellNoKeys: keys are people's names, and errors go to logs.
func TestHTTPErrorsTellNoKeys(t *testing.T) {
	base := web(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	b := backend(t, &Config{HTTP: &HTTPConfig{Config: webclient.Config{URL: base + "/users/{key}?k={x}"}}})
	if _, err := b.Lookup(t.Context(), []string{"alice"}); err == nil || strings.Contains(err.Error(), "alice") || !strings.Contains(err.Error(), "/users/{key}") {
		t.Error(err)
	}
}

func TestHTTPBatch(t *testing.T) {
	var body atomic.Value
	answer := ""
	base := web(t, func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		body.Store(r.Header.Get("Content-Type") + " " + string(raw))
		_, _ = io.WriteString(w, answer)
	})
	post := webclient.Config{URL: base, Method: http.MethodPost}
	all := append([]string{"alice", "Bob"}, hostile...)
	for _, c := range []struct {
		cfg    HTTPConfig
		answer string
		want   string
	}{
		{HTTPConfig{Rows: "items", Key: "user.id"}, `{"items":[{"user":{"id":"alice"},"n":1},{"user":{"id":"alice"},"n":2},{"user":{"id":"mallory"}},{"user":{"id":"bob"}},{},1]}`, `alice={"user":{"id":"alice"},"n":1}`},
		{HTTPConfig{Rows: "items", Key: "id", Fold: true}, `{"items":[{"id":"ALICE"},{"id":"bob"}]}`, `Bob={"id":"bob"} alice={"id":"ALICE"}`},
		{HTTPConfig{}, `{"alice":{"n":1},"Bob":null,"mallory":{}}`, `alice={"n":1}`},
		{HTTPConfig{}, `[]`, `error`},
		{HTTPConfig{Key: "id"}, `{}`, `error`},
		{HTTPConfig{}, `<html>`, `error`},
	} {
		c.cfg.Config, c.cfg.Body = post, `{"ids": {keys}, "more": true}`
		answer = c.answer
		b := backend(t, &Config{HTTP: &c.cfg})
		rows, err := b.Lookup(t.Context(), all)
		var got []string
		for _, k := range []string{"Bob", "alice"} {
			if row, ok := rows[k]; ok {
				got = append(got, k+"="+string(row))
				delete(rows, k)
			}
		}
		if err != nil {
			got = []string{"error"}
		}
		if s := strings.Join(got, " "); s != c.want || len(rows) > 0 {
			t.Errorf("%+v: %s, %v, %v; want %s", c.cfg, s, rows, err, c.want)
		}
		// The body is JSON with the keys as they are.
		sent, ok := strings.CutPrefix(body.Load().(string), "application/json ")
		var asked struct {
			IDs  []string `json:"ids"`
			More bool     `json:"more"`
		}
		if err := json.Unmarshal([]byte(sent), &asked); !ok || err != nil || fmt.Sprint(asked.IDs) != fmt.Sprint(all) || !asked.More {
			t.Errorf("%s: %v", sent, err)
		}
	}
}

// TestOutage runs a cache against a real server that dies in mid-run: what is known is served as stale, at once when the breaker is
// open; back again, answers are fresh.
func TestOutage(t *testing.T) {
	var down atomic.Bool
	base := web(t, func(w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			panic(http.ErrAbortHandler)
		}
		fmt.Fprintf(w, `{"path":%q}`, r.URL.Path)
	})
	var mu sync.Mutex
	now := time.Now()
	pass := func(d time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(d)
	}
	cfg := Config{HTTP: &HTTPConfig{Config: webclient.Config{URL: base + "/{key}"}}, TTL: time.Minute, Timeout: time.Minute, Wait: time.Minute, Breaker: BreakerConfig{Failures: 2}}
	b := backend(t, &cfg)
	c, err := New(cfg, b, Options{Name: "test", Now: func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	expect(t, "up", states(c, "a", "b"), "hit hit")
	down.Store(true)
	expect(t, "down, and known", states(c, "a"), "hit")
	pass(2 * time.Minute)
	expect(t, "down", states(c, "a", "b", "c"), "stale stale error")
	expect(t, "open", states(c, "a", "d"), "stale error")
	c.mu.RLock()
	state := c.breaker.state(c.opt.Now())
	c.mu.RUnlock()
	if state != open {
		t.Errorf("the breaker is in state %d", state)
	}
	down.Store(false)
	expect(t, "up again, still in the pause", states(c, "a"), "stale")
	pass(time.Minute)
	expect(t, "after the pause", states(c, "a"), "hit")
	expect(t, "all", states(c, "a", "b", "c", "d"), "hit hit hit hit")
}

func FuzzFill(f *testing.F) {
	for _, k := range hostile {
		f.Add(k)
	}
	f.Fuzz(func(t *testing.T, key string) {
		u, ok := fill("https://h.example.test/a/{key}/b?x=1", key)
		if !ok {
			if strings.Trim(key, ".") != "" {
				t.Fatalf("%q fits none", key)
			}
			return
		}
		s := strings.Split(u.EscapedPath(), "/")
		if u.Host != "h.example.test" || u.RawQuery != "x=1" || u.Fragment != "" || len(s) != 4 || s[1] != "a" || s[3] != "b" {
			t.Fatalf("%q: %s", key, u)
		}
		if got, err := url.PathUnescape(s[2]); err != nil || got != key {
			t.Fatalf("%q: %q, %v", key, got, err)
		}
	})
}
