package ingest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"leat/pkg/lake"
	"leat/pkg/stage"
)

// What was taken from standard input when the run is stopped is in the journal, though that is full and nobody commits: the
// next run has every line that is not in the pipe any more.
func TestStopKeepsStdin(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	lines, text := block("line of stdin", 3000)
	written := make(chan error, 1)
	go func() {
		_, err := io.WriteString(w, text)
		w.Close()
		written <- err
	}()
	lakeDir := filepath.Join(t.TempDir(), "lake")
	cfg := testConfig(t, "-")
	cfg.Resume, cfg.JournalMax, cfg.Stdin = lakeDir, 5000, r
	k := &keeper{t: t} // commits nothing
	stop := following(t, cfg, k)
	k.await(1) // the first group may be larger than the journal's bound; the second must wait
	stop()
	rest, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	taken := len(text) - len(rest)
	cfg.Stdin, cfg.JournalMax = strings.NewReader(""), 0
	again := resumed(t, cfg, lakeDir)
	got := strings.Join(again.originals(), "\n")
	if want := strings.TrimSuffix(text[:taken], "\n"); got != want {
		t.Fatalf("%d bytes were taken of %d lines, %d came: ends with %q, want %q", taken, len(lines), len(got), tail(got), tail(want))
	}
}

func tail(s string) string { return s[max(0, len(s)-60):] }

// The same for TCP senders, the bytes that the kernel had taken from them included.
func TestStopKeepsTCP(t *testing.T) {
	addr := freePort(t, "tcp")
	lakeDir := filepath.Join(t.TempDir(), "lake")
	cfg := testConfig(t, "syslog+tcp://"+addr)
	cfg.Resume, cfg.JournalMax = lakeDir, 5000
	k := &keeper{t: t}
	stop := following(t, cfg, k)
	want := []string{"<13>first"}
	send(t, connect(t, addr), "<13>first\n")
	k.await(1)
	for c := range 4 {
		conn := connect(t, addr)
		lines, text := block(fmt.Sprintf("<13>sender %d", c), 1000)
		send(t, conn, text) // 40 KB: more than the journal takes, less than the sockets do
		want = append(want, lines...)
	}
	stop()
	cfg.Sources, cfg.Stdin, cfg.JournalMax = []string{"-"}, strings.NewReader(""), 0
	exactly(t, resumed(t, cfg, lakeDir).originals(), want)
}

// A journal that can't be written when the run is stopped: what was received is counted, told on the stream, and the run
// ends with ErrLost.
func TestStopTellsWhatIsLost(t *testing.T) {
	if dir := os.Getenv("INGEST_LOST_DIR"); dir != "" {
		lostChild(t, dir)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestStopTellsWhatIsLost$", "-test.v")
	cmd.Env = append(os.Environ(), "INGEST_LOST_DIR="+t.TempDir())
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "told 1000 of 1000") {
		t.Errorf("%v: %s", err, out)
	}
}

func lostChild(t *testing.T, dir string) {
	// No file may grow beyond this: fsync and write fail as on a full disk.
	signal.Ignore(syscall.SIGXFSZ)
	limit := unix.Rlimit{Cur: 2000, Max: unix.RLIM_INFINITY}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cfg := Config{Sources: []string{"-"}, Stdin: r, Resume: filepath.Join(dir, "lake"), StopTime: 300 * time.Millisecond}
	src, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lake.Init(cfg.Resume); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	_, text := block("lost", 1000)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	k := &keeper{t: t}
	if err := stage.Pump(ctx, src, k); !errors.Is(err, ErrLost) {
		t.Fatalf("run: %v", err)
	}
	if got := len(k.originals()); got != 0 || len(k.marks) == 0 || !k.marks[len(k.marks)-1].End {
		t.Fatalf("%d records, marks %+v", got, k.marks)
	}
	// The notice alone did fit: it stands in the journal, for the next run.
	limit.Cur = unix.RLIM_INFINITY
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	cfg.Stdin = strings.NewReader("")
	told := int64(0)
	for _, n := range resumed(t, cfg, cfg.Resume).notices("source_gap") {
		told += *n.Leat.Gap.Dropped
	}
	fmt.Printf("told %d of 1000\n", told)
}

