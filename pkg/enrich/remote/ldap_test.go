package remote

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"leat/internal/testdc"
	"leat/pkg/dimension/secret"
)

// slapd is a real OpenLDAP server.
type slapd struct {
	dir  string
	addr string
	kill func()
}

const slapdConf = `include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile %[1]s/pid
TLSCACertificateFile %[1]s/ca.pem
TLSCertificateFile %[1]s/cert.pem
TLSCertificateKeyFile %[1]s/key.pem
database mdb
suffix dc=plain,dc=test
directory %[1]s/db
rootdn cn=root,dc=plain,dc=test
rootpw Root.1
access to attrs=userPassword by anonymous auth
access to * by users read
`

const slapdPeople = `dn: dc=plain,dc=test
objectClass: dcObject
objectClass: organization
dc: plain
o: Plain

dn: uid=alice,dc=plain,dc=test
objectClass: inetOrgPerson
uid: alice
cn: Alice
sn: A
mail: alice@plain.test
mail: a.lice@plain.test

dn: uid=o'neil* (x)\5C,dc=plain,dc=test
objectClass: inetOrgPerson
uid: o'neil* (x)\
cn: O'Neil
sn: O
jpegPhoto:: /wD+

dn: uid=reader,dc=plain,dc=test
objectClass: inetOrgPerson
uid: reader
cn: reader
sn: reader
userPassword: Reader.1
`

