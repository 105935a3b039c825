package directory

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	ldap "github.com/go-ldap/ldap/v3"

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
	tail, err := s.remaining(t.Context(), s.conn, team, "member", 4)
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

// step is a change of the directory, and what must be true then.
type step struct {
	name, ldif string
	key        string
	want       map[string]string // nil: the key finds nothing
}

const ou = ",OU=Staff,DC=lab,DC=test"

func steps() []step {
	user := "CN=User 00020,OU=D2" + ou
	return []step{
		{"disabled", "dn: " + user + "\nchangetype: modify\nreplace: userAccountControl\nuserAccountControl: 546\n", "u00020", map[string]string{"disabled": "true", "department": "Engineering"}},
		{"moved to another office", "dn: " + user + "\nchangetype: modify\nreplace: l\nl: Bergen\n-\nreplace: physicalDeliveryOfficeName\nphysicalDeliveryOfficeName: Bergen 2\n",
			"u00020", map[string]string{"office.city": "Bergen", "office.name": "Bergen 2", "disabled": "true"}},
		{"a value is gone", "dn: " + user + "\nchangetype: modify\ndelete: title\n", "u00020", map[string]string{"title": "", "full_name": "User 00020"}},
		{"renamed", "dn: " + user + "\nchangetype: modrdn\nnewrdn: CN=Renamed\\, Person\ndeleteoldrdn: 1\n", `CN=Renamed\, Person,OU=D2` + ou, map[string]string{"sam": "u00020"}},
		{"the manager's new name", "dn: CN=User 00003,OU=D3" + ou + "\nchangetype: modify\nreplace: displayName\ndisplayName: Ines Berg\n", "u00033", map[string]string{"manager": "Ines Berg"}},
		{"the manager is moved", "dn: CN=User 00003,OU=D3" + ou + "\nchangetype: modrdn\nnewrdn: CN=Ines Berg\ndeleteoldrdn: 1\nnewsuperior: OU=Service,DC=lab,DC=test\n",
			"u00033", map[string]string{"manager": "Ines Berg", "manager_email": "u00003@example.com"}},
		{"an account is made", "dn: CN=New,OU=D0" + ou + "\nchangetype: add\nobjectClass: user\nsAMAccountName: new\nuserAccountControl: 4260384\naccountExpires: 131000000000000000\nservicePrincipalName: http/new\n",
			"new", map[string]string{"no_preauth": "true", "password_never_expires": "true", "expired": "true", "service_account": "true", "account_expires": "2016-02-15T08:53:20Z"}},
		{"an admin by nesting", "dn: CN=Team 02,OU=Groups,DC=lab,DC=test\nchangetype: modify\nadd: member\nmember: CN=New,OU=D0" + ou + "\n\n" +
			"dn: CN=Domain Admins,CN=Users,DC=lab,DC=test\nchangetype: modify\nadd: member\nmember: CN=Team 00,OU=Groups,DC=lab,DC=test\n",
			"new", map[string]string{"privileged": "true", "direct_groups": "Domain Users,team02",
				"groups": "Administrators,Denied RODC Password Replication Group,Domain Admins,Domain Users,Users,team00,team02"}},
		{"groups in a circle", "dn: CN=Team 59,OU=Groups,DC=lab,DC=test\nchangetype: modify\nadd: member\nmember: CN=Team 00,OU=Groups,DC=lab,DC=test\n",
			"team00", map[string]string{"privileged": "true"}},
		{"no admin any more", "dn: CN=Domain Admins,CN=Users,DC=lab,DC=test\nchangetype: modify\ndelete: member\nmember: CN=Team 00,OU=Groups,DC=lab,DC=test\n", "new", map[string]string{"privileged": "false"}},
		{"another primary group", "dn: CN=Domain Guests,CN=Users,DC=lab,DC=test\nchangetype: modify\nadd: member\nmember: CN=New,OU=D0" + ou + "\n\n" +
			"dn: CN=New,OU=D0" + ou + "\nchangetype: modify\nreplace: primaryGroupID\nprimaryGroupID: 514\n", "new", map[string]string{"direct_groups": "Domain Guests,Domain Users,team02"}},
		{"a renamed unit", "dn: OU=D4" + ou + "\nchangetype: modrdn\nnewrdn: OU=D4 new\ndeleteoldrdn: 1\n", "u00004", map[string]string{"dn": "CN=User 00004,OU=D4 new" + ou}},
		{"a moved unit", "dn: OU=D5" + ou + "\nchangetype: modrdn\nnewrdn: OU=D5\ndeleteoldrdn: 1\nnewsuperior: OU=D4 new" + ou + "\n", "u00005", map[string]string{"dn": "CN=User 00005,OU=D5,OU=D4 new" + ou}},
		{"and what lies around it", "dn: OU=D4 new" + ou + "\nchangetype: modrdn\nnewrdn: OU=East\ndeleteoldrdn: 1\nnewsuperior: OU=Service,DC=lab,DC=test\n",
			"u00011", map[string]string{"dn": "CN=User 00011,OU=D5,OU=East,OU=Service,DC=lab,DC=test"}},
		{"a deleted account", "dn: CN=New,OU=D0" + ou + "\nchangetype: delete\n", "new", nil},
		{"a deleted manager", "dn: CN=Ines Berg,OU=Service,DC=lab,DC=test\nchangetype: delete\n", "u00033", map[string]string{"manager": "", "sam": "u00033"}},
		{"a deleted group", "dn: CN=Team 01,OU=Groups,DC=lab,DC=test\nchangetype: delete\n", "u00001", map[string]string{"groups": "Domain Users,Users"}},
		{"as before", "dn: CN=Team 00,OU=Groups,DC=lab,DC=test\nchangetype: modify\nreplace: description\ndescription: all\n", "team00", map[string]string{"description": "all"}},
	}
}

