package enrich

import (
	"fmt"
	"testing"
	"time"

	"leat/internal/testdc"
)

// TestActiveDirectory: a whole stage with a real domain controller. Whatever form of the user's name an event has, name,
// e-mail, department and office are in it; a change of the directory is in the events that follow; while the controller is
// away events go on and are said to be stale; a restart meanwhile has the directory from disk; when the controller is back,
// what changed is caught up with.
func TestActiveDirectory(t *testing.T) {
	dc := testdc.Start(t)
	t.Setenv("LEAT_TEST_AD", testdc.Secret)
	yaml := fmt.Sprintf(`dimensions:
  ad:
    ldap: {urls: ["ldaps://%s"], server_name: %s, ca: %s, bind: {user: %s, password_env: LEAT_TEST_AD}}
    interval: 200ms
    max_age: 10m
rules:
  - {field: [user.id, user.name, user.email], dimension: ad, status: true}
  - {name: host, field: host.name, dimension: ad, status: true}
`, dc.IP, testdc.Host, dc.CA, testdc.User)
	dir := put(t, "", "enrich.yaml", yaml)
	var c clock
	opt := Under(t.TempDir())
	opt.Now = c.now
	s, err := New(config(t, dir), opt)
	if err != nil {
		t.Fatal(err)
	}
	for _, who := range []string{`"name":"u00123"`, `"name":"LAB\\U00123"`, `"name":"u00123@lab.test"`, `"email":"U00123@example.com"`, `"id":"E00123"`} {
		got := process(t, s, `{"user":{`+who+`}}`)
		for name, want := range map[string]string{"user.full_name": "User 00123", "user.department": "Support", "user.office.city": "Graz",
			"user.manager": "User 00012", "leat.enrich.ad": "hit"} {
			if v := field(t, got, name); v != want {
				t.Errorf("%s: %s is %q, want %q\n%s", who, name, v, want, got)
			}
		}
	}
	if got := process(t, s, `{"host":{"name":"ws003"}}`); field(t, got, "host.owner") != "User 00003" || field(t, got, "leat.enrich.host") != "hit" {
		t.Error(got)
	}

	department := func() string { return field(t, process(t, s, `{"user":{"name":"u00200"}}`), "user.department") }
	change := func(to string) {
		dc.LDIF(t, "dn: CN=User 00200,OU=D2,OU=Staff,"+testdc.Base+"\nchangetype: modify\nreplace: department\ndepartment: "+to+"\n")
	}
	change("Night Shift")
	start := time.Now()
	eventually(t, "the change in the events", func() bool { return department() == "Night Shift" })
	t.Logf("a change is in the events %v after it was made", time.Since(start))

	dc.Stop()
	eventually(t, "a failure told", func() bool { return s.shared.news.some.Load() })
	c.ahead.Store(int64(time.Hour))
	if got := process(t, s, `{"user":{"name":"u00200"}}`); field(t, got, "leat.enrich.ad") != "stale" || field(t, got, "user.department") != "Night Shift" {
		t.Errorf("while the controller is away: %s", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	start = time.Now()
	if s, err = New(config(t, dir), opt); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d rows are there %v after a start without a controller", s.Snapshots()["ad"].Rows, time.Since(start))
	defer s.Close()
	if department() != "Night Shift" {
		t.Error("the restart lost the directory")
	}
	dc.Start(t)
	change("Day Shift")
	eventually(t, "what changed", func() bool { return department() == "Day Shift" })
	if got := process(t, s, `{"user":{"name":"u00200"}}`); field(t, got, "leat.enrich.ad") != "hit" {
		t.Errorf("the controller is back: %s", got)
	}
}
