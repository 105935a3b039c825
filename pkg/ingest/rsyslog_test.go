package ingest

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// rsyslog is a running rsyslogd that forwards what is logged to its own socket.
type rsyslog struct {
	t      *testing.T
	sock   string
	logger string
	out    *strings.Builder
}

// startRsyslog starts one with the given global settings and actions.
func startRsyslog(t *testing.T, conf string) *rsyslog {
	t.Helper()
	daemon := needs(t, "rsyslogd")
	dir := t.TempDir()
	r := &rsyslog{t: t, sock: filepath.Join(dir, "log.sock"), logger: needs(t, "logger"), out: &strings.Builder{}}
	writeFile(t, filepath.Join(dir, "rsyslog.conf"), fmt.Sprintf(`module(load="imuxsock" SysSock.Use="off")
%s
input(type="imuxsock" Socket=%q)
`, conf, r.sock))
	cmd := exec.Command(daemon, "-n", "-f", filepath.Join(dir, "rsyslog.conf"), "-i", filepath.Join(dir, "pid"))
	cmd.Stdout, cmd.Stderr = r.out, r.out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Log(r.out)
		}
	})
	waitFor(t, "rsyslogd's socket", func() bool { _, err := os.Stat(r.sock); return err == nil })
	return r
}

func (r *rsyslog) log(text string) {
	r.t.Helper()
	run(r.t, r.logger, "-u", r.sock, "-t", "leat", text)
}

func portOf(addr string) string { _, p, _ := net.SplitHostPort(addr); return p }

// holding is how many records of k end with text.
func holding(k *keeper, text string) (n int) {
	for _, s := range k.originals() {
		if strings.HasSuffix(s, text) {
			n++
		}
	}
	return n
}

// needsTLS skips where rsyslog's driver for OpenSSL is not installed.
func needsTLS(t *testing.T) {
	t.Helper()
	if found, _ := filepath.Glob("/usr/lib/*/rsyslog/lmnsd_ossl.so"); len(found) == 0 {
		t.Skip("rsyslog-openssl is not installed: the test with it is skipped")
	}
}

// rsyslogd forwards over UDP and TCP with counts, through the journal to a lake.
func TestRsyslogd(t *testing.T) {
	udp, tcp := freePort(t, "udp"), freePort(t, "tcp")
	cfg := testConfig(t, "syslog+udp://"+udp, "syslog+tcp://"+tcp)
	lakeDir := filepath.Join(t.TempDir(), "lake")
	cfg.Resume, cfg.MarkEvery = lakeDir, MarkEvery{Time: 50 * time.Millisecond}
	k := &keeper{t: t, commit: lakeWriter(t, lakeDir)}
	stop := following(t, cfg, k)
	k.awaitHello()
	daemon := startRsyslog(t, fmt.Sprintf(`
action(type="omfwd" target="127.0.0.1" port=%q protocol="udp" template="RSYSLOG_TraditionalForwardFormat")
action(type="omfwd" target="127.0.0.1" port=%q protocol="tcp" TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format")
`, portOf(udp), portOf(tcp)))
	const n = 50
	line := func(i int) string { return fmt.Sprintf("line %03d through rsyslogd", i) }
	for i := range n {
		daemon.log(line(i))
	}
	waitFor(t, "all lines both ways", func() bool { return len(k.originals()) >= 2*n })
	stop()
	for i := range n {
		if c := holding(k, line(i)); c != 2 {
			t.Errorf("line %d came %d times over two ways", i, c)
		}
	}
	uniqueIDs(t, k)
	// What is committed does not come again.
	cfg.Sources = []string{"-"}
	cfg.Stdin = strings.NewReader("")
	if again := resumed(t, cfg, lakeDir); len(again.recs) > 0 {
		t.Errorf("came again: %.300q", again.lines)
	}
}

// rsyslogd over TLS (RFC 5425): it checks our certificate against the CA, we check its own, where that is asked for.
func TestRsyslogTLS(t *testing.T) {
	needsTLS(t)
	ca := newAuthority(t)
	cert, key := ca.sign("collector.test", false)
	clientCert, clientKey := ca.sign("sender.test", false)
	stranger := newAuthority(t)
	strangeCert, strangeKey := stranger.sign("stranger.test", false)
	for _, c := range []struct {
		name, clientAuth string // of our listener
		cert, key        string // of rsyslog
		peer             string // whom rsyslog expects
		arrives          bool
	}{
		{"no client certificate asked", "", "", "", "collector.test", true},
		{"required and shown", "require", clientCert, clientKey, "collector.test", true},
		{"required and not shown", "require", "", "", "collector.test", false},
		{"required, of another CA", "require", strangeCert, strangeKey, "collector.test", false},
		{"optional and shown", "optional", clientCert, clientKey, "collector.test", true},
		{"optional and not shown", "optional", "", "", "collector.test", true},
		{"rsyslog expects another", "", "", "", "elsewhere.test", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			addr, said := freePort(t, "tcp"), freePort(t, "tcp")
			q := url.Values{"cert": {cert}, "key": {key}}
			if c.clientAuth != "" {
				q.Set("client_ca", ca.file)
				q.Set("client_auth", c.clientAuth)
			}
			k := &keeper{t: t}
			// The second listener, in the clear, shows that rsyslog has tried.
			stop := following(t, testConfig(t, "syslog+tls://"+addr+"?"+q.Encode(), "syslog+tcp://"+said), k)
			connect(t, said).Close()
			global := fmt.Sprintf("global(DefaultNetstreamDriverCAFile=%q", ca.file)
			if c.cert != "" {
				global += fmt.Sprintf(" DefaultNetstreamDriverCertFile=%q DefaultNetstreamDriverKeyFile=%q", c.cert, c.key)
			}
			daemon := startRsyslog(t, global+`)`+fmt.Sprintf(`
action(type="omfwd" target="127.0.0.1" port=%q protocol="tcp" StreamDriver="ossl" StreamDriverMode="1" StreamDriverAuthMode="x509/name"
 StreamDriverPermittedPeers=%q TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format" action.resumeInterval="1")
if $syslogtag contains "leat" then action(type="omfwd" target="127.0.0.1" port=%q protocol="tcp")
`, portOf(addr), c.peer, portOf(said)))
			daemon.log("over TLS, perhaps")
			want := 1
			if c.arrives {
				want = 2
			}
			waitFor(t, "the message", func() bool { return holding(k, "over TLS, perhaps") >= want })
			if c.arrives {
				daemon.log("second with\ttab and \"quotes\"")
				waitFor(t, "the second message", func() bool {
					return slices.ContainsFunc(k.originals(), func(s string) bool { return strings.Contains(s, "second with") })
				})
			}
			stop()
			if got := holding(k, "over TLS, perhaps"); got != want {
				t.Errorf("came %d times, want %d: %q", got, want, k.originals())
			}
		})
	}
}
