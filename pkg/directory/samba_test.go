package directory

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"leat/internal/testdc"
)

// controller starts a domain controller in which svc-repl may replicate, as docs/14-directory.md says.
func controller(t *testing.T) *testdc.DC {
	t.Helper()
	d := testdc.New(t, size)
	d.Tool(t, "dsacl", "set", "-H", filepath.Join(d.Dir, "private", "sam.ldb"), "--objectdn="+testdc.Base, "--action=allow",
		"--car=get-changes", "--trusteedn=CN=svc-repl,OU=Service,"+testdc.Base)
	d.Tool(t, "domain", "passwordsettings", "set", "-H", filepath.Join(d.Dir, "private", "sam.ldb"), "--account-lockout-threshold=3")
	d.Start(t)
	return d
}

// TestSamba: against a real Active Directory domain controller.
func TestSamba(t *testing.T) {
	d := controller(t)
	base := password(t, testdc.Secret)
	admin := open(t, config(d, testdc.Admin), password(t, testdc.Password), "")
	t.Run("names", func(t *testing.T) { testNames(t, d, admin) })
	t.Run("groups", func(t *testing.T) { testGroups(t, admin) })
	t.Run("ranges", func(t *testing.T) { testRanges(t, admin) })
	t.Run("transport", func(t *testing.T) { testTransport(t, d, base) })
	t.Run("changes", func(t *testing.T) { testChanges(t, d, base) })
	t.Run("subtree", func(t *testing.T) { testSubtree(t, d, base) })
	t.Run("wrong password", func(t *testing.T) { testRefused(t, d) })
	// The last: it stops the controller.
	t.Run("outage", func(t *testing.T) { testOutage(t, d, base) })
}

func testNames(t *testing.T, d *testdc.DC, s *subject) {
	d.LDIF(t, `dn: CN=User 00007,OU=D1,OU=Staff,DC=lab,DC=test
changetype: modify
replace: proxyAddresses
proxyAddresses: SMTP:seven@example.net
proxyAddresses: smtp:seven@example.org
proxyAddresses: X500:/o=Lab/cn=seven
`)
	start := time.Now()
	s.fetch(t)
	t.Logf("%d rows of %d entries in %v", s.table.Rows(), len(s.objects), time.Since(start))
	first := s.user(t, "u00007")
	if s.table.Rows() < size || first == nil {
		t.Fatalf("%d rows; u00007 is %v", s.table.Rows(), first)
	}
	for _, key := range []string{first["sid"], first["guid"], "U00007", `lab\u00007`, "u00007@lab.test", "u00007@example.com", "E00007",
		"seven@example.net", "Seven@Example.org", "CN=User 00007,OU=D1,OU=Staff,DC=lab,DC=test"} {
		if got := s.user(t, key); got == nil || got["dn"] != first["dn"] {
			t.Errorf("%q finds %v", key, got)
		}
	}
	if s.user(t, "X500:/o=Lab/cn=seven") != nil {
		t.Error("an address that is not SMTP's is a key")
	}
	check(t, first, map[string]string{
		"kind": "user", "domain": "LAB", "dns_domain": "lab.test", "full_name": "User 00007", "department": "Sales", "title": "Clerk",
		"organization": "Lab Ltd", "office.name": "Graz", "office.city": "Graz", "office.country": "Austria", "disabled": "false",
		"password_not_required": "true", "groups": "Domain Users,Users,team00,team01,team03,team07", "privileged": "false", "stale": "false"})
	check(t, s.user(t, "u00123"), map[string]string{"manager": "User 00012", "manager_email": "u00012@example.com"})
	for _, key := range []string{"WS003", "ws003$", `LAB\WS003$`, "ws003.lab.test"} {
		check(t, s.user(t, key), map[string]string{"kind": "computer", "function": "workstation", "owner": "User 00003",
			"owner_email": "u00003@example.com", "os": "Windows 11 Pro", "os_version": "10.0 (22631)", "office.name": "Graz"})
	}
	check(t, s.user(t, "dc1"), map[string]string{"function": "domain controller", "unconstrained_delegation": "true", "well_known": ""})
	check(t, s.user(t, "Administrator"), map[string]string{"privileged": "true", "well_known": "Administrator"})
	check(t, s.user(t, "S-1-5-18"), map[string]string{"domain_sam": `NT AUTHORITY\SYSTEM`, "kind": "well_known"})
	check(t, s.user(t, "S-1-5-32-544"), map[string]string{"domain_sam": `BUILTIN\Administrators`, "kind": "group", "privileged": "true"})
}

func check(t *testing.T, got, want map[string]string) {
	t.Helper()
	for col, v := range want {
		if got[col] != v {
			t.Errorf("%s is %q, want %q\n%v", col, got[col], v, got)
		}
	}
}

// testGroups compares our walk with the controller's own: tokenGroups are the SIDs of all groups of an entry.
func testGroups(t *testing.T, s *subject) {
	names := map[string]string{}
	for _, r := range s.objects {
		v := make(values, len(s.attrs))
		r.unpack(v)
		if sid, ok := formatSID(v.first(aObjectSID)); ok {
			names[sid] = nameOf(v)
		}
	}
	for _, sam := range []string{"Administrator", "krbtgt", "svc-leat", "WS001$", "u00000", "u00031", "u00199", "u00299"} {
		row := s.user(t, sam)
		e, err := s.one(t.Context(), s.conn, row["dn"], []string{"tokenGroups"})
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, v := range e.GetAttributeValues("tokenGroups") {
			sid, _ := formatSID(v)
			want = append(want, names[sid])
		}
		slices.Sort(want)
		if got := row["groups"]; got != strings.Join(want, ",") {
			t.Errorf("%s is in %s; the controller says %s", sam, got, want)
		}
	}
}

