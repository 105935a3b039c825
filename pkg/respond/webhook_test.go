package respond

import (
	"crypto/hmac"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// receiver is a real HTTP server that notes what it was sent and answers with the given statuses, the last for ever.
type receiver struct {
	*httptest.Server
	mu       sync.Mutex
	requests []*http.Request
	bodies   []string
	statuses []int
	header   http.Header
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	b, _ := io.ReadAll(req.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, req)
	r.bodies = append(r.bodies, string(b))
	for k, v := range r.header {
		w.Header()[k] = v
	}
	w.WriteHeader(r.statuses[min(len(r.requests), len(r.statuses))-1])
	_, _ = io.WriteString(w, "said the receiver\n")
}

func (r *receiver) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.requests)
}

func receive(t *testing.T, statuses ...int) *receiver {
	t.Helper()
	r := &receiver{statuses: statuses}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

// hook parses a webhook of the playbook; its pauses are recorded instead of slept.
func hook(t *testing.T, options string) (*Webhook, *[]int) {
	t.Helper()
	b := book(t, "plays: [{name: p, when: {rule: x}, actions: [{webhook: {"+options+"}}]}]")
	w := b.Plays[0].Actions[0].Webhook
	pauses := &[]int{}
	w.backoff = func(n int) time.Duration { *pauses = append(*pauses, n); return 0 }
	return w, pauses
}

// verify checks a signature as a receiver would (Standard Webhooks 1.0).
func verify(t *testing.T, secret []byte, h http.Header, body string) {
	t.Helper()
	want := sign(secret, h.Get("webhook-id"), h.Get("webhook-timestamp"), []byte(body))
	if !hmac.Equal([]byte(h.Get("webhook-signature")), []byte(want)) {
		t.Errorf("signature %q, want %q", h.Get("webhook-signature"), want)
	}
}

func TestWebhookRetry(t *testing.T) {
	t.Setenv("SOC_SECRET", "not base64")
	r := receive(t, 503, 429, 204)
	w, pauses := hook(t, "url: '"+r.URL+"/in?x=1', secret_env: SOC_SECRET, headers: {X-Team: blue}")
	req := requestFor(t, "mallory", `{"user":{"name":"mallory"}}`)
	detail, err := w.run(t.Context(), req)
	if err != nil || detail != "204 No Content" {
		t.Fatalf("%q, %v", detail, err)
	}
	if r.count() != 3 || len(*pauses) != 2 {
		t.Fatalf("%d requests, pauses before %v", r.count(), *pauses)
	}
	for i, q := range r.requests {
		if q.Header.Get("Idempotency-Key") != req.job.Key || q.Header.Get("webhook-id") != req.job.Key {
			t.Errorf("request %d: another key", i)
		}
		if q.Method != "POST" || q.Header.Get("Content-Type") != "application/json" || q.Header.Get("X-Team") != "blue" || q.URL.RawQuery != "x=1" {
			t.Errorf("request %d: %v", i, q.Header)
		}
		verify(t, []byte("not base64"), q.Header, r.bodies[i])
		if r.bodies[i] != r.bodies[0] {
			t.Errorf("request %d has another body", i)
		}
	}
	var got body
	if err := json.Unmarshal([]byte(r.bodies[0]), &got); err != nil || got.Target.Value != "mallory" {
		t.Errorf("%s: %v", r.bodies[0], err)
	}
}

// TestSignature is the example of the Standard Webhooks specification's reference libraries.
func TestSignature(t *testing.T) {
	secret, err := base64.StdEncoding.DecodeString("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	got := sign(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", []byte(`{"test": 2432232314}`))
	if got != "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=" {
		t.Errorf("%s", got)
	}
}

func TestWebhookGivesUp(t *testing.T) {
	for _, c := range []struct {
		status, want int // requests
	}{{400, 1}, {401, 1}, {404, 1}, {410, 1}, {501, 1}, {500, 3}, {503, 3}, {408, 3}, {429, 3}} {
		r := receive(t, c.status)
		w, _ := hook(t, "url: '"+r.URL+"', attempts: 3")
		_, err := w.run(t.Context(), requestFor(t, "m", `{}`))
		if err == nil || r.count() != c.want || !strings.Contains(err.Error(), "said the receiver") {
			t.Errorf("%d: %d requests, %v", c.status, r.count(), err)
		}
	}
}

func TestWebhookRedirect(t *testing.T) {
	other := receive(t, 204)
	r := receive(t, 307)
	r.header = http.Header{"Location": {other.URL}}
	w, _ := hook(t, "url: '"+r.URL+"'")
	_, err := w.run(t.Context(), requestFor(t, "m", `{}`))
	if err == nil || other.count() != 0 || r.count() != 1 || !strings.Contains(err.Error(), "not followed") {
		t.Errorf("%d requests at the target of a redirect, %v", other.count(), err)
	}
}

func TestWebhookTimeoutAndNetwork(t *testing.T) {
	release := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(slow.Close)
	t.Cleanup(func() { close(release) })
	w, pauses := hook(t, "url: '"+slow.URL+"/secret-path', timeout: 50ms, attempts: 2")
	_, err := w.run(t.Context(), requestFor(t, "m", `{}`))
	if err == nil || len(*pauses) != 1 || strings.Contains(err.Error(), "secret-path") {
		t.Errorf("after %v: %v", *pauses, err)
	}
	gone := receive(t, 204)
	gone.Close()
	w, pauses = hook(t, "url: '"+gone.URL+"', attempts: 2")
	if _, err := w.run(t.Context(), requestFor(t, "m", `{}`)); err == nil || len(*pauses) != 1 {
		t.Errorf("nobody listens: %v", err)
	}
}

func TestWebhookTLS(t *testing.T) {
	r := &receiver{statuses: []int{204}}
	srv := httptest.NewUnstartedServer(r)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0) // it would tell of the refusal that is wanted
	srv.StartTLS()
	t.Cleanup(srv.Close)
	w, pauses := hook(t, "url: '"+srv.URL+"', attempts: 3")
	if _, err := w.run(t.Context(), requestFor(t, "m", `{}`)); err == nil || r.count() != 0 || len(*pauses) != 0 {
		t.Errorf("a certificate of an unknown authority was taken, or tried again: %v", err)
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	w, _ = hook(t, "url: '"+srv.URL+"', ca_file: '"+ca+"'")
	if _, err := w.run(t.Context(), requestFor(t, "m", `{}`)); err != nil || r.count() != 1 {
		t.Errorf("its own authority: %v", err)
	}
}

func TestPause(t *testing.T) {
	for n := 1; n < 40; n++ {
		if d := pause(n); d < 250*time.Millisecond || d > 10*time.Second {
			t.Errorf("pause before attempt %d: %v", n, d)
		}
	}
}
