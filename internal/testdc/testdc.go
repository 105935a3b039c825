// Package testdc starts a real Active Directory domain controller (Samba) for tests: domain LAB, realm lab.test, 3,000 users,
// 60 groups, 20 machines. It is provisioned once into .cache/ of the checkout and copied for each start.
//
// It is for tests only, and needs root (LDAP's ports are fixed) and what scripts/setup installs; where those are not there, the
// test is skipped.
package testdc

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The domain's names, and the secrets of its accounts.
const (
	Base     = "DC=lab,DC=test"
	Host     = "dc1.lab.test"
	Admin    = "Administrator@lab.test"
	Password = "Passw0rd.Lab1" // of Admin
	User     = "svc-leat@lab.test"
	Secret   = "Secret.Leat.1" // of User, an account without any rights of its own
	Users    = 3000
)

// patience bounds each wait for a state; it is generous, for machines that are busy.
const patience = 3 * time.Minute

//go:embed populate.py
var populate string

// DC is a domain controller.
type DC struct {
	// Dir holds its database and its files.
	Dir string
	// IP is its own loopback address; ports 389 and 636.
	IP string
	// CA is the path of the certificate that signed the controller's.
	CA string

	conf string
	cmd  *exec.Cmd
	done chan error
}

// New prepares a controller for t with a fresh copy of the directory; it is not started. users is the number of users;
// 0 is Users.
func New(t testing.TB, users int) *DC {
	t.Helper()
	if users == 0 {
		users = Users
	}
	if os.Getuid() != 0 {
		t.Skip("an Active Directory controller needs root for its ports")
	}
	for _, tool := range []string{"samba", "samba-tool", "ldapmodify"} {
		if Program(tool) == "" {
			t.Skipf("%s is not installed (scripts/setup test)", tool)
		}
	}
	cached, err := provision(users)
	if err != nil {
		t.Fatalf("provision a domain: %v", err)
	}
	// A short path: Samba's sockets lie in it, and names of sockets have 107 bytes at most.
	dir, err := os.MkdirTemp("", "dc")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if out, err := exec.Command("cp", "-a", cached+"/.", dir).CombinedOutput(); err != nil {
		t.Fatalf("copy %s: %v: %s", cached, err, out)
	}
	d := &DC{Dir: dir, IP: address(t), CA: filepath.Join(dir, "ca.pem"), conf: filepath.Join(dir, "dc.conf")}
	ca := NewAuthority(t)
	d.write(t, "ca.pem", ca.PEM())
	d.Certify(t, ca, Cert{Names: []string{Host}, IPs: []string{d.IP}})
	d.write(t, "dc.conf", fmt.Appendf(nil, conf, d.IP, dir))
	t.Cleanup(func() { d.Stop() })
	return d
}

// Program returns the path of a program, also where PATH lacks the system's folders; empty: it is not installed.
func Program(name string) string {
	for _, p := range []string{name, "/usr/sbin/" + name} {
		if path, err := exec.LookPath(p); err == nil {
			return path
		}
	}
	return ""
}

// Start is New and Start.
func Start(t testing.TB) *DC {
	t.Helper()
	d := New(t, 0)
	d.Start(t)
	return d
}

// Certify gives the controller a certificate; it counts from the next Start on.
func (d *DC) Certify(t testing.TB, ca *Authority, c Cert) {
	t.Helper()
	cert, key := ca.Issue(t, c)
	d.write(t, "cert.pem", cert)
	d.write(t, "key.pem", key)
}

func (d *DC) write(t testing.TB, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(d.Dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// Start starts the controller, and waits until it answers.
func (d *DC) Start(t testing.TB) {
	t.Helper()
	log, err := os.OpenFile(filepath.Join(d.Dir, "out.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	d.cmd = exec.Command(Program("samba"), "-s", d.conf, "-F", "-M", "single", "--no-process-group")
	d.cmd.Stdout, d.cmd.Stderr = log, log
	// Should the test die, so does the controller.
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	d.done = make(chan error, 1)
	if err := d.cmd.Start(); err != nil {
		t.Fatalf("start samba: %v", err)
	}
	go func() { d.done <- d.cmd.Wait() }()
	for end := time.Now().Add(patience); ; {
		if c, err := net.DialTimeout("tcp", net.JoinHostPort(d.IP, "636"), time.Second); err == nil {
			c.Close()
			return
		}
		select {
		case err := <-d.done:
			d.cmd = nil
			text, _ := os.ReadFile(log.Name())
			t.Fatalf("samba ended: %v: %s", err, text)
		case <-time.After(20 * time.Millisecond):
		}
		if time.Now().After(end) {
			t.Fatalf("samba does not listen after %v", patience)
		}
	}
}

// Stop ends the controller; Start starts it again with what it knew.
func (d *DC) Stop() {
	if d.cmd == nil {
		return
	}
	_ = d.cmd.Process.Kill()
	<-d.done
	d.cmd = nil
}

// LDIF applies changes (changetype: add, modify, modrdn, delete) as the administrator would.
func (d *DC) LDIF(t testing.TB, ldif string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "ldapmodify", "-x", "-H", "ldaps://"+d.IP, "-D", Admin, "-w", Password)
	cmd.Env = append(os.Environ(), "LDAPTLS_CACERT="+d.CA)
	cmd.Stdin = strings.NewReader(ldif)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ldapmodify: %v\n%s\nof\n%s", err, out, ldif)
	}
}

// Tool runs samba-tool offline on the controller's database.
func (d *DC) Tool(t testing.TB, args ...string) string {
	t.Helper()
	cmd := exec.Command("samba-tool", append(args, "-s", d.conf)...)
	cmd.Env = samba()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("samba-tool %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// address takes a loopback address of the machine until the test ends; other checkouts' tests take others.
func address(t testing.TB) string {
	t.Helper()
	for n := 20; n < 250; n++ {
		ip := fmt.Sprintf("127.0.0.%d", n)
		f, err := lock(filepath.Join(os.TempDir(), "leat-testdc-"+ip+".lock"), false)
		if errors.Is(err, syscall.EWOULDBLOCK) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if free(ip) {
			t.Cleanup(func() { f.Close() })
			return ip
		}
		f.Close()
	}
	t.Fatal("no loopback address is free")
	return ""
}

func free(ip string) bool {
	for _, port := range []string{"389", "636"} {
		l, err := net.Listen("tcp", net.JoinHostPort(ip, port))
		if err != nil {
			return false
		}
		l.Close()
	}
	return true
}

// lock opens a file and takes its lock.
func lock(path string, wait bool) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	how := syscall.LOCK_EX
	if !wait {
		how |= syscall.LOCK_NB
	}
	if err := syscall.Flock(int(f.Fd()), how); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}
