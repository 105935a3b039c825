// Package testpg runs a real PostgreSQL for tests: a cluster of its own in a temporary folder, on a port of its own on
// loopback and on a Unix socket. It is not for anything but tests, and keeps nothing.
package testpg

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Server is a running PostgreSQL with the superuser postgres (password Pg.Passw0rd over TCP) and the database postgres.
type Server struct {
	// Dir is its folder, and that of its socket.
	Dir string
	// Port on 127.0.0.1 and of the socket's name.
	Port int

	t     testing.TB
	bin   string
	cmd   *exec.Cmd
	log   string
	ended chan struct{} // closed when cmd is over
	cred  *syscall.SysProcAttr
}

// Password of the user postgres over TCP.
const Password = "Pg.Passw0rd"

// Start makes a cluster and starts it; the test's end stops it. extra are lines for postgresql.conf. PostgreSQL
// refuses to run as root: then it runs as the user postgres.
func Start(t testing.TB, extra ...string) *Server {
	t.Helper()
	s := &Server{t: t, bin: binaries(t)}
	var err error
	// t.TempDir may be deeper than a socket's path can be long.
	if s.Dir, err = os.MkdirTemp("/tmp", "leat-pg-"); err != nil {
		t.Fatal(err)
	}
	s.log = filepath.Join(s.Dir, "log")
	s.cred = &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT} // where the test itself is killed
	if os.Getuid() == 0 {
		s.become(t)
	}
	t.Cleanup(func() {
		s.Stop()
		_ = os.RemoveAll(s.Dir)
	})
	if err := os.WriteFile(filepath.Join(s.Dir, "pw"), []byte(Password+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s.run("initdb", "-D", filepath.Join(s.Dir, "data"), "-U", "postgres", "--auth-local=trust", "--auth-host=scram-sha-256",
		"--pwfile", filepath.Join(s.Dir, "pw"), "-E", "UTF8", "--no-locale", "-N")
	s.Configure(append([]string{
		"listen_addresses = '127.0.0.1'", "fsync = off", "shared_buffers = 16MB", "max_connections = 20", "unix_socket_directories = '" + s.Dir + "'",
	}, extra...)...)
	// A port that was free a moment ago may be taken: then the server ends, and another port is tried.
	for range 10 {
		s.Port = freePort(t)
		if s.start() {
			return s
		}
	}
	s.fail()
	return nil
}

func binaries(t testing.TB) string {
	all, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(all) == 0 {
		t.Skip("PostgreSQL's server is not installed (Debian: postgresql)")
	}
	slices.Sort(all)
	return filepath.Dir(all[len(all)-1])
}

// become makes the server's processes and its folder the user postgres'.
func (s *Server) become(t testing.TB) {
	u, err := user.Lookup("postgres")
	if err != nil {
		t.Skip("there is no user postgres for the server to run as (Debian: postgresql)")
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	if err := os.Chown(s.Dir, uid, gid); err != nil {
		t.Fatal(err)
	}
	s.cred.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

func (s *Server) run(name string, args ...string) string {
	s.t.Helper()
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir = s.Dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.cred.Credential}
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("%s: %v\n%s", name, err, out)
	}
	return string(out)
}

func freePort(t testing.TB) int {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().(*net.TCPAddr).Port
}

// Restart starts the server, on the same port as before, and waits until it answers.
func (s *Server) Restart() {
	s.t.Helper()
	if !s.start() {
		s.fail()
	}
}

func (s *Server) fail() {
	s.t.Helper()
	text, _ := os.ReadFile(s.log)
	s.t.Fatalf("PostgreSQL does not answer:\n%s", text)
}

// start is false where the server ended, or does not answer.
func (s *Server) start() bool {
	s.t.Helper()
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close()
	s.cmd = exec.Command(filepath.Join(s.bin, "postgres"), "-D", filepath.Join(s.Dir, "data"), "-p", strconv.Itoa(s.Port))
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = s.Dir, log, log
	s.cmd.SysProcAttr = s.cred
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	cmd, ended := s.cmd, make(chan struct{})
	s.ended = ended
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); {
		if exec.Command(filepath.Join(s.bin, "pg_isready"), "-h", s.Dir, "-p", strconv.Itoa(s.Port), "-U", "postgres").Run() == nil {
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

// Stop ends the server at once, as a machine that fails would: connections break. A stopped one stays stopped.
func (s *Server) Stop() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(syscall.SIGQUIT) // immediate shutdown; its children go too
	<-s.ended
	s.cmd = nil
}

// SQL runs statements by psql.
func (s *Server) SQL(statements string) string {
	s.t.Helper()
	return s.run("psql", "-h", s.Dir, "-p", strconv.Itoa(s.Port), "-U", "postgres", "-v", "ON_ERROR_STOP=1", "-qAtc", statements)
}

// Socket is the connection string by the socket.
func (s *Server) Socket() string {
	return fmt.Sprintf("host=%s port=%d user=postgres dbname=postgres", s.Dir, s.Port)
}

// TCP is the connection string by loopback, with the password.
func (s *Server) TCP() string {
	return fmt.Sprintf("postgres://postgres:%s@127.0.0.1:%d/postgres", Password, s.Port)
}

// Configure adds lines to postgresql.conf, for the next Restart.
func (s *Server) Configure(lines ...string) {
	s.t.Helper()
	f, err := os.OpenFile(filepath.Join(s.Dir, "data", "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("\n" + strings.Join(lines, "\n") + "\n"); err != nil {
		s.t.Fatal(err)
	}
}
