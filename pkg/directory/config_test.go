package directory

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"leat/pkg/dimension"
	"leat/pkg/yamlfile"
)

func TestCheck(t *testing.T) {
	for _, c := range []struct{ yaml, key, message string }{
		{"urls: [ldaps://dc1.corp.example]\nbind: {user: a@corp.example, password_file: pw}", "", ""},
		{"domain: corp.example\nbind: {user: 'CORP\\a', password_env: PW}\nsync: usn\nattributes: {badge: extensionAttribute1}", "", ""},
		{"kind: ldap\nurls: ['ldap://[::1]:389/']\nbase: dc=corp\nattributes: {name: cn}", "", ""},
		{"kind: adfs\nurls: [ldaps://a]", "kind", `"adfs" is neither ad nor ldap`},
		{"bind: {user: a, password_file: pw}", "urls", "missing; expected a list such as"},
		{"urls: [ldaps://a]\ndomain: corp\nbind: {user: a, password_file: pw}", "domain", "expected one of the two"},
		{"kind: ldap\ndomain: corp\nbase: dc=corp\nattributes: {a: b}", "domain", "is for kind: ad"},
		{"urls: [ldaps://a, http://b]\nbind: {user: a, password_file: pw}", "urls.1", `"http://b" is no server`},
		{"urls: ['ldaps://a:b:c']\nbind: {user: a, password_file: pw}", "urls.0", "is no server"},
		{"urls: ['ldaps://me:secret@a']\nbind: {user: a, password_file: pw}", "urls.0", "more than a scheme"},
		{"urls: ['ldaps://a/dc=b??sub']\nbind: {user: a, password_file: pw}", "urls.0", "more than a scheme"},
		{"urls: [ldaps://a]\ninsecure: true\nbind: {user: a, password_file: pw}", "insecure", "always checked"},
		{"urls: [ldaps://a]", "bind.user", "Active Directory answers nobody"},
		{"urls: [ldaps://a]\nbind: {user: a}", "bind.password_file", "missing"},
		{"urls: [ldaps://a]\nbind: {password_file: a}", "bind.user", "missing"},
		{"urls: [ldaps://a]\nbind: {user: a, password_file: b, password_env: c}", "bind.password_env", "expected one of the two"},
		{"urls: [ldaps://a]\nbase: corp.example\nbind: {user: a, password_file: pw}", "base", "is no distinguished name"},
		{"urls: [ldaps://a]\nsync: full\nbind: {user: a, password_file: pw}", "sync", "expected one of auto, dirsync, usn"},
		{"urls: [ldaps://a]\nfilter: (a=b)\nbind: {user: a, password_file: pw}", "filter", "is for kind: ldap"},
		{"urls: [ldaps://a]\nattributes: {sid: objectSid}\nbind: {user: a, password_file: pw}", "attributes.sid", "is a column already"},
		{"urls: [ldaps://a]\nattributes: {x: 'a)(b'}\nbind: {user: a, password_file: pw}", "attributes.x", "is no attribute"},
		{"kind: ldap\nurls: [ldaps://a]\nbase: dc=a\nfilter: '(a=b'\nattributes: {a: b}", "filter", "is no filter"},
		{"kind: ldap\nurls: [ldaps://a]\nattributes: {a: b}", "base", "missing"},
		{"kind: ldap\nurls: [ldaps://a]\nbase: dc=a", "attributes", "missing"},
		{"kind: ldap\nurls: [ldaps://a]\nbase: dc=a\nattributes: {dn: cn}", "attributes.dn", "is a column already"},
		{"urls: [ldaps://a]\ninterval: 1ms\nbind: {user: a, password_file: pw}", "interval", "too short"},
		{"urls: [ldaps://a]\npage: 5000\nbind: {user: a, password_file: pw}", "page", "expected 1 to 1000"},
		{"urls: [ldaps://a]\nmax_entries: -1\nbind: {user: a, password_file: pw}", "max_entries", "expected 1 or more"},
	} {
		var cfg Config
		if _, err := yamlfile.Decode("enrich.yaml", []byte(c.yaml), &cfg); err != nil {
			t.Errorf("%s: %v", c.yaml, err)
			continue
		}
		got := cfg.Check()
		if c.key == "" && len(got) > 0 {
			t.Errorf("%s\n%v", c.yaml, got)
		}
		if c.key != "" && !slices.ContainsFunc(got, func(x dimension.Complaint) bool { return x.Key == c.key && strings.Contains(x.Message, c.message) }) {
			t.Errorf("%s\nsays %v, want %s: %s", c.yaml, got, c.key, c.message)
		}
	}
}