func startSlapd(t *testing.T) *slapd {
	t.Helper()
	bin, add := testdc.Program("slapd"), testdc.Program("slapadd")
	if bin == "" || add == "" {
		t.Skip("slapd is not installed (scripts/setup test)")
	}
	s := &slapd{dir: t.TempDir()}
	ca := testdc.NewAuthority(t)
	cert, key := ca.Issue(t, testdc.Cert{IPs: []string{"127.0.0.1"}})
	for name, data := range map[string][]byte{
		"ca.pem": ca.PEM(), "cert.pem": cert, "key.pem": key, "slapd.conf": fmt.Appendf(nil, slapdConf, s.dir), "people.ldif": []byte(slapdPeople),
		"password": []byte("Reader.1\n"), "other.pem": testdc.NewAuthority(t).PEM(),
	} {
		if err := os.WriteFile(filepath.Join(s.dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(s.dir, "db"), 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(add, "-q", "-f", s.dir+"/slapd.conf", "-l", s.dir+"/people.ldif").CombinedOutput(); err != nil {
		t.Fatalf("slapadd: %v\n%s", err, out)
	}
	s.start(t, "127.0.0.1:0")
	t.Cleanup(func() { s.kill() })
	return s
}

// start starts it at an address; with port 0 at one that is free.
func (s *slapd) start(t *testing.T, at string) {
	t.Helper()
	for range 10 {
		ln, err := net.Listen("tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		s.addr = ln.Addr().String()
		_ = ln.Close()
		cmd := exec.Command(testdc.Program("slapd"), "-f", s.dir+"/slapd.conf", "-h", "ldap://"+s.addr, "-d", "0")
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			_ = cmd.Wait()
			close(ended)
		}()
		s.kill = func() {
			_ = cmd.Process.Kill()
			<-ended
		}
		for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); {
			if c, err := net.DialTimeout("tcp", s.addr, time.Second); err == nil {
				_ = c.Close()
				return
			}
			select {
			case <-ended:
				end = time.Time{}
			case <-time.After(20 * time.Millisecond):
			}
		}
		s.kill()
	}
	t.Fatal("slapd does not start")
}

func (s *slapd) config() *Config {
	return &Config{
		LDAP: &LDAPConfig{
			URL: "ldap://" + s.addr, StartTLS: true, CA: filepath.Join(s.dir, "ca.pem"), Bind: "uid=reader,dc=plain,dc=test",
			Password: secret.Value{File: filepath.Join(s.dir, "password")}, Base: "dc=plain,dc=test", Filter: "(&(objectClass=person)(uid={key}))", Key: "uid",
			Attributes: []string{"cn", "mail", "jpegPhoto"},
		},
		Timeout: time.Minute, Wait: time.Minute, Concurrency: 2, Breaker: BreakerConfig{Failures: 1},
	}
}

func TestLDAP(t *testing.T) {
	s := startSlapd(t)
	b := backend(t, s.config())
	odd := `o'neil* (x)\`
	rows, err := b.Lookup(t.Context(), append([]string{"alice", "ALICE", odd, "nobody"}, hostile...))
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"alice": `{"dn":"uid=alice,dc=plain,dc=test","uid":"alice","cn":"Alice","mail":["alice@plain.test","a.lice@plain.test"]}`,
		odd:     `{"dn":"uid=o'neil* (x)\\5C,dc=plain,dc=test","uid":"o'neil* (x)\\","cn":"O'Neil","jpegPhoto":"ff00fe"}`,
	} {
		var got, exp map[string]any
		if json.Unmarshal(rows[key], &got) != nil || json.Unmarshal([]byte(want), &exp) != nil || fmt.Sprint(got) != fmt.Sprint(exp) {
			t.Errorf("%s: %s; want %s", key, rows[key], want)
		}
	}
	if string(rows["ALICE"]) != string(rows["alice"]) || len(rows) != 3 {
		t.Errorf("%q", rows)
	}
	for _, k := range hostile {
		if rows, err := b.Lookup(t.Context(), []string{k}); err != nil || len(rows) > 0 {
			t.Errorf("%q: %q, %v", k, rows, err)
		}
	}
	for what, change := range map[string]func(*LDAPConfig){
		"unknown authority":   func(c *LDAPConfig) { c.CA = filepath.Join(s.dir, "other.pem") },
		"Invalid Credentials": func(c *LDAPConfig) { c.Password.File = filepath.Join(s.dir, "ca.pem") },
		"No Such Object":      func(c *LDAPConfig) { c.Base = "dc=nowhere,dc=test" },
	} {
		cfg := s.config()
		change(cfg.LDAP)
		if _, err := backend(t, cfg).Lookup(t.Context(), []string{"alice"}); err == nil || !strings.Contains(err.Error(), what) || strings.Contains(err.Error(), "Reader.1") {
			t.Errorf("%v; want %s", err, what)
		}
	}
}

// TestLDAPLockout: a wrong password is tried once, and not until the account is locked; a new one is at once.
func TestLDAPLockout(t *testing.T) {
	s := startSlapd(t)
	cfg := s.config()
	file := filepath.Join(s.dir, "mine")
	cfg.LDAP.Password.File = file
	b := backend(t, cfg).(*ldapBackend)
	now := time.Now()
	b.now = func() time.Time { return now }
	put := func(pw string) {
		if err := os.WriteFile(file, []byte(pw), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ask := func() string {
		_, err := b.Lookup(t.Context(), []string{"alice"})
		return fmt.Sprint(err)
	}
	put("wrong")
	if got := ask(); !strings.Contains(got, "Invalid Credentials") {
		t.Error(got)
	}
	for range 3 {
		if got := ask(); !strings.Contains(got, "not tried again") {
			t.Error(got)
		}
	}
	now = now.Add(lockout)
	if got := ask(); !strings.Contains(got, "Invalid Credentials") {
		t.Error(got)
	}
	put("Reader.1")
	expect(t, "a new password", ask(), "<nil>")
}

// TestLDAPOutage: the directory is killed in mid-run, and comes back.
func TestLDAPOutage(t *testing.T) {
	s := startSlapd(t)
	cfg := s.config()
	if bad := cfg.Check(); len(bad) > 0 {
		t.Fatal(bad)
	}
	now := time.Now()
	c, err := New(*cfg, backend(t, cfg), Options{Name: "ldap", Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	expect(t, "up", states(c, "alice", "nobody"), "hit miss")
	s.kill()
	now = now.Add(2 * time.Hour)
	expect(t, "down", states(c, "alice", "reader"), "stale error")
	s.start(t, s.addr)
	now = now.Add(time.Minute)
	expect(t, "up again", states(c, "alice"), "hit")
	expect(t, "all", states(c, "reader", "nobody"), "hit miss")
}

// TestLDAPGarbage: a server that talks nonsense, or nothing, is an error within the timeout.
func TestLDAPGarbage(t *testing.T) {
	// The last says yes to StartTLS, and then nothing.
	yes := "0\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"
	for _, text := range []string{"HTTP/1.1 400 Bad Request\r\n\r\n", "0\x84\x7f\xff\xff\xff", "0\x84\x7f\xff\xff\xff\x04\x84\x7f\xff\xff\xf0x", "", yes} {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			for {
				conn, err := ln.Accept()
				if err != nil {
					return
				}
				defer conn.Close()
				_, _ = conn.Read(make([]byte, 4096)) // what it is asked
				_, _ = conn.Write([]byte(text))
			}
		}()
		cfg := &Config{LDAP: &LDAPConfig{URL: "ldap://" + ln.Addr().String(), Base: "dc=x", Filter: "(uid={key})", Key: "uid", StartTLS: text == yes}, Timeout: 200 * time.Millisecond, Wait: time.Minute}
		if bad := cfg.Check(); len(bad) > 0 {
			t.Fatal(bad)
		}
		b := backend(t, cfg)
		c, err := New(*cfg, b, Options{Name: "garbage"})
		if err != nil {
			t.Fatal(err)
		}
		expect(t, fmt.Sprintf("%q", text), states(c, "k"), "error")
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		_ = ln.Close()
		<-done
	}
}

func FuzzFillFilter(f *testing.F) {
	for _, k := range hostile {
		f.Add(k)
	}
	f.Fuzz(func(t *testing.T, key string) {
		p, err := ldap.CompileFilter(fillFilter("(uid={key})", key))
		if err != nil {
			t.Fatalf("%q: %v", key, err)
		}
		// One equality match of two values: the attribute, and the key as it was.
		if p.Tag != ldap.FilterEqualityMatch || len(p.Children) != 2 || p.Children[1].Data.String() != key {
			t.Fatalf("%q became %v", key, p.Children)
		}
	})
}
