package httptable

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"leat/pkg/dimension"
	"leat/pkg/dimension/webclient"
	"leat/pkg/yamlfile"
)

func open(t *testing.T, c Config, lim dimension.Limits) dimension.Source {
	t.Helper()
	none := 0
	c.Retries = &none
	if bad := c.Check(); len(bad) > 0 {
		t.Fatal(bad)
	}
	s, err := c.Open(dimension.Env{Name: "assets", Log: slog.New(slog.DiscardHandler), Now: time.Now, Limits: lim})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// say answers each path with its text.
func say(t *testing.T, answers map[string]string) string {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		text, ok := answers[r.URL.RequestURI()]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = io.WriteString(w, text)
	})
}

func all(f *dimension.Fetched) string {
	var out []byte
	for row := range f.Table.Rows() {
		out = f.Table.AppendRow(out, row)
	}
	return string(out)
}

func TestFormats(t *testing.T) {
	base := say(t, map[string]string{
		"/array":  "\ufeff [{\"a\":1,\"o\":{\"c\":[1,\"x\"]}},{\"a\":null,\"b\":1.50}] ",
		"/deep":   `{"data":{"items":[{"a":1}]},"n":1}`,
		"/ndjson": "{\"a\":1}\r\n\n{\"a\":2}",
		"/csv":    "\ufeffa,b\n1,\"x\"\"y\"\n,2\n",
		"/empty":  `[]`,
	})
	for _, c := range []struct{ path, format, rows, want string }{
		{"/array", "", "", `{"a":1,"o.c":[1,"x"]}{"b":1.50}`},
		{"/deep", "json", "data.items", `{"a":1}`},
		{"/ndjson", "ndjson", "", `{"a":1}{"a":2}`},
		{"/csv", "csv", "", `{"a":"1","b":"x\"y"}{"b":"2"}`},
		{"/empty", "json", "", ``},
	} {
		s := open(t, Config{Config: webclient.Config{URL: base + c.path}, Format: c.format, Rows: c.rows}, dimension.Limits{})
		f, err := s.Fetch(t.Context(), dimension.Stamp{})
		if err != nil || all(f) != c.want {
			t.Errorf("%s: %+v, %v; want %s", c.path, f, err, c.want)
			continue
		}
		if _, err := s.Fetch(t.Context(), f.Stamp); !errors.Is(err, dimension.ErrUnchanged) {
			t.Errorf("%s again: %v", c.path, err)
		}
	}
}

