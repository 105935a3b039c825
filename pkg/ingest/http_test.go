package ingest

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"leat/pkg/stage"
)

// answer is what a sender gets.
type answer struct {
	status     int
	retryAfter string
	body       string
}

// post sends a body until the listener is there.
func post(t *testing.T, c *http.Client, url, body string, header ...string) answer {
	t.Helper()
	var a answer
	waitFor(t, "an answer", func() bool {
		req, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i+1 < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		resp, err := c.Do(req)
		if err != nil {
			if strings.Contains(err.Error(), "refused") {
				return false
			}
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		a = answer{resp.StatusCode, resp.Header.Get("Retry-After"), string(text)}
		return true
	})
	return a
}

// Every form that senders have, with and without the journal.
func TestHTTP(t *testing.T) {
	for _, resume := range []bool{false, true} {
		addr := freePort(t, "tcp")
		cfg := testConfig(t, "http://"+addr+"/logs?max_body=20000")
		if resume {
			cfg.Resume = filepath.Join(t.TempDir(), "lake")
		}
		k := &keeper{t: t}
		stop := following(t, cfg, k)
		base := "http://" + addr
		var want []string
		for _, c := range []struct {
			path, body string
			header     []string
			status     int
			says       string
			records    []string
		}{
			{"/logs", "one\ntwo\r\n\nthree", nil, 200, `{"accepted":3}`, []string{"one", "two", "three"}},
			{"/logs", "", nil, 200, `{"accepted":0}`, nil},
			{"/logs", `{"a":1}` + "\n" + `{"a":2}`, []string{"Content-Type", "application/x-ndjson"}, 200, ":2}", []string{`{"a":1}`, `{"a":2}`}},
			{"/logs", `[{"a":3}, "text", 4]`, []string{"Content-Type", "application/json; charset=utf-8"}, 200, ":3}", []string{`{"a":3}`, `"text"`, `4`}},
			{"/logs", "{\n \"a\": 5\n}\n", []string{"Content-Type", "application/json"}, 200, ":1}", []string{"{\n \"a\": 5\n}"}},
			{"/logs", "no JSON\nat all", []string{"Content-Type", "application/json"}, 200, ":2}", []string{"no JSON", "at all"}},
			{"/logs", `{"@leat":{"mark":9}}`, nil, 200, ":1}", []string{`{"@leat":{"mark":9}}`}},
			{"/logs", string(gzipped1(t, "zipped\nlines\n")), []string{"Content-Encoding", "gzip"}, 200, ":2}", []string{"zipped", "lines"}},
			{"/logs", string(zstded(t, "zstd\n")), []string{"Content-Encoding", "zstd"}, 200, ":1}", []string{"zstd"}},
			{"/logs", "not gzip", []string{"Content-Encoding", "gzip"}, 400, "gzip", nil},
			{"/logs", string(gzipped1(t, "torn gzip"))[:20], []string{"Content-Encoding", "gzip"}, 400, "error", nil},
			{"/logs", "x", []string{"Content-Encoding", "br"}, 415, "gzip, zstd", nil},
			{"/logs", strings.Repeat("x", 20001), nil, 413, "max_body", nil},
			{"/logs", string(gzipped1(t, strings.Repeat("x", 1<<20))), []string{"Content-Encoding", "gzip"}, 413, "max_body", nil},
			{"/other", "x", nil, 404, "/logs", nil},
			{"/services/collector/event", `{"event":"one","host":"h"}{"event":{"b":2},"time":1.5}` + "\n", nil, 200, `"code":0`,
				[]string{`{"event":"one","host":"h"}`, `{"event":{"b":2},"time":1.5}`}},
			{"/services/collector", "", nil, 400, `"code":5`, nil},
			{"/services/collector/event", `{"event":"good"} nonsense`, nil, 400, `"code":6`, nil},
			{"/services/collector/raw", "raw 1\nraw 2", nil, 200, `"code":0`, []string{"raw 1", "raw 2"}},
			{"/_bulk", "{\"create\":{}}\n{\"m\":1}\n{ \"index\" : {\"_index\":\"x\"}}\n{\"m\":2}\n", nil, 200, `"status":201`, []string{`{"m":1}`, `{"m":2}`}},
			{"/logs-app/_bulk", "{\"create\":{}}\n{\"m\":3}\n", nil, 200, `"errors":false`, []string{`{"m":3}`}},
			{"/_bulk", "{\"delete\":{\"_id\":\"1\"}}\n", nil, 400, "index or create", nil},
			{"/_bulk", "{\"create\":{}}\n", nil, 400, "no document", nil},
		} {
			a := post(t, http.DefaultClient, base+c.path, c.body, c.header...)
			if a.status != c.status || !strings.Contains(a.body, c.says) || a.status != 404 && !json.Valid([]byte(a.body)) {
				t.Errorf("%s %.60q: %d %s, want %d with %s", c.path, c.body, a.status, a.body, c.status, c.says)
			}
			want = append(want, c.records...)
			// The answer says that they are there; only the journal's reader may still be on its way.
			if !resume && len(k.originals()) != len(want) {
				t.Fatalf("%s: answered, and %d records of %d are written", c.path, len(k.originals()), len(want))
			}
		}
		for path, status := range map[string]int{"/logs": 405, "/services/collector/health": 200} {
			resp, err := http.Get(base + path)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != status || status == 405 && resp.Header.Get("Allow") != "POST, PUT" {
				t.Errorf("GET %s: %+v", path, resp)
			}
		}
		k.await(len(want))
		stop()
		if got := k.originals(); !slices.Equal(got, want) {
			t.Errorf("resume %v: got %q\nwant %q", resume, got, want)
		}
		uniqueIDs(t, k)
		for _, r := range k.recs {
			if host, _, err := net.SplitHostPort(r.Log.Source.Address); err != nil || host != "127.0.0.1" {
				t.Errorf("log.source.address %q", r.Log.Source.Address)
			}
		}
	}
}

// Full, the journal answers 429 with Retry-After and takes nothing; a sender that comes again loses and doubles nothing. What
// was answered 2xx is there after a stop without any commit.
func TestHTTPBackPressure(t *testing.T) {
	addr := freePort(t, "tcp")
	lakeDir := filepath.Join(t.TempDir(), "lake")
	cfg := testConfig(t, "http://"+addr+"/")
	cfg.Resume, cfg.JournalMax = lakeDir, 20_000
	stop := following(t, cfg, &keeper{t: t}) // commits nothing
	var taken []string
	full := answer{}
	for i := 0; full.status == 0; i++ {
		line := fmt.Sprintf("request %d %0500d", i, 0)
		switch a := post(t, http.DefaultClient, "http://"+addr+"/", line); {
		case a.status == 200:
			taken = append(taken, line)
		case i > 200:
			t.Fatalf("never full: %+v", a)
		default:
			full = a
		}
	}
	if full.status != http.StatusTooManyRequests || full.retryAfter != "1" || len(taken) < 10 {
		t.Errorf("full after %d: %+v", len(taken), full)
	}
	stop()
	// With a lake that commits, the same sender gets through.
	cfg.MarkEvery = MarkEvery{Time: 20 * time.Millisecond}
	k := &keeper{t: t, commit: lakeWriter(t, lakeDir)}
	stop = following(t, cfg, k)
	for i := range 100 {
		line := fmt.Sprintf("later %d %0500d", i, 0)
		waitFor(t, "room", func() bool {
			a := post(t, http.DefaultClient, "http://"+addr+"/", line)
			return a.status == 200
		})
		taken = append(taken, line)
	}
	k.await(len(taken))
	stop()
	exactly(t, k.originals(), taken)
}

// Where the output is gone the run ends, and the sender is told that its records were not taken.
func TestHTTPWithoutOutput(t *testing.T) {
	addr := freePort(t, "tcp")
	src, err := New(testConfig(t, "http://"+addr+"/"))
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	done := make(chan error, 1)
	go func() { done <- stage.Pump(context.Background(), src, stage.NewWriter(w, nil)) }()
	connect(t, addr).Close()
	resp, err := http.Post("http://"+addr+"/", "", strings.NewReader("x"))
	if err == nil {
		resp.Body.Close()
		if resp.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("status %d", resp.StatusCode)
		}
	}
	if err := <-done; !errors.Is(err, stage.ErrClosed) {
		t.Errorf("run: %v", err)
	}
}