func TestDefaults(t *testing.T) {
	c := Config{URLs: []string{"ldaps://a"}, Bind: Bind{User: "a", PasswordFile: "pw"}}
	if got := c.Check(); len(got) > 0 {
		t.Fatal(got)
	}
	if c.Kind != "ad" || c.Interval != time.Minute || c.Page != 1000 || c.StaleAfter != 2160*time.Hour || c.Resync != 24*time.Hour || c.MaxEntries != 2_000_000 {
		t.Errorf("%+v", c)
	}
	for _, key := range c.Keys() {
		if !slices.Contains(adColumns, key) {
			t.Errorf("key %s is no column", key)
		}
	}
	if len(adColumns) != cCount {
		t.Errorf("%d names for %d columns", len(adColumns), cCount)
	}
}

func TestDefaultSet(t *testing.T) {
	c := Config{Kind: kindAD}
	for field, want := range map[string]string{
		"user.name": "user.email=email", "user.target.id": "user.target.full_name=full_name", "source.user.name": "source.user.department=department",
		"user.effective.name": "user.effective.office.city=office.city", "host.name": "host.function=function", "host.hostname": "host.os.version=os_version",
		"source.ip": "", "name": "",
	} {
		var got []string
		for _, p := range c.DefaultSet(field) {
			got = append(got, p[0]+"="+p[1])
			if !slices.Contains(adColumns, p[1]) {
				t.Errorf("%s: no column %s", field, p[1])
			}
		}
		if want == "" && got != nil || want != "" && !slices.Contains(got, want) {
			t.Errorf("%s sets %v, want %s", field, got, want)
		}
		if slices.Contains(got, "organization.name=organization") != (field == "user.name") {
			t.Errorf("%s sets %v", field, got)
		}
	}
	if (&Config{Kind: kindLDAP}).DefaultSet("user.name") != nil {
		t.Error("a plain directory has a default")
	}
}

// TestOpen: what is missing is told at once, and no secret with it.
func TestOpen(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"pw": "Secret.1", "empty": "\n", "ca.pem": "no certificate"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		bind Bind
		ca   string
		want string
	}{
		{Bind{User: "a", PasswordFile: "pw"}, "", ""},
		{Bind{User: "a", PasswordFile: "gone"}, "", "bind.password_file: stat"},
		{Bind{User: "a", PasswordFile: "empty"}, "", "it is empty"},
		{Bind{User: "a", PasswordEnv: "LEAT_TEST_NOT_SET"}, "", "bind.password_env: the environment has no LEAT_TEST_NOT_SET"},
		{Bind{User: "a", PasswordFile: "pw"}, "gone.pem", "read ca"},
		{Bind{User: "a", PasswordFile: "pw"}, "ca.pem", "has no PEM certificate"},
	} {
		cfg := Config{URLs: []string{"ldaps://a"}, Bind: c.bind, CA: c.ca}
		if got := cfg.Check(); len(got) > 0 {
			t.Fatal(got)
		}
		src, err := cfg.Open(dimension.Env{Base: dir})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%+v: %v, want %s", c, err, c.want)
		}
		if err == nil {
			src.Close()
		}
	}
}
