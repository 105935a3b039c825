package directory

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"leat/pkg/dimension"
)

const domainSID = "\x01\x04\x00\x00\x00\x00\x00\x05\x15\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00" // S-1-5-21-1-2-3

func account(id int, dn, class, sam string, pairs ...any) change {
	sid := "\x01\x05" + domainSID[2:] + string([]byte{byte(id), byte(id >> 8), 0, 0})
	return told(guid(id), dn, aCount, append([]any{aObjectClass, []string{class}, aObjectSID, []string{sid}, aSAM, []string{sam}}, pairs...)...)
}

func guid(id int) string { return fmt.Sprintf("%016d", id) }

// offline is a source that has read what is told, and nothing else.
func offline(t testing.TB, now time.Time, changes ...change) *subject {
	t.Helper()
	c := Config{URLs: []string{"ldaps://a"}, Bind: Bind{User: "a", PasswordFile: "pw"}}
	s := open(t, c, password(t, "x"), "")
	s.env.Now = func() time.Time { return now }
	changes = append(changes, told(guid(0), "DC=lab,DC=test", aCount, aObjectClass, []string{"domainDNS"}, aObjectSID, []string{domainSID},
		aLockoutDuration, []string{"-18000000000"}))
	s.state.NC, s.state.NetBIOS, s.state.DNS = "DC=lab,DC=test", "LAB", "lab.test"
	s.objects = objects{}
	s.objects.apply(changes, true, len(s.attrs))
	s.build(t)
	return s
}

func (s *subject) build(t testing.TB) {
	t.Helper()
	tab, turns, err := s.Source.table()
	if err != nil {
		t.Fatal(err)
	}
	s.table, s.turns = tab, turns
}

func stamp(t time.Time) []string { return []string{fmt.Sprint(t.Unix()*1e7 + epoch)} }

func TestRows(t *testing.T) {
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	s := offline(t, now,
		account(1000, "CN=Ann,DC=lab,DC=test", "user", "ann", aGivenName, []string{"Ann"}, aSurname, []string{"Lee"}, aProxies, []string{"smtp:b@x.test", "SMTP:a@x.test", "sip:c"},
			aPrimaryGroup, []string{"513"}, aControl, []string{"66080"}, aLastLogon, stamp(now.Add(-91*24*time.Hour)), aPasswordSet, stamp(now.Add(-time.Hour)), aSIDHistory, []string{"\x01\x01\x00\x00\x00\x00\x00\x05\x63\x00\x00\x00", "bad"},
			aManager, []string{guid(1001)}, aCountryCode, []string{"NO"}, aOrganization, []string{"Org"}, aAccountExpires, []string{"9223372036854775807"}),
		account(1001, "CN=Bo,DC=lab,DC=test", "inetOrgPerson", "bo", aDisplayName, []string{"Bo Ek"}, aMail, []string{"bo@x.test"}, aControl, []string{"512"}, aLockoutTime, stamp(now.Add(-time.Minute)),
			aAccountExpires, stamp(now.Add(time.Hour)), aCreated, []string{"20260101000000.0Z"}, aAdminCount, []string{"1"}),
		account(1002, "CN=Web,DC=lab,DC=test", "computer", "WEB$", aName, []string{"Web"}, aOS, []string{"Windows Server 2022"}, aManagedBy, []string{"cn=bo,dc=lab,dc=test"}, aControl, []string{"528384"}),
		account(1003, "CN=Pay,DC=lab,DC=test", "computer", "PAY$", aDescription, []string{"Payroll"}, aOS, []string{"Windows 11"}),
		account(1004, "CN=Ro,DC=lab,DC=test", "computer", "RO$", aControl, []string{"83890176"}),
		account(1005, "CN=G,DC=lab,DC=test", "msDS-GroupManagedServiceAccount", "g$", aCreated, []string{"20200101000000.0Z"}),
		account(513, "CN=Domänen-Benutzer,DC=lab,DC=test", "group", "Domänen-Benutzer"),
		account(512, "CN=Domain Admins,DC=lab,DC=test", "group", "Domain Admins", aMember, []string{guid(1006)}),
		account(1006, "CN=Outer,DC=lab,DC=test", "group", "outer", aMember, []string{guid(1007), "cn=web,dc=lab,dc=test", guid(4242)}),
		account(1007, "CN=Inner,DC=lab,DC=test", "group", "inner", aMember, []string{guid(1006), guid(1000), guid(1007)}),
		told(guid(2000), "CN=S-1-5-11,CN=ForeignSecurityPrincipals,DC=lab,DC=test", aCount, aObjectClass, []string{"foreignSecurityPrincipal"}, aObjectSID, []string{"\x01\x01\x00\x00\x00\x00\x00\x05\x0b\x00\x00\x00"}),
		told(guid(2001), "CN=S-1-5-21-9-9-9-1,CN=ForeignSecurityPrincipals,DC=lab,DC=test", aCount, aObjectClass, []string{"foreignSecurityPrincipal"}, aName, []string{"S-1-5-99"}, aObjectSID, []string{"\x01\x01\x00\x00\x00\x00\x00\x05\x63\x00\x00\x00"}),
		told(guid(3000), "CN=C,DC=lab,DC=test", aCount, aObjectClass, []string{"contact"}, aDisplayName, []string{"Contact"}),
	)
	check(t, s.user(t, "a@x.test"), map[string]string{"full_name": "Ann Lee", "email": "a@x.test", "proxy_addresses": "a@x.test,b@x.test", "manager": "Bo Ek", "manager_email": "bo@x.test",
		"office.country": "NO", "organization": "Org", "password_never_expires": "true", "password_not_required": "true", "disabled": "false", "stale": "true", "last_logon": "2026-03-02T12:00:00Z",
		"password_set": "2026-06-01T11:00:00Z", "account_expires": "", "expired": "false", "sid_history": "S-1-5-99", "groups": "Domain Admins,Domänen-Benutzer,inner,outer",
		"direct_groups": "Domänen-Benutzer,inner", "privileged": "true", "sid": "S-1-5-21-1-2-3-1000", "dns_domain": "lab.test", "service_account": "false"})
	check(t, s.user(t, "bo@lab.test"), map[string]string{"kind": "user", "locked": "true", "expired": "false", "privileged": "true", "stale": "true", "groups": ""})
	check(t, s.user(t, "web"), map[string]string{"function": "server", "owner": "Bo Ek", "owner_email": "bo@x.test", "privileged": "true", "full_name": "Web", "unconstrained_delegation": "true"})
	check(t, s.user(t, "pay$"), map[string]string{"function": "Payroll", "privileged": "false"})
	check(t, s.user(t, "ro$"), map[string]string{"function": "domain controller"})
	check(t, s.user(t, "g$"), map[string]string{"kind": "gmsa", "service_account": "true", "stale": "true"})
	check(t, s.user(t, "S-1-5-21-1-2-3-513"), map[string]string{"well_known": "Domain Users", "sam": "Domänen-Benutzer"})
	check(t, s.user(t, "outer"), map[string]string{"groups": "Domain Admins,inner,outer", "direct_groups": "Domain Admins,inner"})
	check(t, s.user(t, "S-1-5-11"), map[string]string{"kind": "well_known", "full_name": "Authenticated Users"})
	check(t, s.row(t, []string{"sid"}, "S-1-5-99"), map[string]string{"kind": "foreign", "domain": ""})
	if s.row(t, []string{"full_name"}, "Contact") != nil {
		t.Error("a contact is a row")
	}
	// Bo is open again half an hour after he was locked; nobody says so.
	if want := now.Add(29 * time.Minute); !s.turns.Equal(want) {
		t.Errorf("the table turns at %v, want %v", s.turns, want)
	}
	s.env.Now = func() time.Time { return now.Add(2 * time.Hour) }
	s.build(t)
	check(t, s.user(t, "bo"), map[string]string{"locked": "false", "expired": "true"})
}

