package directory

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"leat/internal/testdc"
)

// openLDAP is a real OpenLDAP server.
type openLDAP struct {
	url, ca string
}

const people = `dn: dc=plain,dc=test
objectClass: dcObject
objectClass: organization
dc: plain
o: Plain

dn: ou=people,dc=plain,dc=test
objectClass: organizationalUnit
ou: people

dn: cn=reader,dc=plain,dc=test
objectClass: person
cn: reader
sn: reader
userPassword: Reader.1

`

// startOpenLDAP starts slapd on a free port, with LDAPS and StartTLS, and so many people.
func startOpenLDAP(t *testing.T, n int) *openLDAP {
	t.Helper()
	bin, add := testdc.Program("slapd"), testdc.Program("slapadd")
	if bin == "" || add == "" {
		t.Skip("slapd is not installed (scripts/setup test)")
	}
	dir := t.TempDir()
	ca := testdc.NewAuthority(t)
	cert, key := ca.Issue(t, testdc.Cert{IPs: []string{"127.0.0.1"}})
	put(t, dir, "ca.pem", string(ca.PEM()))
	put(t, dir, "cert.pem", string(cert))
	put(t, dir, "key.pem", string(key))
	put(t, dir, "slapd.conf", fmt.Sprintf(`include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile %[1]s/pid
TLSCACertificateFile %[1]s/ca.pem
TLSCertificateFile %[1]s/cert.pem
TLSCertificateKeyFile %[1]s/key.pem
sizelimit size.soft=100 size.hard=100 size.prtotal=unlimited
security simple_bind=128
database mdb
suffix dc=plain,dc=test
directory %[1]s/db
rootdn cn=root,dc=plain,dc=test
rootpw Root.1
index entryUUID,modifyTimestamp eq
access to attrs=userPassword by anonymous auth
access to * by users read
`, dir))
	if err := os.Mkdir(filepath.Join(dir, "db"), 0o700); err != nil {
		t.Fatal(err)
	}
	ldif := people
	for i := range n {
		ldif += fmt.Sprintf("dn: uid=p%04d,ou=people,dc=plain,dc=test\nobjectClass: inetOrgPerson\nuid: p%04d\ncn: Person %d\nsn: %d\nmail: p%04d@plain.test\nmail: person.%d@plain.test\ndepartmentNumber: %d\n\n", i, i, i, i, i, i, i%7)
	}
	put(t, dir, "people.ldif", ldif)
	if out, err := exec.Command(add, "-q", "-f", dir+"/slapd.conf", "-l", dir+"/people.ldif").CombinedOutput(); err != nil {
		t.Fatalf("slapadd: %v\n%s", err, out)
	}
	// A port that was free a moment ago may be taken: then slapd ends, and the next is tried.
	for range 10 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addr := l.Addr().String()
		l.Close()
		cmd := exec.Command(bin, "-f", dir+"/slapd.conf", "-h", "ldaps://"+addr, "-d", "0")
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			cmd.Wait()
			close(ended)
		}()
		if listens(addr, ended) {
			t.Cleanup(func() {
				cmd.Process.Kill()
				<-ended
			})
			return &openLDAP{url: "ldaps://" + addr, ca: filepath.Join(dir, "ca.pem")}
		}
		cmd.Process.Kill()
		<-ended
	}
	t.Fatal("slapd does not start")
	return nil
}

func listens(addr string, ended chan struct{}) bool {
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); {
		if c, err := net.DialTimeout("tcp", addr, time.Second); err == nil {
			c.Close()
			return true
		}
		select {
		case <-ended:
			return false
		case <-time.After(20 * time.Millisecond):
		}
	}
	return false
}

func (o *openLDAP) ldif(t *testing.T, ldif string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "ldapmodify", "-x", "-H", o.url, "-D", "cn=root,dc=plain,dc=test", "-w", "Root.1")
	cmd.Env = append(os.Environ(), "LDAPTLS_CACERT="+o.ca)
	cmd.Stdin = strings.NewReader(ldif)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ldapmodify: %v\n%s", err, out)
	}
}

