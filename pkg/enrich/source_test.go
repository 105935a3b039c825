package enrich

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// service is a web service that answers a table, until it is told not to.
type service struct {
	*httptest.Server
	rows  atomic.Pointer[string]
	down  atomic.Bool
	asked atomic.Int64
}

func newService(t *testing.T, rows string) *service {
	s := &service{}
	s.rows.Store(&rows)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		s.asked.Add(1)
		if s.down.Load() {
			http.Error(w, "down", http.StatusInternalServerError)
			return
		}
		fmt.Fprint(w, *s.rows.Load())
	}))
	t.Cleanup(s.Close)
	return s
}

// clock is a clock that the test moves on.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func serviceYAML(s *service, more string) string {
	return "dimensions:\n  users: {http: {url: '" + s.URL + "/users'}, key: sam, interval: 20ms" + more + "}\nrules:\n" +
		"  - {field: user.name, dimension: users, status: true, set: {user.email: email}}\n"
}

// TestSourceGoesAndComes: while a source is away its last answer is used, after max_age as stale, over a restart too; that
// is told once as an event, and so is its coming back.
func TestSourceGoesAndComes(t *testing.T) {
	svc := newService(t, `[{"sam":"ann","email":"ann@corp.example"}]`)
	dir, state := put(t, "", "enrich.yaml", serviceYAML(svc, ", max_age: 10m")), t.TempDir()
	var c clock
	opt := Under(state)
	opt.Now = c.now
	s, err := New(config(t, dir), opt)
	if err != nil {
		t.Fatal(err)
	}
	const in = `{"user":{"name":"ann"}}`
	if got := process(t, s, in); field(t, got, "user.email") != "ann@corp.example" || field(t, got, "leat.enrich.users") != "hit" {
		t.Fatal(got)
	}
	svc.down.Store(true)
	eventually(t, "a failure told", func() bool { return s.shared.news.some.Load() })
	if all := lines(t, s, in+"\n"); len(all) != 2 || field(t, all[1], "event.action") != "dimension-failed" || field(t, all[1], "event.dataset") != Dataset ||
		field(t, all[1], "leat.dimension.name") != "users" || !strings.Contains(field(t, all[1], "event.reason"), "500") {
		t.Fatal(all)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	// A new process, the source is still away: what lies on disk answers, and is stale as time goes by.
	if s, err = New(config(t, dir), opt); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := process(t, s, in); field(t, got, "leat.enrich.users") != "hit" {
		t.Fatal(got)
	}
	c.ahead.Store(int64(time.Hour))
	if got := process(t, s, in); field(t, got, "leat.enrich.users") != "stale" || field(t, got, "user.email") != "ann@corp.example" {
		t.Fatal(got)
	}
	told := func(action string) func() bool {
		return func() bool {
			for _, line := range lines(t, s, in+"\n")[1:] {
				if field(t, line, "event.action") == action {
					return true
				}
			}
			return false
		}
	}
	s.shared.ages.next = time.Time{}
	delete(s.shared.ages.stale, "users")
	eventually(t, "staleness told", told("dimension-stale"))
	s.shared.ages.next = time.Time{}
	if told("dimension-stale")() {
		t.Error("told twice")
	}
	svc.down.Store(false)
	eventually(t, "hits again", func() bool { return field(t, process(t, s, in), "leat.enrich.users") == "hit" })
	s.shared.ages.next = time.Time{}
	eventually(t, "recovery told", told("dimension-recovered"))
}

// TestFirstFetchFails: without any snapshot the stage does not start, and says at which line; an optional dimension comes
// later.
func TestFirstFetchFails(t *testing.T) {
	svc := newService(t, `[{"sam":"ann","email":"ann@corp.example"}]`)
	svc.down.Store(true)
	if _, err := New(config(t, put(t, "", "enrich.yaml", serviceYAML(svc, ""))), Options{}); err == nil || !strings.Contains(err.Error(), "enrich.yaml:2:") {
		t.Fatal(err)
	}
	s := open(t, put(t, "", "enrich.yaml", serviceYAML(svc, ", optional: true")), Options{})
	if got := process(t, s, `{"user":{"name":"ann"}}`); field(t, got, "leat.enrich.users") != "error" {
		t.Error(got)
	}
	svc.down.Store(false)
	eventually(t, "the dimension", func() bool {
		return field(t, process(t, s, `{"user":{"name":"ann"}}`), "leat.enrich.users") == "hit"
	})
}

// TestReloadKeepsSources: after a reload of the configuration an unchanged source is not asked anew before its time.
func TestReloadKeepsSources(t *testing.T) {
	svc := newService(t, `[{"sam":"ann","email":"ann@corp.example"}]`)
	yaml := strings.Replace(serviceYAML(svc, ""), "interval: 20ms", "interval: 1h", 1)
	dir := put(t, "", "enrich.yaml", yaml)
	s := open(t, dir, Options{})
	eventually(t, "the first questions", func() bool { return svc.asked.Load() >= 1 })
	put(t, dir, "enrich.yaml", strings.Replace(yaml, "user.email: email", "user.email: email, user.id: sam", 1))
	s.Reload()
	eventually(t, "the new rule", func() bool { return field(t, process(t, s, `{"user":{"name":"ann"}}`), "user.id") == "ann" })
	put(t, dir, "enrich.yaml", strings.Replace(yaml, "key: sam", "key: email", 1))
	s.Reload()
	eventually(t, "the new key", func() bool {
		return field(t, process(t, s, `{"user":{"name":"ann@corp.example"}}`), "leat.enrich.users") == "hit"
	})
}

// TestStartWithABrokenFile: where an earlier run left a snapshot, a file that is broken, gone or has other columns does not
// keep the stage from starting.
func TestStartWithABrokenFile(t *testing.T) {
	for name, text := range map[string]string{"torn": "id,sam,name,email,office\n1,u1,na", "other columns": "id,sam,email\n7,jkovacs,x\n8,nbyrne,y\n", "too few rows": "id,sam,name,email,office\n1,u1,a,b,c\n", "gone": ""} {
		t.Run(name, func(t *testing.T) {
			dir, state := put(t, "", "users.csv", people, "enrich.yaml", peopleYAML), t.TempDir()
			s, err := New(config(t, dir), Under(state))
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			put(t, dir, "users.csv", text)
			if text == "" {
				if err := os.Remove(filepath.Join(dir, "users.csv")); err != nil {
					t.Fatal(err)
				}
			}
			var log logbook
			opt := Under(state)
			opt.Log = log.logger()
			if got := process(t, open(t, dir, opt), `{"user":{"name":"nbyrne"}}`); field(t, got, "user.full_name") != "Niamh Byrne" {
				t.Error(got)
			}
			if !strings.Contains(log.String(), "refused") {
				t.Errorf("not told: %s", log.String())
			}
		})
	}
}
