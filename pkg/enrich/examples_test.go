package enrich

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExamples: both companies of examples/ give the fields that rules refer to, from tables of other shapes.
func TestExamples(t *testing.T) {
	for _, c := range []struct {
		yaml, in string
		want     map[string]string
	}{
		{"../../examples/enrich.yaml", `{"user":{"name":"anna.kovacs"},"host":{"name":"pay-dub-01"}}`, map[string]string{
			"user.full_name": "Anna Kovács", "user.department": "Development", "user.office.city": "Budapest", "user.email": "anna.kovacs@corp.example",
			"host.function": "Payroll", "host.office.country": "Ireland", "leat.enrich.users": "hit", "leat.enrich.hosts": "hit"}},
		{"../../examples/enrich.yaml", `{"user":{"name":"CORP\\Bence.Toth"},"host":{"hostname":"ws-bud-014.corp.example"}}`, map[string]string{
			"user.department": "Development", "host.function": "Workstation", "host.office.city": "Budapest"}},
		{"../../examples/enrich.yaml", `{"source":{"ip":"10.10.7.23"},"destination":{"ip":"10.20.1.11"}}`, map[string]string{
			"host.function": "Payroll", "host.owner": "Orla Nolan", "host.office.country": "Ireland", "leat.enrich.destination_hosts": "hit"}},
		{"../../examples/enrich.yaml", `{"destination":{"ip":"10.20.1.9"}}`, map[string]string{
			"host.function": "Payroll", "host.office.city": "Dublin", "leat.enrich.destination_hosts": "miss", "leat.enrich.networks": "hit"}},
		{"../../examples/enrich.yaml", `{"destination":{"ip":"fd00:20:1::7"}}`, map[string]string{"host.function": "Payroll"}},
		// The host that the event is about is not mixed with the one that it went to.
		{"../../examples/enrich.yaml", `{"host":{"name":"web-dub-01"},"destination":{"ip":"10.30.1.15"}}`, map[string]string{
			"host.function": "Web Server", "host.office.city": "Dublin", "leat.enrich.destination_hosts": ""}},
		{"../../examples/enrich.yaml", `{"user":{"name":"root","target":{"name":"niamh.byrne"}}}`, map[string]string{
			"user.department": "", "user.target.department": "Payroll", "leat.enrich.users": "miss", "leat.enrich.target_users": "hit"}},
		{"../../examples/directory2/enrich.yaml", `{"user":{"name":"NORDMAR\\nteles"},"host":{"name":"WAGES-TAM-1"}}`, map[string]string{
			"user.full_name": "Teles, Nuno", "user.department": "Engineering", "user.office.city": "Porto", "user.manager": "Pinho, Sofia",
			"host.function": "Wages", "host.office.country": "Finland", "host.owner": "Aino Salmi"}},
		{"../../examples/directory2/enrich.yaml", `{"user":{"email":"asalmi@nordmar.example"},"destination":{"ip":"172.16.4.17"}}`, map[string]string{
			"user.department": "Wages", "host.function": "Files", "host.office.city": "Porto"}},
	} {
		cfg, err := Load(c.yaml)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Check(t.Context(), cfg, Options{}); err != nil {
			t.Errorf("%s: %v", c.yaml, err)
		}
		s, err := New(cfg, Options{Fixed: true})
		if err != nil {
			t.Fatal(err)
		}
		got := one(t, s, c.in)
		for name, want := range c.want {
			if v := field(t, got, name); v != want {
				t.Errorf("%s: %s is %q, want %q\n%s", c.in, name, v, want, got)
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestExampleOfACompany: with no controller that answers, all of examples/company works but for what only the directory
// knows, and that is said.
func TestExampleOfACompany(t *testing.T) {
	raw, err := os.ReadFile("../../examples/company/enrich.yaml")
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewTLSServer(http.NotFoundHandler())
	srv.Close() // nobody listens there any more
	dir := put(t, "", "pw", "not a password", "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})))
	examples, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	yaml := string(raw)
	for _, c := range [][2]string{
		{"ldaps://dc1.corp.example, ldaps://dc2.corp.example", "ldaps://" + srv.Listener.Addr().String()},
		{"/run/secrets/ad", "pw"},
		{"../directory/", examples + "/directory/"},
		{"file: iocs.txt", "file: " + examples + "/company/iocs.txt"},
		{"ours.txt", examples + "/company/ours.txt"},
	} {
		if yaml = strings.Replace(yaml, c[0], c[1], 1); !strings.Contains(yaml, c[1]) {
			t.Fatalf("the example has no %q", c[0])
		}
	}
	put(t, dir, "enrich.yaml", yaml)
	s := open(t, dir, Options{})
	out := lines(t, s, `{"@timestamp":"2026-11-24T08:00:00Z","event":{"dataset":"dhcpd","action":"dhcpack"},"source":{"ip":"10.10.7.23","mac":"00-00-5E-00-53-21","domain":"ws-bud-014"}}
{"@timestamp":"2026-11-24T08:10:00Z","event":{"dataset":"firewall"},"user":{"name":"ann"},"source":{"ip":"10.10.7.23"},"destination":{"ip":"10.20.1.9"},"url":{"full":"http://files.bad.example/drop.bin"}}
{"@timestamp":"2026-11-24T08:10:01Z","dns":{"question":{"name":"www.corp.example"}}}
`)
	for name, want := range map[string]string{"source.domain": "ws-bud-014", "host.function": "Payroll", "leat.enrich.user": "error", "leat.enrich.leases": "hit",
		"leat.enrich.ioc": "hit", "threat.indicator.confidence": "High", "threat.indicator.type": "url"} {
		if got := field(t, out[1], name); got != want {
			t.Errorf("%s is %q, want %q\n%s", name, got, want, out[1])
		}
	}
	if field(t, out[2], "leat.enrich.ioc") != "miss" {
		t.Errorf("found in what is benign: %s", out[2])
	}
}

// TestPages: every whole enrich.yaml that the pages print is without a fault.
func TestPages(t *testing.T) {
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, page := range pages {
		raw, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for i, block := range strings.Split(string(raw), "```yaml\n")[1:] {
			block, _, _ = strings.Cut(block, "```")
			if !strings.Contains(block, "\nrules:\n") || !strings.HasPrefix(strings.TrimPrefix(block, "# enrich.yaml\n"), "dimensions:\n") {
				continue
			}
			n++
			if _, err := Load(filepath.Join(put(t, "", "enrich.yaml", block), "enrich.yaml")); err != nil {
				t.Errorf("%s, the %dth block: %v", page, i+1, err)
			}
		}
	}
	if n < 5 {
		t.Errorf("only %d", n)
	}
}