// TestOpenLDAP: against a real OpenLDAP server, which gives no more than 100 entries a page.
func TestOpenLDAP(t *testing.T) {
	srv := startOpenLDAP(t, 350)
	base := password(t, "Reader.1")
	cfg := Config{Kind: kindLDAP, URLs: []string{srv.url}, CA: srv.ca, Base: "ou=people,dc=plain,dc=test", Filter: "(objectClass=inetOrgPerson)", Page: 100,
		Bind: Bind{User: "cn=reader,dc=plain,dc=test", PasswordFile: "pw"}, Attributes: map[string]string{"id": "uid", "name": "cn", "mail": "mail", "dep": "departmentNumber"}}
	full := cfg
	full.Sync = syncFull
	dir := t.TempDir()
	all := map[string]*subject{"modified": open(t, cfg, base, dir), "full": open(t, full, base, "")}
	keys := []string{"id", "mail"}
	for name, s := range all {
		s.fetch(t)
		if s.table.Rows() != 350 || s.state.Mode != name {
			t.Errorf("%s: %d rows by %s", name, s.table.Rows(), s.state.Mode)
		}
		check(t, s.row(t, keys, "PERSON.7@plain.test"), map[string]string{"id": "p0007", "name": "Person 7", "mail": "p0007@plain.test,person.7@plain.test", "dep": "0", "dn": "uid=p0007,ou=people,dc=plain,dc=test"})
		if s.fetch(t) {
			t.Errorf("%s: something new, though nothing changed", name)
		}
	}
	for _, step := range []step{
		{"changed", "dn: uid=p0007,ou=people,dc=plain,dc=test\nchangetype: modify\nreplace: departmentNumber\ndepartmentNumber: 99\n-\ndelete: mail\nmail: person.7@plain.test\n", "p0007", map[string]string{"dep": "99", "mail": "p0007@plain.test"}},
		{"again within the second", "dn: uid=p0007,ou=people,dc=plain,dc=test\nchangetype: modify\nreplace: departmentNumber\ndepartmentNumber: 98\n", "p0007", map[string]string{"dep": "98"}},
		{"renamed", "dn: uid=p0007,ou=people,dc=plain,dc=test\nchangetype: modrdn\nnewrdn: uid=seven\ndeleteoldrdn: 1\n", "seven", map[string]string{"dep": "98", "dn": "uid=seven,ou=people,dc=plain,dc=test"}},
		{"made", "dn: uid=new,ou=people,dc=plain,dc=test\nchangetype: add\nobjectClass: inetOrgPerson\nuid: new\ncn: New\nsn: New\n", "new", map[string]string{"name": "New", "mail": ""}},
		{"deleted", "dn: uid=p0008,ou=people,dc=plain,dc=test\nchangetype: delete\n", "p0008", nil},
	} {
		srv.ldif(t, step.ldif)
		for name, s := range all {
			if step.want == nil {
				// No trace is left: the list of all entries finds it, when it is due.
				s.clock.forward(time.Hour)
			}
			if !s.fetch(t) {
				t.Errorf("%s, %s: nothing new", step.name, name)
			}
			got := s.row(t, keys, step.key)
			if (got == nil) != (step.want == nil) {
				t.Errorf("%s, %s: %s is %v", step.name, name, step.key, got)
			}
			check(t, got, step.want)
		}
		differ(t, step.name, rows(all["modified"].table), rows(all["full"].table))
	}
	// A restart goes on.
	s := all["modified"]
	had := s.had
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, cfg, base, dir)
	again.had = had
	if again.fetch(t) || !again.state.Full.Equal(s.state.Full) {
		t.Error("after a restart everything is read anew")
	}
	// Another question is not answered by what was read for the first.
	cfg.Attributes = map[string]string{"id": "uid"}
	other := open(t, cfg, base, dir)
	other.fetch(t)
	if other.state.Full.Equal(s.state.Full) {
		t.Error("what was read for other attributes is used")
	}
	cfg.Bind.User = "cn=nobody,dc=plain,dc=test"
	if _, err := open(t, cfg, base, "").try(); err == nil || !strings.Contains(err.Error(), "wrong name or password") {
		t.Errorf("a wrong account says %v", err)
	}
	cfg.Base, cfg.Bind.User = "ou=none,dc=plain,dc=test", "cn=reader,dc=plain,dc=test"
	if _, err := open(t, cfg, base, "").try(); err == nil || !strings.Contains(err.Error(), "No Such Object") {
		t.Errorf("a wrong base says %v", err)
	}
}