func TestHTTPToken(t *testing.T) {
	addr := freePort(t, "tcp")
	file := filepath.Join(t.TempDir(), "tokens")
	writeFile(t, file, "old-token\nnew-token\n")
	k := &keeper{t: t}
	stop := following(t, testConfig(t, "http://"+addr+"/?token="+file), k)
	url := "http://" + addr
	for header, status := range map[string]int{
		"": 401, "Bearer": 401, "Bearer wrong": 401, "Bearer old-token": 200, "Splunk new-token": 200, "ApiKey new-token": 200, "Bearer new-token2": 401,
		"Basic " + "dXNlcjpuZXctdG9rZW4=": 200, "Basic " + "bmV3LXRva2VuOnVzZXI=": 401,
	} {
		if a := post(t, http.DefaultClient, url, "x", "Authorization", header); a.status != status {
			t.Errorf("%q: %d, want %d", header, a.status, status)
		}
	}
	if a := post(t, http.DefaultClient, url+"/services/collector/event", `{"event":1}`); a.status != 401 || !strings.Contains(a.body, `"code":4`) {
		t.Errorf("collector without token: %+v", a)
	}
	stop()
	if n := len(k.originals()); n != 4 {
		t.Errorf("%d records", n)
	}
}

func TestHTTPS(t *testing.T) {
	ca := newAuthority(t)
	cert, key := ca.sign("collector.test", false)
	clientCert, clientKey := ca.sign("sender.test", false)
	addr := freePort(t, "tcp")
	k := &keeper{t: t}
	stop := following(t, testConfig(t, "https://"+addr+"/in?cert="+cert+"&key="+key+"&client_ca="+ca.file), k)
	roots := x509.NewCertPool()
	roots.AddCert(ca.cert)
	pem, err := os.ReadFile(ca.file)
	if err != nil || !roots.AppendCertsFromPEM(pem) {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(clientCert, clientKey)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: []tls.Certificate{pair}}}}
	if a := post(t, client, "https://"+addr+"/in", "over TLS"); a.status != 200 {
		t.Errorf("%+v", a)
	}
	client.CloseIdleConnections()
	stranger := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	if resp, err := stranger.Post("https://"+addr+"/in", "text/plain", strings.NewReader("x")); err == nil {
		resp.Body.Close()
		t.Error("without a client certificate: no error")
	}
	stop()
	if got := k.originals(); !slices.Equal(got, []string{"over TLS"}) {
		t.Errorf("%q", got)
	}
}