// testChanges: whichever way changes are found, what is kept up is what a new reader reads.
func testChanges(t *testing.T, d *testdc.DC, base string) {
	admin := password(t, testdc.Password)
	usn := config(d, testdc.Admin)
	usn.Sync = syncUSN
	all := map[string]*subject{"dirsync": open(t, config(d, testdc.Admin), admin, ""), "usn": open(t, usn, admin, ""),
		"weak": open(t, config(d, testdc.User), base, "")}
	for _, s := range all {
		s.fetch(t)
	}
	repl := open(t, config(d, "svc-repl@lab.test"), base, "")
	repl.fetch(t)
	if repl.state.Mode != syncDirSync || repl.state.Flags != 0 {
		t.Errorf("with the right of replication changes are found by %s with the flags %#x", repl.state.Mode, repl.state.Flags)
	}
	if f := all["weak"].state.Flags; f != ldap.DirSyncObjectSecurity {
		t.Errorf("without the right of replication DirSync has the flags %#x", f)
	}
	testLockout(t, d, all)
	list := steps()
	for i, step := range list {
		d.LDIF(t, step.ldif)
		if strings.Contains(step.ldif, "changetype: delete\n") {
			// This account sees no deletions: the list of all entries finds them, when it is due.
			all["weak"].clock.forward(time.Hour)
		}
		var want []string
		if i%6 == 5 {
			fresh := open(t, config(d, testdc.Admin), admin, "")
			fresh.fetch(t)
			want = rows(fresh.table)
		}
		for name, s := range all {
			full := s.state.Full
			start := time.Now()
			if !s.fetch(t) {
				t.Errorf("%s, %s: nothing new", step.name, name)
			}
			t.Logf("%s, %s: %v", step.name, name, time.Since(start))
			if s.state.Full != full {
				t.Errorf("%s, %s: everything was read anew", step.name, name)
			}
			got := s.user(t, step.key)
			if (step.want == nil) != (got == nil) {
				t.Errorf("%s, %s: %s is %v", step.name, name, step.key, got)
			}
			check(t, got, step.want)
			if want != nil {
				differ(t, step.name+", "+name, rows(s.table), want)
			}
		}
		if t.Failed() {
			return
		}
	}
	for name, s := range all {
		if s.fetch(t) {
			t.Errorf("%s: something new, though nothing changed", name)
		}
	}
	testRestore(t, d, all)
	testTen(t, d, all)
}

func differ(t *testing.T, name string, got, want []string) {
	t.Helper()
	shown := 0
	for _, r := range got {
		if _, ok := slices.BinarySearch(want, r); !ok && shown < 3 {
			shown++
			t.Errorf("%s: %s is kept; a new reader does not read it", name, r)
		}
	}
	for _, r := range want {
		if _, ok := slices.BinarySearch(got, r); !ok && shown < 6 {
			shown++
			t.Errorf("%s: %s is missing", name, r)
		}
	}
}

