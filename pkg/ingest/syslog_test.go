package ingest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// freePort returns a loopback address that nobody listens on.
func freePort(t *testing.T, network string) string {
	t.Helper()
	if network == "udp" {
		c, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.LocalAddr().String()
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// connect dials until the listener is there.
func connect(t *testing.T, addr string) net.Conn {
	t.Helper()
	var c net.Conn
	waitFor(t, "the listener", func() bool {
		var err error
		c, err = net.Dial("tcp", addr)
		return err == nil
	})
	t.Cleanup(func() { c.Close() })
	return c
}

func send(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := c.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
}

// accepted sends text over the first connection that is not refused: a place comes free only after what the sender before said.
func accepted(t *testing.T, addr, text string) {
	t.Helper()
	waitFor(t, "a place", func() bool {
		c := connect(t, addr)
		_, _ = c.Write([]byte(text))
		_ = c.SetReadDeadline(time.Now().Add(300 * time.Millisecond))
		_, err := c.Read(make([]byte, 1))
		return errors.Is(err, os.ErrDeadlineExceeded)
	})
}

func needs(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed: the test with it is skipped", name)
	}
	return path
}

func TestTCP(t *testing.T) {
	for _, resume := range []bool{false, true} {
		addr := freePort(t, "tcp")
		cfg := testConfig(t, "syslog+tcp://"+addr+"?max_message=500&max_connections=2")
		if resume {
			cfg.Resume = filepath.Join(t.TempDir(), "lake")
		}
		k := &keeper{t: t}
		stop := following(t, cfg, k)
		c := connect(t, addr)
		send(t, c, "<13>one\n7 <13>two<13>thr")
		k.await(2)
		send(t, c, "ee\n"+strings.Repeat("x", 2000)+"\n<13>four\n")
		k.await(5)
		// Two may be connected at once; a third is refused, until one of them has gone.
		a := connect(t, addr)
		send(t, a, "<13>a\n")
		k.await(6)
		third := connect(t, addr)
		if err := ended(third); err != nil {
			t.Errorf("third connection: %v", err)
		}
		send(t, c, "<13>torn off")
		c.Close()
		k.await(7)
		accepted(t, addr, "<13>b\n")
		k.await(8)
		stop()
		want := []string{"<13>one", "<13>two", "<13>three", strings.Repeat("x", 1024), "<13>four", "<13>a", "<13>torn off", "<13>b"}
		got := k.originals()
		if want[3] = strings.Repeat("x", 1024); !slices.Equal(got, want) {
			t.Fatalf("resume %v: got %.40q", resume, got)
		}
		long := k.recs[3]
		if long.Event.Kind != "pipeline_error" || long.Error.Type != "message_too_long" || !strings.Contains(long.Error.Message, "2000 bytes") {
			t.Errorf("too long: %+v", long)
		}
		for _, r := range k.recs {
			if host, _, err := net.SplitHostPort(r.Log.Source.Address); err != nil || host != "127.0.0.1" {
				t.Errorf("log.source.address %q", r.Log.Source.Address)
			}
		}
		uniqueIDs(t, k)
		if resume && len(k.marks) == 0 {
			t.Error("no mark")
		}
	}
}

// Real senders, in every framing that they have.
func TestLogger(t *testing.T) {
	logger := needs(t, "logger")
	udp, tcp := freePort(t, "udp"), freePort(t, "tcp")
	k := &keeper{t: t}
	stop := following(t, testConfig(t, "syslog+udp://"+udp, "syslog+tcp://"+tcp), k)
	connect(t, tcp).Close()
	_, udpPort, _ := net.SplitHostPort(udp)
	_, tcpPort, _ := net.SplitHostPort(tcp)
	var want []string
	for i, args := range [][]string{
		{"-d", "-P", udpPort, "--rfc3164"}, {"-d", "-P", udpPort, "--rfc5424"},
		{"-T", "-P", tcpPort, "--rfc3164"}, {"-T", "-P", tcpPort, "--rfc5424", "--octet-count"}, {"-T", "-P", tcpPort, "--octet-count", "--rfc3164"},
	} {
		want = append(want, fmt.Sprintf("message %d of logger", i))
		run(t, logger, append(append([]string{"-n", "127.0.0.1", "-t", "leat"}, args...), want[i])...)
	}
	k.await(len(want))
	stop()
	for _, w := range want {
		if !slices.ContainsFunc(k.originals(), func(s string) bool { return strings.HasPrefix(s, "<") && strings.HasSuffix(s, w) }) {
			t.Errorf("no %q in %q", w, k.originals())
		}
	}
}

// When the journal is full a TCP sender is held back, and goes on when the lake has committed.
func TestJournalHoldsSendersBack(t *testing.T) {
	addr := freePort(t, "tcp")
	lakeDir := filepath.Join(t.TempDir(), "lake")
	cfg := testConfig(t, "syslog+tcp://"+addr)
	cfg.Resume, cfg.JournalMax, cfg.MarkEvery = lakeDir, 300<<10, MarkEvery{Time: 20 * time.Millisecond}
	k := &keeper{t: t, commit: lakeWriter(t, lakeDir)}
	stop := following(t, cfg, k)
	c := connect(t, addr)
	lines, _ := block("sent", 20_000)
	go func() {
		for _, l := range lines {
			if _, err := fmt.Fprintf(c, "<13>%s %0100d\n", l, 0); err != nil {
				return
			}
		}
	}()
	k.await(len(lines))
	stop()
	for i, got := range k.originals() {
		if !strings.HasPrefix(got, "<13>"+lines[i]) {
			t.Fatalf("record %d is %.60q", i, got)
		}
	}
}

// What the journal can't take of UDP is counted and told.
func TestUDPDropsAreTold(t *testing.T) {
	addr := freePort(t, "udp")
	cfg := testConfig(t, "syslog+udp://"+addr)
	cfg.Resume, cfg.JournalMax = filepath.Join(t.TempDir(), "lake"), 20_000
	k := &keeper{t: t} // commits nothing, so that the journal stays full
	stop := following(t, cfg, k)
	c, err := net.Dial("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	sent := int64(0)
	waitFor(t, "a source_gap", func() bool {
		if _, err := fmt.Fprintf(c, "<13>datagram %d %0500d", sent, 0); err == nil {
			sent++
		}
		return len(k.notices("source_gap")) > 0
	})
	stop()
	told := int64(0)
	for _, n := range k.notices("source_gap") {
		told += *n.Leat.Gap.Dropped
	}
	if got := int64(len(k.originals())); told <= 0 || got+told > sent || got == 0 {
		t.Errorf("sent %d, read %d, told %d", sent, got, told)
	}
}

func TestDropsOf(t *testing.T) {
	const proc = `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  472: 0100007F:158A 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 81234 2 0000000000000000 17
  999: 00000000:0202 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 55 2 0000000000000000 3
`
	if n, ok := dropsOf(strings.NewReader(proc), 81234); !ok || n != 17 {
		t.Errorf("%d, %v", n, ok)
	}
	if _, ok := dropsOf(strings.NewReader(proc), 5); ok {
		t.Error("found a socket that is not there")
	}
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if n, err := kernelDrops(c); err != nil || n != 0 {
		t.Errorf("a new socket: %d, %v", n, err)
	}
}

// The journal entry's form survives any bytes.
func FuzzEntry(f *testing.F) {
	f.Add(appendEntry(nil, entry{kind: entryRecord, addr: []byte("[::1]:5"), record: []byte("text")}))
	f.Add(appendEntry(nil, entry{kind: entrySpooled, long: long{head: []byte("head")}}))
	f.Add(appendEntry(nil, entry{kind: entryNotice, dataset: []byte("leat.ingest"), record: []byte(`{"event":{}}`)}))
	f.Add([]byte{2, 255, 255, 255})
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := parseEntry(b)
		if err != nil {
			return
		}
		again, err := parseEntry(appendEntry(nil, e))
		if err != nil || string(again.record) != string(e.record) || string(again.addr) != string(e.addr) || string(again.dataset) != string(e.dataset) || again.long.Path != e.long.Path ||
			again.long.Size != e.long.Size || string(again.long.head) != string(e.long.head) {
			t.Fatalf("%+v, again %+v, %v", e, again, err)
		}
	})
}