// curl, in the ways that a script would call it.
func TestCurl(t *testing.T) {
	curl := needs(t, "curl")
	addr := freePort(t, "tcp")
	k := &keeper{t: t}
	stop := following(t, testConfig(t, "http://"+addr+"/logs"), k)
	connect(t, addr).Close()
	lines, text := block("curled", 5000)
	file := filepath.Join(t.TempDir(), "x.log")
	writeFile(t, file, text)
	writeFile(t, file+".gz", string(gzipped1(t, text)))
	url := "http://" + addr + "/logs"
	for _, args := range [][]string{
		{"--data-binary", "@" + file, url},
		{"-T", file, url},
		{"-H", "Transfer-Encoding: chunked", "--data-binary", "@" + file, url},
		{"-H", "Content-Encoding: gzip", "--data-binary", "@" + file + ".gz", url},
	} {
		out, err := exec.Command(curl, append([]string{"-sS", "-f", "--max-time", "30"}, args...)...).CombinedOutput()
		if err != nil || !bytes.Contains(out, []byte(`{"accepted":5000}`)) {
			t.Errorf("curl %v: %v: %s", args, err, out)
		}
	}
	stop()
	exactly(t, k.originals(), slices.Concat(lines, lines, lines, lines))
}

// Senders beyond max_connections are refused; bodies of all senders together are bounded in memory.
func TestHTTPBounds(t *testing.T) {
	addr := freePort(t, "tcp")
	k := &keeper{t: t}
	stop := following(t, testConfig(t, "http://"+addr+"/?max_connections=12&max_body=100000"), k)
	defer stop()
	var senders []net.Conn
	for range 10 {
		c := connect(t, addr)
		senders = append(senders, c)
		fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n%s", strings.Repeat("x", 99_000))
	}
	refused := 0
	for _, c := range senders {
		_ = c.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
		line := make([]byte, 12)
		if n, _ := io.ReadFull(c, line); string(line[:n]) == "HTTP/1.1 429" {
			refused++
		}
	}
	if refused == 0 || refused > 8 {
		t.Errorf("%d of 10 large bodies were refused", refused)
	}
	for _, c := range senders {
		c.Close()
	}
	waitFor(t, "room again", func() bool { return post(t, http.DefaultClient, "http://"+addr+"/", "small").status == 200 })
}