// testLockout locks an account by wrong passwords. It is open again when the domain's time is over, which no change tells.
func testLockout(t *testing.T, d *testdc.DC, all map[string]*subject) {
	d.LDIF(t, "dn: CN=User 00030,OU=D0"+ou+"\nchangetype: modify\nreplace: userAccountControl\nuserAccountControl: 512\n-\nreplace: unicodePwd\nunicodePwd:: "+
		"IgBQAGEAcwBzAHcAMAByAGQALgBMAGEAYgAxACIA\n")
	for range 4 {
		c, err := ldap.DialURL("ldaps://"+d.IP, ldap.DialWithTLSConfig(tlsOf(t, d)))
		if err != nil {
			t.Fatal(err)
		}
		if c.Bind("u00030@lab.test", "wrong") == nil {
			t.Fatal("a wrong password is taken")
		}
		c.Close()
	}
	for name, s := range all {
		s.fetch(t)
		if got := s.user(t, "u00030")["locked"]; got != "true" {
			t.Errorf("%s: locked is %s", name, got)
		}
		s.clock.forward(time.Hour)
		if !s.fetch(t) || s.user(t, "u00030")["locked"] != "false" {
			t.Errorf("%s: still locked after an hour", name)
		}
	}
	d.LDIF(t, "dn: CN=User 00030,OU=D0"+ou+"\nchangetype: modify\nreplace: lockoutTime\nlockoutTime: 0\n")
	for _, s := range all {
		s.fetch(t)
	}
}

// testRestore puts a deleted account back. DirSync tells only what changed of it, which is not all.
func testRestore(t *testing.T, d *testdc.DC, all map[string]*subject) {
	s := all["dirsync"]
	id := s.user(t, "u00036")["guid"]
	d.LDIF(t, "dn: CN=User 00036,OU=D0"+ou+"\nchangetype: delete\n")
	for _, s := range all {
		s.clock.forward(time.Hour)
		if s.fetch(t); s.user(t, "u00036") != nil {
			t.Fatal("a deleted account is still there")
		}
	}
	m := ldap.NewModifyRequest(`CN=User 00036\0ADEL:`+id+",CN=Deleted Objects,"+testdc.Base, []ldap.Control{showDeleted()})
	m.Delete("isDeleted", nil)
	m.Replace("distinguishedName", []string{"CN=Back again,OU=D2" + ou})
	if err := s.conn.Modify(m); err != nil {
		t.Fatal(err)
	}
	for name, s := range all {
		s.fetch(t)
		got := s.user(t, "u00036")
		check(t, got, map[string]string{"dn": "CN=Back again,OU=D2" + ou, "guid": id, "kind": "user"})
		if got["sid"] == "" || got["domain_sam"] == "" {
			t.Errorf("%s: put back with %v", name, got)
		}
	}
}

// testTen logs how long after ten changes they are in the table, for a reader that asks twice a second.
func testTen(t *testing.T, d *testdc.DC, all map[string]*subject) {
	for name, s := range all {
		var ldif strings.Builder
		mark := fmt.Sprintf("%s %d", name, time.Now().UnixNano())
		for i := 20; i < 30; i++ {
			fmt.Fprintf(&ldif, "dn: CN=User %05d,OU=D%d,OU=Staff,DC=lab,DC=test\nchangetype: modify\nreplace: description\ndescription: %s\n\n", 6*i, 0, mark)
		}
		d.LDIF(t, ldif.String())
		done := time.Now()
		for end := time.Now().Add(3 * time.Minute); ; time.Sleep(500 * time.Millisecond) {
			s.fetch(t)
			n := 0
			for i := 20; i < 30; i++ {
				if s.user(t, fmt.Sprintf("u%05d", 6*i))["description"] == mark {
					n++
				}
			}
			if n == 10 {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("%s: %d of ten changes seen", name, n)
			}
		}
		t.Logf("%s: ten changes are in the table %v after the last was made", name, time.Since(done))
	}
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
	if again == nil || !strings.Contains(again.Error(), "tried again in 1m0s") && !strings.Contains(again.Error(), "tried again in 59s") {
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
