package directory

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	ldap "github.com/go-ldap/ldap/v3"
)

// TestRefusal: a refused password waits ever longer, another one not at all.
func TestRefusal(t *testing.T) {
	now := time.Unix(1e9, 0)
	var r refusal
	if r.wait("a", now) != 0 {
		t.Error("a password that nobody refused waits")
	}
	for _, want := range []time.Duration{time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 16 * time.Minute, 30 * time.Minute, 30 * time.Minute} {
		r.note("a", now)
		if got := r.wait("a", now); got != want {
			t.Errorf("it waits %v, want %v", got, want)
		}
		if r.wait("b", now) != 0 {
			t.Error("another password waits")
		}
		now = now.Add(want)
		if got := r.wait("a", now); got != 0 {
			t.Errorf("then it waits %v more", got)
		}
	}
	r.note("b", now)
	if got := r.wait("b", now); got != time.Minute {
		t.Errorf("a new password that is refused waits %v", got)
	}
}

// TestOrder: the server that answered last comes first, those that failed lately last.
func TestOrder(t *testing.T) {
	s := open(t, plainText("ldap://a", "ldap://b", "ldap://c"), password(t, "x"), "")
	order := func() string {
		list, err := s.servers(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return strings.ReplaceAll(strings.Join(list, " "), "ldap://", "")
	}
	if got := order(); got != "a b c" {
		t.Error(got)
	}
	s.state.Server = "ldap://c"
	if got := order(); got != "c a b" {
		t.Error(got)
	}
	s.rest["ldap://c"] = resting{until: s.clock.now().Add(time.Hour)}
	s.rest["ldap://a"] = resting{until: s.clock.now().Add(time.Hour)}
	if got := order(); got != "b a c" {
		t.Error(got)
	}
	s.clock.forward(2 * time.Hour)
	if got := order(); got != "c a b" {
		t.Error(got)
	}
}

// TestAllDown: the error names each server, and why; each rests longer each time.
func TestAllDown(t *testing.T) {
	one := serve(t, nil, func(search) reply { return reply{drop: true} })
	two := serve(t, nil, func(search) reply { return reply{code: ldap.LDAPResultUnavailable} })
	s := open(t, plainText(one.url, two.url), password(t, "x"), "")
	for _, want := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
		_, err := s.try()
		if err == nil || !strings.Contains(err.Error(), one.url) || !strings.Contains(err.Error(), two.url+": read \"\": LDAP Result Code 52") {
			t.Fatalf("%v", err)
		}
		if got := s.rest[one.url].wait; got != want {
			t.Errorf("it rests %v, want %v", got, want)
		}
	}
}

func TestWhy(t *testing.T) {
	for data, want := range map[string]string{"52e": "wrong password", "533": "the account is disabled", "775": "the account is locked", "701": "the account has expired", "zzz": "wrong name or password"} {
		err := errors.New("80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data " + data + ", v1db1")
		if got := why(err); got != want {
			t.Errorf("%s is %s, want %s", data, got, want)
		}
	}
}

// TestWellKnown: each is there once, and is a SID that decodes to itself.
func TestWellKnown(t *testing.T) {
	var sids []string
	for _, k := range wellKnown {
		if slices.Contains(sids, k.sid) || k.name == "" || !strings.HasPrefix(k.sid, "S-1-") {
			t.Errorf("%+v", k)
		}
		sids = append(sids, k.sid)
	}
}

// TestNotADomainController: another server than asked for says so.
func TestNotADomainController(t *testing.T) {
	srv := serve(t, nil, func(search) reply { return reply{entries: []*ldap.Entry{made("", "namingContexts", "dc=a")}} })
	if _, err := open(t, plainText(srv.url), password(t, "x"), "").try(); err == nil || !strings.Contains(err.Error(), "is no domain controller (for other directories: kind: ldap)") {
		t.Errorf("%v", err)
	}
}

// TestPlainWithoutTimestamps: a server whose entries have none is read whole each time, unless changes were asked for.
func TestPlainWithoutTimestamps(t *testing.T) {
	n := 1
	srv := serve(t, nil, func(search) reply {
		var list []*ldap.Entry
		for i := range n {
			list = append(list, made("CN=P"+string(rune('a'+i))+",dc=a", "cn", "P", "cn;lang-fr", "Pé"))
		}
		return reply{entries: list}
	})
	c := plainText(srv.url)
	c.Kind, c.Base, c.Sync, c.Attributes = kindLDAP, "dc=a", "", map[string]string{"name": "cn"}
	s := open(t, c, password(t, "x"), "")
	s.fetch(t)
	if s.state.Mode != syncFull || s.fetch(t) {
		t.Errorf("%s", s.state.Mode)
	}
	srv.mu.Lock()
	n = 3
	srv.mu.Unlock()
	if !s.fetch(t) || s.table.Rows() != 3 || string(s.table.Cell(0, 1)) != `["P","Pé"]` {
		t.Errorf("%v", rows(s.table))
	}
	c.Sync = syncModified
	if _, err := open(t, c, password(t, "x"), "").try(); err == nil || !strings.Contains(err.Error(), "expected both, or sync: full") {
		t.Errorf("%v", err)
	}
}

// TestPlainParts: long lists of values that come in parts are read whole.
func TestPlainParts(t *testing.T) {
	srv := serve(t, nil, func(q search) reply {
		name, values := "member;range=0-1", []string{"cn=a", "cn=b"}
		switch q.attrs[0] {
		case "member;range=2-*":
			name, values = "member;range=2-3", []string{"cn=c", "cn=d"}
		case "member;range=4-*":
			name, values = "member;range=4-*", []string{"cn=e"}
		}
		return reply{entries: []*ldap.Entry{{DN: "cn=g,dc=a", Attributes: []*ldap.EntryAttribute{{Name: "member"}, {Name: name, Values: values}}}}}
	})
	c := plainText(srv.url)
	c.Kind, c.Base, c.Sync, c.Attributes = kindLDAP, "dc=a", "", map[string]string{"members": "member"}
	s := open(t, c, password(t, "x"), "")
	s.fetch(t)
	if got, want := string(s.table.AppendRow(nil, 0)), `{"dn":"cn=g,dc=a","members":["cn=a","cn=b","cn=c","cn=d","cn=e"]}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
