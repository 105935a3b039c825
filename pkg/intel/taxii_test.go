package intel

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"leat/pkg/dimension"
)

// taxiiServer is a TAXII 2.1 server with one API root and pages of two objects.
type taxiiServer struct {
	sync.Mutex
	*httptest.Server
	collections []collection
	objects     map[string][]taxiiObject // by collection
	queries     []string
	noNext      bool // pages by added_after only
	endless     bool
	failAt      int // the nth question for objects is answered by 500
}

type taxiiObject struct {
	added time.Time
	json  string
}

func newTAXII(t *testing.T) *taxiiServer {
	t.Helper()
	s := &taxiiServer{objects: map[string][]taxiiObject{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /taxii2/", s.answer(func(*http.Request) any {
		return map[string]any{"title": "test", "default": "/api1/", "api_roots": []string{"/api1/"}}
	}))
	mux.HandleFunc("GET /api1/", s.answer(func(*http.Request) any {
		return map[string]any{"title": "root", "versions": []string{taxiiType}, "max_content_length": 1 << 20}
	}))
	mux.HandleFunc("GET /api1/collections/", s.answer(func(*http.Request) any {
		return map[string]any{"collections": s.collections}
	}))
	mux.HandleFunc("GET /api1/collections/{id}/objects/", s.page)
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// good tells whether a request is as the specification wants it, and answers otherwise.
func (s *taxiiServer) good(w http.ResponseWriter, r *http.Request) bool {
	user, password, _ := r.BasicAuth()
	switch {
	case r.Header.Get("Accept") != "application/taxii+json;version=2.1":
		w.WriteHeader(http.StatusNotAcceptable)
	case user != "ann" || password != "s3cret":
		w.WriteHeader(http.StatusUnauthorized)
	default:
		w.Header().Set("Content-Type", taxiiType)
		return true
	}
	return false
}

func (s *taxiiServer) answer(f func(r *http.Request) any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.Lock()
		defer s.Unlock()
		if s.good(w, r) {
			_ = json.NewEncoder(w).Encode(f(r))
		}
	}
}

func (s *taxiiServer) page(w http.ResponseWriter, r *http.Request) {
	s.Lock()
	defer s.Unlock()
	if !s.good(w, r) {
		return
	}
	s.queries = append(s.queries, r.URL.RawQuery)
	if len(s.queries) == s.failAt {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	after, _ := time.Parse(time.RFC3339Nano, r.URL.Query().Get("added_after"))
	var list []taxiiObject
	for _, o := range s.objects[r.PathValue("id")] {
		if o.added.After(after) {
			list = append(list, o)
		}
	}
	skip, _ := strconv.Atoi(r.URL.Query().Get("next"))
	list = list[min(skip, len(list)):]
	more := len(list) > 2
	list = list[:min(2, len(list))]
	out := map[string]any{"more": more || s.endless}
	var objects []json.RawMessage
	for _, o := range list {
		objects = append(objects, json.RawMessage(o.json))
	}
	if len(objects) > 0 {
		out["objects"] = objects
		w.Header().Set("X-TAXII-Date-Added-First", list[0].added.Format(time.RFC3339Nano))
		w.Header().Set("X-TAXII-Date-Added-Last", list[len(list)-1].added.Format(time.RFC3339Nano))
	}
	if more && !s.noNext {
		out["next"] = strconv.Itoa(skip + 2)
	}
	_ = json.NewEncoder(w).Encode(out)
}

func (s *taxiiServer) add(collection string, minute int, object string) {
	s.Lock()
	defer s.Unlock()
	s.objects[collection] = append(s.objects[collection], taxiiObject{noon.Add(time.Duration(minute) * time.Minute), object})
}

func (s *taxiiServer) asked() string {
	s.Lock()
	defer s.Unlock()
	q := strings.Join(s.queries, " ")
	s.queries = nil
	return q
}

func stixIP(id, ip, modified, more string) string {
	return fmt.Sprintf(`{"type":"indicator","id":"indicator--%s","modified":"%s","pattern":"[ipv4-addr:value = '%s']","pattern_type":"stix","valid_from":"2026-01-01T00:00:00Z"%s}`, id, modified, ip, more)
}

func taxiiConfig(t *testing.T, url string, collections ...string) (*Config, string) {
	t.Helper()
	return &Config{Feeds: []*Feed{{Name: "taxii", TAXII: url, Collections: collections, Username: "ann", PasswordFile: "password"}}, Allow: Allow{Builtin: no()}},
		write(t, t.TempDir(), "password", "s3cret\n")
}

func TestTAXII(t *testing.T) {
	for _, noNext := range []bool{false, true} {
		t.Run(fmt.Sprintf("next=%v", !noNext), func(t *testing.T) {
			srv := newTAXII(t)
			srv.noNext = noNext
			srv.collections = []collection{{ID: "c1", Title: "High", CanRead: true}, {ID: "c2", Title: "Secret"}, {ID: "c3", Alias: "low", Title: "Low", CanRead: true}}
			for i := range 5 {
				srv.add("c1", i, stixIP(fmt.Sprint(i), fmt.Sprintf("192.0.2.%d", i), "2026-11-01T00:00:00Z", ""))
			}
			srv.add("c3", 1, stixIP("low", "198.51.100.1", "2026-11-01T00:00:00Z", ""))
			cfg, dir := taxiiConfig(t, srv.URL+"/taxii2/")
			c := &clock{noon}
			s := source(t, cfg, dir, c.now)
			first := fetch(t, s)
			if got := values(t, first); got != "192.0.2.0 192.0.2.1 192.0.2.2 192.0.2.3 192.0.2.4 198.51.100.1" {
				t.Errorf("got %q", got)
			}
			srv.asked()
			// One is revoked, one is new; only these are asked for.
			srv.add("c1", 10, stixIP("1", "192.0.2.1", "2026-11-02T00:00:00Z", `,"revoked":true`))
			srv.add("c1", 11, stixIP("9", "192.0.2.9", "2026-11-02T00:00:00Z", ""))
			c.pass(time.Hour)
			f, err := s.Fetch(t.Context(), first.Stamp)
			if err != nil {
				t.Fatal(err)
			}
			if got := values(t, f); got != "192.0.2.0 192.0.2.2 192.0.2.3 192.0.2.4 192.0.2.9 198.51.100.1" {
				t.Errorf("got %q", got)
			}
			if got := srv.asked(); got != "added_after=2026-11-24T12%3A04%3A00Z added_after=2026-11-24T12%3A01%3A00Z" {
				t.Errorf("asked %q", got)
			}
		})
	}
}

func TestTAXIICollections(t *testing.T) {
	srv := newTAXII(t)
	srv.collections = []collection{{ID: "c1", Title: "High", CanRead: true}, {ID: "c3", Alias: "low", Title: "Low", CanRead: true}}
	srv.add("c1", 1, stixIP("1", "192.0.2.1", "2026-11-01T00:00:00Z", ""))
	srv.add("c3", 1, stixIP("2", "192.0.2.2", "2026-11-01T00:00:00Z", ""))
	for _, tt := range []struct {
		url    string
		choose []string
		want   string
	}{
		{"/taxii2/", []string{"low"}, "192.0.2.2"},
		{"/taxii2", []string{"High"}, "192.0.2.1"},
		{"/api1/", []string{"c1", "c3"}, "192.0.2.1 192.0.2.2"},
		{"/api1/collections/c1/", nil, "192.0.2.1"},
		{"/api1/collections/c1/objects/", nil, "192.0.2.1"},
	} {
		cfg, dir := taxiiConfig(t, srv.URL+tt.url, tt.choose...)
		if got := values(t, fetch(t, source(t, cfg, dir, nil))); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.url, got, tt.want)
		}
	}
}

