package directory

import (
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	ldap "github.com/go-ldap/ldap/v3"
	"golang.org/x/net/dns/dnsmessage"

	"leat/internal/testdc"
	"leat/pkg/dimension"
)

// TestCertificates: only a certificate that is valid, of the right name, and signed by the right authority is taken.
func TestCertificates(t *testing.T) {
	other := testdc.NewAuthority(t)
	for _, c := range []struct {
		name  string
		cert  testdc.Cert
		as    string
		other bool
		want  string
	}{
		{"right", testdc.Cert{IPs: []string{"127.0.0.1"}}, "", false, ""},
		{"right by server_name", testdc.Cert{Names: []string{"dc1.lab.test"}}, "dc1.lab.test", false, ""},
		{"expired", testdc.Cert{IPs: []string{"127.0.0.1"}, Expires: time.Now().Add(-time.Hour)}, "", false, "expired"},
		{"another name", testdc.Cert{Names: []string{"dc1.lab.test"}}, "dc2.lab.test", false, "valid for dc1.lab.test, not dc2.lab.test"},
		{"another address", testdc.Cert{IPs: []string{"127.0.0.9"}}, "", false, "not 127.0.0.1"},
		{"another authority", testdc.Cert{IPs: []string{"127.0.0.1"}}, "", true, "unknown authority"},
	} {
		t.Run(c.name, func(t *testing.T) {
			cert, dir := certificate(t, c.cert)
			if c.other {
				put(t, dir, "ca.pem", string(other.PEM()))
			}
			usn := 5
			srv := serve(t, cert, domain("i", &usn, func(search) reply { return reply{entries: []*ldap.Entry{person(1)}} }))
			s := open(t, Config{URLs: []string{srv.url}, CA: "ca.pem", ServerName: c.as, Bind: Bind{User: "a", PasswordFile: "pw"}, Sync: syncUSN}, dir, "")
			_, err := s.try()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %s", err, c.want)
			}
			if c.want != "" && srv.binds > 0 {
				t.Error("the password was sent")
			}
		})
	}
}

// TestIllServers: whatever a server does, there is an error, in time, and what was known stays.
func TestIllServers(t *testing.T) {
	const late = "late"
	one := made("CN=P", "objectGUID", guid(7), "description", strings.Repeat("x", 100_000))
	for name, c := range map[string]struct {
		answer reply
		want   string
	}{
		"never":            {reply{hang: true}, late},
		"garbage":          {reply{raw: []byte("HTTP/1.1 400 Bad Request\r\n\r\n")}, "does not speak LDAP"},
		"too long":         {reply{raw: []byte{0x30, 0x84, 0x7f, 0xff, 0xff, 0xff}}, "too big"},
		"longer":           {reply{raw: []byte{0x30, 0x88, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}}, "too big"},
		"endless":          {reply{endless: true, entries: []*ldap.Entry{one}}, "too big"},
		"half a message":   {reply{raw: []byte{0x30, 0x20, 2, 1}}, late},
		"nonsense":         {reply{raw: []byte{0x30, 3, 2, 1, 99}}, late},
		"gone":             {reply{drop: true}, "search"},
		"refused":          {reply{code: ldap.LDAPResultInsufficientAccessRights}, "Insufficient Access Rights"},
		"busy":             {reply{code: ldap.LDAPResultBusy}, "Busy"},
		"no GUID":          {reply{entries: []*ldap.Entry{made("CN=X", "objectClass", "user")}}, "has no objectGUID"},
		"too many":         {reply{entries: []*ldap.Entry{person(1), person(2), person(3), person(4)}}, "more than max_entries (3)"},
		"pages of nothing": {reply{controls: []ldap.Control{&ldap.ControlPaging{PagingSize: 1, Cookie: []byte("x")}}}, "empty pages"},
	} {
		t.Run(name, func(t *testing.T) {
			usn := 5
			ill := false
			srv := serve(t, nil, domain("i", &usn, func(search) reply {
				if ill {
					return c.answer
				}
				return reply{entries: []*ldap.Entry{person(1)}}
			}))
			cfg := plainText(srv.url)
			cfg.MaxEntries = 3
			s := open(t, cfg, password(t, "secret"), "")
			s.maxAnswer = 4 << 20
			s.fetch(t)
			srv.mu.Lock()
			ill, usn = true, 6
			srv.mu.Unlock()
			if c.want == late {
				s.cfg.Timeout = 500 * time.Millisecond
			}
			_, err := s.try()
			s.cfg.Timeout = time.Minute
			if err == nil || !strings.Contains(err.Error(), c.want) && !(c.want == late && tooLate(err)) {
				t.Fatalf("%v, want %s", err, c.want)
			}
			if errors.Is(err, dimension.ErrUnchanged) || len(s.objects) != 1 {
				t.Errorf("%d objects are left", len(s.objects))
			}
			srv.mu.Lock()
			ill = false
			srv.mu.Unlock()
			if _, err := s.try(); err != nil {
				t.Errorf("well again: %v", err)
			}
		})
	}
}

