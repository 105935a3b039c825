package enrich

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// directoryOf is a web service that answers for single keys, and remembers which it was asked for.
type directoryOf struct {
	*httptest.Server
	mu    sync.Mutex
	asked map[string]int
}

func newDirectoryOf(t *testing.T, rows map[string]string) *directoryOf {
	d := &directoryOf{asked: map[string]int{}}
	d.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := strings.TrimPrefix(r.URL.Path, "/user/")
		d.mu.Lock()
		d.asked[key]++
		d.mu.Unlock()
		if row, ok := rows[key]; ok {
			fmt.Fprint(w, row)
			return
		}
		http.NotFound(w, r)
	}))
	t.Cleanup(d.Close)
	return d
}

// TestAskedKeyByKey: events keep their order, each key is asked for once, also one that another rule wrote; a key with a
// slash or a dot is data.
func TestAskedKeyByKey(t *testing.T) {
	svc := newDirectoryOf(t, map[string]string{
		"ann":     `{"mail":"ann@corp.example","office":{"city":"Dublin"},"boss":"bob"}`,
		"bob":     `{"mail":"bob@corp.example"}`,
		"../up/x": `{"mail":"odd@corp.example"}`,
	})
	dir := put(t, "", "enrich.yaml", "dimensions:\n  users: {remote: {http: {url: '"+svc.URL+"/user/{key}'}, wait: 30s, timeout: 20s}, fold: true}\nrules:\n"+
		"  - {field: user.name, dimension: users, status: true, set: {user.email: mail, user.office.city: office.city, user.manager: boss}}\n"+
		"  - {name: boss, field: user.manager, dimension: users, status: true, set: {user.manager_email: mail}}\n")
	s := open(t, dir, Options{})
	var in strings.Builder
	names := []string{"ANN", "eve", "ann", "../up/x", "bob", "eve"}
	for range 20 {
		for _, n := range names {
			fmt.Fprintf(&in, `{"user":{"name":%q}}`+"\n", n)
		}
	}
	for i, line := range lines(t, s, in.String()) {
		name := names[i%len(names)]
		want := map[string]string{"ann": "ann@corp.example", "bob": "bob@corp.example", "../up/x": "odd@corp.example"}[strings.ToLower(name)]
		status := "hit"
		if want == "" {
			status = "miss"
		}
		if field(t, line, "user.name") != name || field(t, line, "user.email") != want || field(t, line, "leat.enrich.users") != status {
			t.Fatalf("event %d: %s", i, line)
		}
		if strings.EqualFold(name, "ann") && (field(t, line, "user.manager_email") != "bob@corp.example" || field(t, line, "user.office.city") != "Dublin") {
			t.Fatalf("event %d: %s", i, line)
		}
	}
	svc.mu.Lock()
	defer svc.mu.Unlock()
	for _, key := range []string{"ann", "bob", "eve", "../up/x"} {
		if svc.asked[key] != 1 {
			t.Errorf("%s was asked for %d times", key, svc.asked[key])
		}
	}
}

// TestAskedWhileDown: nobody waits for a service that is not there longer than once a batch, and events go on.
func TestAskedWhileDown(t *testing.T) {
	svc := httptest.NewServer(http.NotFoundHandler())
	url := svc.URL
	svc.Close()
	dir := put(t, "", "enrich.yaml", "dimensions:\n  users: {remote: {http: {url: '"+url+"/{key}'}}}\nrules:\n"+
		"  - {field: user.name, dimension: users, status: true, set: {user.email: mail}}\n")
	s := open(t, dir, Options{})
	for _, line := range lines(t, s, strings.Repeat(`{"user":{"name":"ann"}}`+"\n", 500)) {
		if field(t, line, "leat.enrich.users") != "error" {
			t.Fatal(line)
		}
	}
	put(t, dir, "enrich.yaml", "dimensions:\n  users: {remote: {http: {url: '"+url+"/x/{key}'}}}\nrules:\n"+
		"  - {field: user.name, dimension: users, set: {user.email: mail}}\n")
	if err := s.shared.sameLive(config(t, dir)); err == nil || !strings.Contains(err.Error(), "restart") {
		t.Error(err)
	}
}