// TestTAXIIGoesOn: a refresh that fails in the middle is finished by the next, and a torn line of the store costs nothing.
func TestTAXIIGoesOn(t *testing.T) {
	srv := newTAXII(t)
	srv.collections = []collection{{ID: "c1", Title: "High", CanRead: true}}
	for i := range 5 {
		srv.add("c1", i, stixIP(fmt.Sprint(i), fmt.Sprintf("192.0.2.%d", i), "2026-11-01T00:00:00Z", ""))
	}
	srv.failAt = 2
	cfg, dir := taxiiConfig(t, srv.URL+"/taxii2/")
	c := &clock{noon}
	s := source(t, cfg, dir, c.now)
	if _, err := s.Fetch(t.Context(), dimension.Stamp{}); err == nil || !strings.Contains(err.Error(), `collection "High": the server answered 500`) {
		t.Fatalf("got %v", err)
	}
	first := fetch(t, s)
	if first.Table.Rows() != 5 {
		t.Errorf("%d rows", first.Table.Rows())
	}
	store := filepath.Join(s.feeds[0].dir, storeName)
	f, err := os.OpenFile(store, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"type":"indicator","id":"ind`); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	srv.add("c1", 20, stixIP("20", "192.0.2.20", "2026-11-01T00:00:00Z", ""))
	c.pass(time.Hour)
	got, err := s.Fetch(t.Context(), first.Stamp)
	if err != nil {
		t.Fatal(err)
	}
	if got.Table.Rows() != 6 {
		t.Errorf("%d rows", got.Table.Rows())
	}
}

func TestTAXIIFaults(t *testing.T) {
	srv := newTAXII(t)
	srv.collections = []collection{{ID: "c1", Title: "High", CanRead: true}}
	srv.add("c1", 1, stixIP("1", "192.0.2.1", "2026-11-01T00:00:00Z", ""))
	garbage := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }))
	t.Cleanup(garbage.Close)
	foreign := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"title":"x","api_roots":["http://192.0.2.99/api/"]}`)
	}))
	t.Cleanup(foreign.Close)
	for _, tt := range []struct {
		name, url, want string
		choose          []string
		endless         bool
	}{
		{"no such collection", srv.URL + "/taxii2/", "no collection", []string{"x"}, false},
		{"not TAXII", garbage.URL, "not the JSON", nil, false},
		{"root elsewhere", foreign.URL, "another host", nil, false},
		{"pages without end", srv.URL + "/api1/", "not where", nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			srv.Lock()
			srv.endless = tt.endless
			srv.Unlock()
			cfg, dir := taxiiConfig(t, tt.url, tt.choose...)
			if _, err := source(t, cfg, dir, nil).Fetch(t.Context(), dimension.Stamp{}); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
