package enrich

import (
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