func TestFaults(t *testing.T) {
	base := say(t, map[string]string{
		"/torn": `[{"a":1},{"a"`, "/html": `<html>`, "/two": `[] []`, "/inject": `[{"a":1}],"v":[{"a":2}]`, "/object": `{"a":[1]}`, "/scalars": `[1]`,
		"/big": `[{"a":1},{"a":2},{"a":3}]`, "/ndjson": "{\"a\":1}\n{\"a\":", "/csv": "a,b\n1\n", "/csv2": "a,a\n", "/csv3": "", "/none": "",
		"/true": `{"v":[],"next":true}`,
	})
	for _, c := range []struct {
		path, format, rows, want string
		next                     *Next
	}{
		{"/torn", "", "", "not JSON", nil}, {"/html", "", "", "not JSON", nil}, {"/two", "", "", "not JSON", nil}, {"/inject", "", "", "not JSON", nil},
		{"/none", "", "", "not JSON", nil},
		{"/object", "", "", "expected an array", nil}, {"/object", "", "x", `rows "x" is missing`, nil}, {"/object", "", "a", "row 1: not a JSON object", nil},
		{"/scalars", "", "", "row 1", nil}, {"/absent", "", "", "404 Not Found", nil},
		{"/big", "", "", "more than max_rows", nil},
		{"/ndjson", "ndjson", "", "row 2", nil},
		{"/csv", "csv", "", "row 1 is torn", nil}, {"/csv2", "csv", "", "column 2", nil}, {"/csv3", "csv", "", "no header line", nil},
		{"/true", "", "v", "next.path", &Next{Path: "next"}},
	} {
		s := open(t, Config{Config: webclient.Config{URL: base + c.path}, Format: c.format, Rows: c.rows, Next: c.next}, dimension.Limits{Rows: 2})
		if f, err := s.Fetch(t.Context(), dimension.Stamp{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: %v, %v; want %s", c.path, c.rows, f, err, c.want)
		}
	}
	s := open(t, Config{Config: webclient.Config{URL: base + "/big"}, MaxBytes: 10}, dimension.Limits{})
	if _, err := s.Fetch(t.Context(), dimension.Stamp{}); err == nil || !strings.Contains(err.Error(), "max_bytes") {
		t.Error(err)
	}
}

func TestPages(t *testing.T) {
	var base string
	base = serve(t, func(w http.ResponseWriter, r *http.Request) {
		page := func(n int, next string) { fmt.Fprintf(w, `{"items":[{"n":%d}],"meta":{"next":%s}}`, n, next) }
		q := r.URL.Query()
		switch r.URL.Path {
		case "/link":
			switch q.Get("p") {
			case "":
				w.Header().Add("Link", `</x>; rel="first", <`+base+`/link?p=2>; title="a, <b>"; rel="prev next"`)
				page(1, "0")
			case "2":
				w.Header().Add("Link", `<?p=1>; rel=prev`)
				page(2, "0")
			}
		case "/url":
			if q.Get("p") == "" {
				page(1, `"/url?p=2"`)
			} else {
				page(2, "null")
			}
		case "/cursor":
			if q.Get("keep") != "1" {
				w.WriteHeader(http.StatusBadRequest)
			}
			switch q.Get("c") {
			case "":
				page(1, `"a&b=c/é"`)
			case "a&b=c/é":
				page(2, `17`)
			case "17":
				page(3, `""`)
			}
		case "/away":
			page(1, `"https://evil.example.test/x"`)
		case "/loop":
			page(1, `"/loop"`)
		case "/file":
			page(1, `"file:///etc/passwd"`)
		}
	})
	for _, c := range []struct {
		path string
		next Next
		want string
	}{
		{"/link", Next{Header: "link"}, `{"n":1}{"n":2}`},
		{"/url", Next{Path: "meta.next"}, `{"n":1}{"n":2}`},
		{"/cursor?keep=1", Next{Path: "meta.next", Param: "c"}, `{"n":1}{"n":2}{"n":3}`},
		{"/away", Next{Path: "meta.next"}, "error: the next page is on another host"},
		{"/file", Next{Path: "meta.next"}, "error: the next page is on another host"},
		{"/loop", Next{Path: "meta.next"}, "error: the next page is one that was read already"},
	} {
		s := open(t, Config{Config: webclient.Config{URL: base + c.path}, Rows: "items", Next: &c.next}, dimension.Limits{})
		f, err := s.Fetch(t.Context(), dimension.Stamp{})
		got := fmt.Sprintf("error: %v", err)
		if err == nil {
			got = all(f)
		}
		if got != c.want && !(strings.HasPrefix(c.want, "error") && strings.HasPrefix(got, c.want)) {
			t.Errorf("%s: %s; want %s", c.path, got, c.want)
		}
	}
}

// TestConditions: where the server calls its answer by a name, it is asked for nothing again, not even over a restart.
func TestConditions(t *testing.T) {
	version, sent := 1, 0
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		tag := fmt.Sprintf(`"v%d"`, version)
		if r.URL.Path == "/dated" {
			tag = time.Unix(int64(1e9+version), 0).UTC().Format(http.TimeFormat)
			w.Header().Set("Last-Modified", tag)
		} else {
			w.Header().Set("ETag", tag)
		}
		if r.Header.Get("If-None-Match") == tag || r.Header.Get("If-Modified-Since") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		sent++
		fmt.Fprintf(w, `[{"n":%d}]`, version)
	})
	for _, path := range []string{"/tagged", "/dated"} {
		version, sent = 1, 0
		conf := Config{Config: webclient.Config{URL: base + path}}
		f, err := open(t, conf, dimension.Limits{}).Fetch(t.Context(), dimension.Stamp{})
		if err != nil {
			t.Fatal(err)
		}
		// What a restart keeps is JSON.
		raw, err := json.Marshal(f.Stamp)
		if err != nil {
			t.Fatal(err)
		}
		var had dimension.Stamp
		if err := json.Unmarshal(raw, &had); err != nil {
			t.Fatal(err)
		}
		s := open(t, conf, dimension.Limits{})
		same, err := s.Fetch(t.Context(), had)
		if !errors.Is(err, dimension.ErrUnchanged) || sent != 1 || same.Version != f.Version || same.Cursor != f.Cursor || same.AsOf.Before(f.AsOf) {
			t.Errorf("%s: %+v, %v, sent %d times", path, same, err, sent)
		}
		version = 2
		if f, err = s.Fetch(t.Context(), had); err != nil || all(f) != `{"n":2}` {
			t.Errorf("%s: %+v, %v", path, f, err)
		}
		// Another question has another answer.
		conf.URL += "?q=1"
		if _, err := open(t, conf, dimension.Limits{}).Fetch(t.Context(), f.Stamp); !errors.Is(err, dimension.ErrUnchanged) || sent != 3 {
			t.Errorf("%s: the name of another answer was sent: %v, sent %d times", path, err, sent)
		}
	}
}