// tooLate tells whether an error says that time ran out. Which clock notices first is left to the machine.
func tooLate(err error) bool {
	msg := err.Error()
	return strings.Contains(msg, "timed out") || strings.Contains(msg, "timeout") || strings.Contains(msg, "deadline")
}

// TestSilence: a server that takes the connection and says nothing, before TLS, at StartTLS and after it.
func TestSilence(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, c := range []Config{{URLs: []string{"ldaps://" + l.Addr().String()}}, {URLs: []string{"ldap://" + l.Addr().String()}}, plainText("ldap://" + l.Addr().String())} {
		c.Bind, c.Timeout = Bind{User: "a", PasswordFile: "pw"}, 300*time.Millisecond
		if _, err := open(t, c, password(t, "x"), "").try(); err == nil {
			t.Errorf("%v: silence is an answer", c.URLs)
		}
	}
}

// TestStartTLSRefused: no password is sent where TLS is refused, or where the answer is no LDAP.
func TestStartTLSRefused(t *testing.T) {
	for _, answer := range []string{"\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x02\x04\x00\x04\x00", "220 mail ready\r\n", "\x30\x84\x10\x00\x00\x00", "\x30\x00"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		got := make(chan string, 1)
		go func() {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			buf := make([]byte, 4096)
			n, _ := c.Read(buf)
			c.Write([]byte(answer))
			m, _ := c.Read(buf[n:])
			got <- string(buf[n : n+m])
		}()
		s := open(t, Config{URLs: []string{"ldap://" + l.Addr().String()}, Bind: Bind{User: "a", PasswordFile: "pw"}}, password(t, "secret"), "")
		if _, err := s.try(); err == nil || !strings.Contains(err.Error(), "StartTLS") {
			t.Errorf("%q: %v", answer, err)
		}
		if after := <-got; after != "" {
			t.Errorf("%q: then %q was sent", answer, after)
		}
		l.Close()
	}
}

// TestFailOver: the next server is asked; another database means that all is read anew; the first is not asked at once again.
func TestFailOver(t *testing.T) {
	usn1, usn2 := 50, 20
	var up1 = true
	var full []string
	content := func(name string, who *ldap.Entry) func(search) reply {
		return func(q search) reply {
			if name == "one" && !up1 {
				return reply{drop: true}
			}
			full = append(full, name)
			return reply{entries: []*ldap.Entry{who}}
		}
	}
	one := serve(t, nil, domain("one", &usn1, content("one", person(1))))
	two := serve(t, nil, domain("two", &usn2, content("two", person(2))))
	s := open(t, plainText(one.url, two.url), password(t, "x"), "")
	s.fetch(t)
	if s.user(t, "p1") == nil || s.state.Server != one.url {
		t.Fatalf("%s was asked", s.state.Server)
	}
	one.mu.Lock()
	up1, usn1 = false, 51
	one.mu.Unlock()
	s.fetch(t)
	if s.user(t, "p2") == nil || s.user(t, "p1") != nil || s.state.Server != two.url {
		t.Errorf("after the fail-over: %v", rows(s.table)[:2])
	}
	one.mu.Lock()
	up1 = true
	one.mu.Unlock()
	if s.fetch(t) || s.state.Server != two.url {
		t.Error("the server that answers is left")
	}
	list, err := s.servers(t.Context())
	if err != nil || list[0] != two.url || list[1] != one.url {
		t.Errorf("%v, %v", list, err)
	}
}

// TestRestored: a controller whose numbers went back was restored from a backup.
func TestRestored(t *testing.T) {
	usn := 50
	who := person(1)
	srv := serve(t, nil, domain("i", &usn, func(search) reply { return reply{entries: []*ldap.Entry{who}} }))
	s := open(t, plainText(srv.url), password(t, "x"), "")
	s.fetch(t)
	srv.mu.Lock()
	usn, who = 40, person(2)
	srv.mu.Unlock()
	if !s.fetch(t) || s.user(t, "p1") != nil || s.user(t, "p2") == nil {
		t.Error("what the backup does not hold is still there")
	}
}