// testRanges reads the members of a group in parts, and takes an answer that itself is a part.
func testRanges(t *testing.T, s *subject) {
	team := s.user(t, "team01")["dn"]
	all, err := s.one(t.Context(), s.conn, team, []string{"member"}, extendedNames())
	if err != nil {
		t.Fatal(err)
	}
	want := all.GetAttributeValues("member")
	tail, err := s.remaining(t.Context(), s.conn, team, "member", 4, extendedNames())
	if err != nil || len(want) < 7 || !slices.Equal(tail, want[4:]) {
		t.Errorf("from the fourth on: %d of %d members, %v", len(tail), len(want), err)
	}
	part, err := s.one(t.Context(), s.conn, team, []string{"member;range=0-3", "objectGUID"}, extendedNames())
	if err != nil {
		t.Fatal(err)
	}
	ch, err := s.change(t.Context(), s.conn, part)
	if err != nil || len(ch.v[aMember]) != len(want) {
		t.Errorf("%d of %d members, %v", len(ch.v[aMember]), len(want), err)
	}
}

func testTransport(t *testing.T, d *testdc.DC, base string) {
	c := config(d, testdc.User)
	c.URLs = []string{"ldap://" + d.IP}
	open(t, c, base, "").fetch(t)

	c.Insecure = true
	// The controller itself refuses a password in plain text: what matters is that it came so far only where that was asked for.
	if _, err := open(t, c, base, "").try(); err == nil || !strings.Contains(err.Error(), "Strong(er) Auth") && !strings.Contains(err.Error(), "Strong Auth") {
		t.Errorf("a bind in plain text says %v", err)
	}

	t.Setenv("LEAT_TEST_SECRET", testdc.Secret)
	c = config(d, `LAB\svc-leat`)
	c.Bind.PasswordFile, c.Bind.PasswordEnv = "", "LEAT_TEST_SECRET"
	open(t, c, base, "").fetch(t)
}

// testSubtree: only what lies below base becomes rows, but groups and managers of elsewhere count.
func testSubtree(t *testing.T, d *testdc.DC, base string) {
	c := config(d, testdc.User)
	c.Base = "OU=D1,OU=Staff,DC=LAB,DC=test"
	c.Attributes = map[string]string{"given": "givenName", "cn": "cn"}
	s := open(t, c, base, "")
	s.fetch(t)
	if s.user(t, "u00002") != nil || s.user(t, "u00007") == nil {
		t.Error("rows are not those of the base")
	}
	check(t, s.user(t, "u00121"), map[string]string{"manager": "User 00012", "cn": "User 00121"})
	if !strings.Contains(s.user(t, "u00121")["groups"], "Domain Users") {
		t.Error("groups of elsewhere do not count")
	}
	c.Base = "DC=other,DC=test"
	if _, err := open(t, c, base, "").try(); err == nil || !strings.Contains(err.Error(), `base "DC=other,DC=test" is not in the domain`) {
		t.Errorf("a base of elsewhere says %v", err)
	}
}

// testRefused: a wrong password is not tried twice, and stands in no message.
func testRefused(t *testing.T, d *testdc.DC) {
	base := password(t, "Wrong.Secret.77")
	s := open(t, config(d, testdc.User), base, "")
	_, err := s.try()
	if err == nil || !strings.Contains(err.Error(), `refuses the account "svc-leat@lab.test" (wrong password)`) {
		t.Fatalf("a wrong password says %v", err)
	}
	_, again := s.try()
	if again == nil || !strings.Contains(again.Error(), "to not lock it, that is tried again in") {
		t.Errorf("and then %v", again)
	}
	if strings.Contains(err.Error()+again.Error()+s.log.String(), "Wrong.Secret") {
		t.Error("the password is in a message")
	}
	if err := os.WriteFile(filepath.Join(base, "pw"), []byte(testdc.Secret), 0o600); err != nil {
		t.Fatal(err)
	}
	s.fetch(t)
}

// testOutage stops the controller and starts it again.
func testOutage(t *testing.T, d *testdc.DC, base string) {
	dir := t.TempDir()
	s := open(t, config(d, testdc.User), base, dir)
	s.fetch(t)
	had := s.had
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	running := open(t, config(d, testdc.User), base, "")
	running.fetch(t)
	d.Stop()
	if _, err := running.try(); err == nil {
		t.Error("no controller, and no error")
	}

	// A restart has what was read; without a snapshot of its own enrich gets it, as old as it is.
	warm := open(t, config(d, testdc.User), base, dir)
	start := time.Now()
	warm.fetch(t)
	t.Logf("%d rows without any controller in %v", warm.table.Rows(), time.Since(start))
	if warm.had.Version != had.Version || !warm.had.AsOf.Equal(had.AsOf) {
		t.Errorf("a restart has %v, before it was %v", warm.had, had)
	}
	if _, err := warm.try(); err == nil {
		t.Error("no controller, and no error")
	}
	held := open(t, config(d, testdc.User), base, dir)
	held.had = had
	if _, err := held.try(); err == nil {
		t.Error("no controller, nothing new, and no error")
	}

	d.Start(t)
	d.LDIF(t, "dn: CN=User 00060,OU=D0"+ou+"\nchangetype: modify\nreplace: l\nl: Turku\n")
	for name, s := range map[string]*subject{"running": running, "warm": warm, "held": held} {
		full := s.state.Full
		if !s.fetch(t) || s.user(t, "u00060")["office.city"] != "Turku" {
			t.Errorf("%s: does not catch up", name)
		}
		if !s.state.Full.Equal(full) {
			t.Errorf("%s: everything was read anew", name)
		}
	}
}