func TestPost(t *testing.T) {
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, `[{"m":%q,"b":%q,"t":%q}]`, r.Method, body, r.Header.Get("Content-Type"))
	})
	var c Config
	doc := "url: " + base + "\nmethod: POST\nbody: '{\"q\":1}'\nheaders: {Content-Type: application/json}\n"
	if _, err := yamlfile.Decode("enrich.yaml", []byte(doc), &c); err != nil {
		t.Fatal(err)
	}
	f, err := open(t, c, dimension.Limits{}).Fetch(t.Context(), dimension.Stamp{})
	if err != nil || all(f) != `{"m":"POST","b":"{\"q\":1}","t":"application/json"}` {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestCheck(t *testing.T) {
	for doc, want := range map[string]string{
		"format: xml":                      "format",
		"format: csv\nrows: a":             "rows",
		"rows: 'a..b'":                     "rows",
		"body: x":                          "body",
		"next: {header: x}":                "next.header",
		"next: {}":                         "next",
		"next: {header: link, path: a}":    "next",
		"next: {header: link, param: a}":   "next.param",
		"format: csv\nnext: {path: a}":     "next.path",
		"next: {path: 'a..b'}":             "next.path",
		"max_bytes: -1":                    "max_bytes",
		"next: {path: a.b, param: cursor}": "",
		"rows: data.items\nformat: json":   "",
	} {
		var c Config
		if _, err := yamlfile.Decode("enrich.yaml", []byte("url: https://h/x\n"+doc), &c); err != nil {
			t.Fatalf("%s: %v", doc, err)
		}
		var got []string
		for _, b := range c.Check() {
			got = append(got, b.Key)
		}
		if strings.Join(got, ",") != want {
			t.Errorf("%s: %q; want %q", doc, got, want)
		}
	}
}

func FuzzPage(f *testing.F) {
	f.Add("json", `[{"a":1}]`)
	f.Add("json", `{"d":[{"a":{"b":[1]}}],"n":"x"}`)
	f.Add("csv", "a,b\n1,2\n")
	f.Add("ndjson", "{\"a\":1}\n")
	f.Fuzz(func(t *testing.T, format, body string) {
		c := Config{Config: webclient.Config{URL: "https://h/"}, Format: format}
		if len(c.Check()) > 0 {
			return
		}
		p := pages{cfg: &c, b: dimension.NewBuilder(dimension.Limits{Rows: 100}), sum: discard{}}
		if p.read([]byte(p.prefix()+body)) != nil {
			return
		}
		tab := p.b.Table()
		for row := range tab.Rows() {
			if raw := tab.AppendRow(nil, row); !json.Valid(raw) {
				t.Fatalf("%q: row %q", body, raw)
			}
		}
	})
}

// discard is a hash of nothing.
type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) Sum(b []byte) []byte         { return b }
func (discard) Reset()                      {}
func (discard) Size() int                   { return 0 }
func (discard) BlockSize() int              { return 1 }

func FuzzNextLink(f *testing.F) {
	f.Add(`<https://h/2>; rel="next"`)
	f.Add(`<a>; rel=x, <b>; title="\",<"; rel="next last"`)
	f.Fuzz(func(t *testing.T, h string) {
		if got := nextLink([]string{h}); got != "" && !strings.Contains(h, "<"+got+">") {
			t.Fatalf("%q: %q", h, got)
		}
	})
}