// TestCookieRefused: a server that does not know the cookie is read anew.
func TestCookieRefused(t *testing.T) {
	usn := 5
	calls := 0
	srv := serve(t, nil, domain("i", &usn, func(q search) reply {
		ctl, ok := ldap.FindControl(q.controls, ldap.ControlTypeDirSync).(*ldap.ControlDirSync)
		if !ok {
			return reply{code: ldap.LDAPResultUnwillingToPerform}
		}
		calls++
		if len(ctl.Cookie) > 0 {
			return reply{code: ldap.LDAPResultUnavailableCriticalExtension}
		}
		return reply{entries: []*ldap.Entry{person(calls)}, controls: []ldap.Control{ldap.NewRequestControlDirSync(0, 0, []byte("cookie"))}}
	}))
	c := plainText(srv.url)
	c.Sync = "auto"
	s := open(t, c, password(t, "x"), "")
	s.fetch(t)
	if !s.fetch(t) || s.user(t, "p1") != nil || s.user(t, "p3") == nil || s.state.Mode != syncDirSync {
		t.Errorf("%v %s", rows(s.table)[:1], s.state.Mode)
	}
}

// TestDirSyncRefused: then changes are found by uSNChanged, unless DirSync was asked for.
func TestDirSyncRefused(t *testing.T) {
	usn := 5
	srv := serve(t, nil, domain("i", &usn, func(q search) reply {
		if ldap.FindControl(q.controls, ldap.ControlTypeDirSync) != nil {
			return reply{code: ldap.LDAPResultInsufficientAccessRights}
		}
		return reply{entries: []*ldap.Entry{person(1)}}
	}))
	c := plainText(srv.url)
	c.Sync = "auto"
	s := open(t, c, password(t, "x"), "")
	s.fetch(t)
	if s.state.Mode != syncUSN || !strings.Contains(s.log.String(), "DirSync is refused") {
		t.Errorf("%s\n%s", s.state.Mode, s.log)
	}
	c.Sync = syncDirSync
	if _, err := open(t, c, password(t, "x"), "").try(); err == nil || !strings.Contains(err.Error(), "Insufficient Access Rights") {
		t.Errorf("%v", err)
	}
}

// TestRangesThatDoNotEnd: a server that sends the same part for ever is left.
func TestRangesThatDoNotEnd(t *testing.T) {
	usn := 5
	srv := serve(t, nil, domain("i", &usn, func(search) reply {
		return reply{entries: []*ldap.Entry{made("CN=G,DC=lab,DC=test", "objectGUID", guid(1), "objectClass", "group", "member", "", "member;range=0-1", "CN=A", "member;range=0-1", "CN=B")}}
	}))
	if _, err := open(t, plainText(srv.url), password(t, "x"), "").try(); err == nil || !strings.Contains(err.Error(), "do not end") {
		t.Errorf("%v", err)
	}
}

// TestDNS: the domain's controllers are found by their SRV records.
func TestDNS(t *testing.T) {
	cert, dir := certificate(t, testdc.Cert{Names: []string{"localhost"}})
	usn := 5
	srv := serve(t, cert, domain("i", &usn, func(search) reply { return reply{entries: []*ldap.Entry{person(1)}} }))
	_, port, _ := net.SplitHostPort(srv.addr)
	var n uint16
	for _, c := range port {
		n = n*10 + uint16(c-'0')
	}
	c := Config{Domain: "lab.test", CA: "ca.pem", Bind: Bind{User: "a", PasswordFile: "pw"}, Sync: syncUSN}
	s := open(t, c, dir, "")
	s.resolver = nameServer(t, "_ldap._tcp.dc._msdcs.lab.test.", []dnsmessage.SRVResource{{Priority: 10, Port: 389, Target: dnsmessage.MustNewName("dc2.lab.test.")},
		{Priority: 1, Port: n, Target: dnsmessage.MustNewName("localhost.")}})
	list, err := s.servers(t.Context())
	if err != nil || len(list) != 2 || list[0] != "ldaps://localhost:"+port || list[1] != "ldaps://dc2.lab.test" {
		t.Fatalf("%v, %v", list, err)
	}
	s.fetch(t)
	s.cfg.Domain = "other.test"
	if _, err := s.servers(t.Context()); err == nil || !strings.Contains(err.Error(), "find the domain controllers of other.test") {
		t.Errorf("%v", err)
	}
}