// Where not even a notice can be journaled, it goes straight on the stream, before its last mark.
func TestLossWithoutJournal(t *testing.T) {
	cfg := testConfig(t, "-").withDefaults()
	cfg.Resume, cfg.State = "unused", t.TempDir()
	p, err := openPush(&cfg)
	if err != nil {
		t.Fatal(err)
	}
	k := &keeper{t: t}
	p.em, p.patience = newEmitter(&cfg, k), t.Context()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	p.j.Close()
	in := p.inlet(ctx, "syslog+tcp://192.0.2.1", "", nil)
	for range 3 {
		if err := in.add(0, []byte("x"), nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := in.flush(); err != nil {
		t.Fatal(err)
	}
	gaps := k.notices("source_gap")
	if p.lost.Load() != 3 || len(gaps) != 1 || *gaps[0].Leat.Gap.Dropped != 3 || gaps[0].Leat.Gap.Source != "syslog+tcp://192.0.2.1" {
		t.Errorf("lost %d, gaps %+v", p.lost.Load(), gaps)
	}
}

// What is told of UDP's drops goes through the journal: a notice that was not committed comes again, the same, and once.
func TestUDPNoticesAreJournaled(t *testing.T) {
	addr := freePort(t, "udp")
	lakeDir := filepath.Join(t.TempDir(), "lake")
	cfg := testConfig(t, "syslog+udp://"+addr)
	cfg.Resume, cfg.JournalMax = lakeDir, 20_000
	first := &keeper{t: t} // commits nothing
	stop := following(t, cfg, first)
	first.awaitHello()
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
		return len(first.notices("source_gap")) > 0
	})
	stop()
	cfg.Sources, cfg.Stdin = []string{"-"}, strings.NewReader("")
	second := resumed(t, cfg, lakeDir)
	got, want := second.notices("source_gap"), first.notices("source_gap")
	told := int64(0)
	for i, n := range got {
		told += *n.Leat.Gap.Dropped
		if i < len(want) && n.Event.ID != want[i].Event.ID {
			t.Errorf("notice %d has another id", i)
		}
	}
	// Every datagram is in the lake or told, none twice.
	if in := int64(len(second.originals())); len(got) < len(want) || in+told != sent {
		t.Errorf("%d notices of %d; sent %d, in the lake %d, told %d", len(got), len(want), sent, in, told)
	}
	uniqueIDs(t, second)
	if third := resumed(t, cfg, lakeDir); len(third.recs) > 0 {
		t.Errorf("came again: %.200q", third.lines)
	}
}

// An address in use is an error before anything is committed to the lake, and the one that uses it is not fenced.
func TestAddressInUse(t *testing.T) {
	tcp, udp := freePort(t, "tcp"), freePort(t, "udp")
	lakeDir := filepath.Join(t.TempDir(), "lake")
	cfg := testConfig(t, "syslog+tcp://"+tcp, "syslog+udp://"+udp)
	cfg.Resume = lakeDir
	k := &keeper{t: t, commit: lakeWriter(t, lakeDir)}
	stop := following(t, cfg, k)
	c := connect(t, tcp)
	send(t, c, "<13>before\n")
	k.await(1)
	entries := func() int {
		names, err := filepath.Glob(filepath.Join(lakeDir, "log", "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		return len(names)
	}
	opened := func() (n int) {
		for _, p := range mustGlob(t, filepath.Join(lakeDir, "log", "*.json")) {
			if body, err := os.ReadFile(p); err == nil && strings.Contains(string(body), `"open"`) {
				n++
			}
		}
		return n
	}
	before := opened()
	if entries() == 0 || before == 0 {
		t.Fatalf("%d log entries, %d opens: the test reads the log wrongly", entries(), before)
	}
	cfg.State = t.TempDir() // the journal's lock is not what stops the second
	src, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	second := &keeper{t: t}
	var in *ListenError
	if err := stage.Pump(context.Background(), src, second); !errors.As(err, &in) || !errors.Is(err, syscall.EADDRINUSE) ||
		strings.Count(err.Error(), "in use") != 2 {
		t.Errorf("both addresses are in use, but: %v", err)
	}
	if second.hello != nil || opened() != before {
		t.Errorf("hello %v, %d opens in the log, before %d", second.hello, opened(), before)
	}
	send(t, c, "<13>after\n")
	k.await(2)
	stop()
	if got := k.originals(); !slices.Equal(got, []string{"<13>before", "<13>after"}) {
		t.Errorf("got %q", got)
	}
}

func mustGlob(t *testing.T, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// Nothing is read from a listener before the hello is out; what a sender gave to the kernel by then is not lost.
func TestNothingIsAcceptedBeforeTheFence(t *testing.T) {
	addr := freePort(t, "tcp")
	cfg := testConfig(t, "syslog+tcp://"+addr)
	cfg.Resume = filepath.Join(t.TempDir(), "lake")
	src, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	k := &slowHello{keeper: keeper{t: t}, dial: func() {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Error(err)
			return
		}
		t.Cleanup(func() { c.Close() })
		fmt.Fprint(c, "<13>early\n")
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		if _, err := bufio.NewReader(c).ReadByte(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("before the hello: %v", err)
		}
	}}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- stage.Pump(ctx, src, k) }()
	k.await(1)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// slowHello connects while the hello is on its way.
type slowHello struct {
	keeper
	dial func()
}

func (s *slowHello) Hello(h stage.Hello) error {
	s.dial()
	if len(s.recs) > 0 {
		s.t.Error("records before the hello")
	}
	return s.keeper.Hello(h)
}
