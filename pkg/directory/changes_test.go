package directory

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	ldap "github.com/go-ldap/ldap/v3"

	"leat/internal/testdc"
)

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