func TestPlainRows(t *testing.T) {
	c := Config{Kind: kindLDAP, URLs: []string{"ldaps://a"}, Base: "dc=a", Attributes: map[string]string{"name": "cn", "mails": "mail", "photo": "jpegPhoto", "again": "CN"}}
	s := open(t, c, "", "")
	s.objects = objects{}
	ch := told("1", "cn=A,dc=a", len(s.attrs))
	ch.v[s.codes["cn"]], ch.v[s.codes["mail"]], ch.v[s.codes["jpegphoto"]] = []string{"A \"quoted\""}, []string{"z@a", "a@a"}, []string{"\xff\xd8"}
	s.objects.apply([]change{ch}, true, len(s.attrs))
	s.build(t)
	if got, want := string(s.table.AppendRow(nil, 0)), `{"dn":"cn=A,dc=a","again":"A \"quoted\"","mails":["z@a","a@a"],"name":"A \"quoted\"","photo":"ffd8"}`; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	s.env.Limits = dimension.Limits{Rows: 1}
	s.objects["2"] = &object{id: "2", dn: "cn=B,dc=a"}
	if _, _, err := s.Source.table(); err == nil {
		t.Error("more rows than there may be")
	}
}

// TestGraph compares the walk with a naive closure on random groups, circles included.
func TestGraph(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		n := 2 + r.IntN(12)
		g := newGraph(n)
		reach := make([][]bool, n)
		for i := range n {
			reach[i] = make([]bool, n)
			g.names[i] = fmt.Sprintf("g%02d", i)
			g.top[i] = r.IntN(6) == 0
		}
		for range r.IntN(2 * n) {
			a, b := r.IntN(n), r.IntN(n)
			g.add(int32(a), int32(b))
			reach[a][b] = true
		}
		for k := range n {
			for i := range n {
				for j := range n {
					reach[i][j] = reach[i][j] || reach[i][k] && reach[k][j]
				}
			}
		}
		for i := range n {
			var want []string
			top := false
			for j := range n {
				if reach[i][j] {
					want = append(want, g.names[j])
					top = top || g.top[j]
				}
			}
			m := g.of(int32(i))
			if m == nil {
				m = &membership{}
			}
			if got := texts(m.all); !slices.Equal(got, want) || m.privileged != top {
				t.Fatalf("%d is in %v, %v; want %v, %v", i, got, m.privileged, want, top)
			}
		}
	}
}

func BenchmarkTable(b *testing.B) {
	var changes []change
	for i := range 20000 {
		dn := fmt.Sprintf("CN=User %d,OU=Staff,DC=lab,DC=test", i)
		changes = append(changes, account(2000+i, dn, "user", fmt.Sprintf("u%d", i), aDisplayName, []string{fmt.Sprintf("User %d", i)}, aMail, []string{fmt.Sprintf("u%d@x.test", i)},
			aDepartment, []string{"Sales"}, aManager, []string{guid(2000 + i/10)}, aControl, []string{"512"}))
	}
	for i := range 200 {
		var members []string
		for j := i; j < 20000; j += 200 {
			members = append(members, guid(2000+j))
		}
		changes = append(changes, account(60000+i, fmt.Sprintf("CN=G%d,DC=lab,DC=test", i), "group", fmt.Sprintf("g%d", i), aMember, members))
	}
	s := offline(b, time.Now(), changes...)
	size := 0
	for _, o := range s.objects {
		size += len(o.packed) + len(o.dn) + len(o.id)
	}
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := s.Source.table(); err != nil {
			b.Fatal(err)
		}
	}
}
