package directory_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"

	"leat/pkg/enrich"
	"leat/pkg/stage"
)

// TestCloudDirectories: exports of Entra ID and of Okta are dimensions as they are.
func TestCloudDirectories(t *testing.T) {
	cfg, err := enrich.Load("../../examples/cloud-directory/enrich.yaml")
	if err != nil {
		t.Fatal(err)
	}
	s, err := enrich.New(cfg, enrich.Options{Fixed: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, c := range []struct {
		in   string
		want map[string]string
	}{
		{`{"user":{"id":"5F0C2E1A-7d1b-4a55-9c0e-2a4b6d8f1c33"}}`, map[string]string{"full_name": "Mira Solberg", "department": "Finance", "manager": "Jon Haug", "office.city": "Oslo"}},
		{`{"user":{"id":"S-1-5-21-397955417-626881126-188441444-1187"}}`, map[string]string{"full_name": "Mira Solberg", "email": "mira.solberg@contoso.example"}},
		{`{"user":{"name":"contoso.example\\MSolberg"}}`, map[string]string{"title": "Controller", "office.name": "Oslo HQ", "office.country": "Norway"}},
		{`{"user":{"name":"audit_partner.example#EXT#@contoso.example"}}`, map[string]string{"email": "audit@partner.example", "department": "", "full_name": "Audit (Partner)"}},
		{`{"user":{"name":"lena.brandt@fabrikam.example"}}`, map[string]string{"full_name": "Lena Brandt", "department": "Operations", "manager": "Tomas Weiss", "office.country": "AT", "title": "Site Engineer"}},
		{`{"user":{"id":"00u9h8g7f6e5d4c3b2a1"}}`, map[string]string{"full_name": "Tomas Weiss", "title": "Plant Manager", "manager": ""}},
		{`{"user":{"name":"nobody"}}`, map[string]string{"full_name": ""}},
	} {
		var out bytes.Buffer
		src := &stage.Lines{In: strings.NewReader(c.in + "\n"), Stage: enrich.Name}
		if err := stage.Pump(context.Background(), src, stage.NewChain(stage.NewWriter(&out, nil), s)); err != nil {
			t.Fatal(err)
		}
		var e struct{ User map[string]any }
		if err := json.Unmarshal(out.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		for name, want := range c.want {
			m, last := e.User, name
			if i := strings.IndexByte(name, '.'); i >= 0 {
				m, _ = e.User[name[:i]].(map[string]any)
				last = name[i+1:]
			}
			if got, _ := m[last].(string); got != want {
				t.Errorf("%s: user.%s is %q, want %q", c.in, name, got, want)
			}
		}
	}
}
