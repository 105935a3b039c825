package tap

import (
	"bufio"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"leat/pkg/event"
)

func connect(t *testing.T, tp *Tap, socket string, watchers int) *bufio.Reader {
	t.Helper()
	c, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	for tp.watchers.Load() < int32(watchers) {
		time.Sleep(time.Millisecond)
	}
	return bufio.NewReader(c)
}

func process(t *testing.T, tp *Tap, lines ...string) {
	t.Helper()
	var b event.Batch
	for _, l := range lines {
		b.Push([]byte(l))
	}
	if err := tp.Process(&b); err != nil {
		t.Fatal(err)
	}
	if got := string(b.AppendLines(nil)); got != strings.Join(lines, "\n")+"\n" {
		t.Errorf("the stream was changed: %s", got)
	}
}

func TestWatchersSeeAlerts(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	tp, err := New(Config{Socket: socket})
	if err != nil {
		t.Fatal(err)
	}
	process(t, tp, `{"event":{"kind":"alert","id":"nobody saw"}}`)
	one, two := connect(t, tp, socket, 1), connect(t, tp, socket, 2)
	process(t, tp, `{"event":{"kind":"event"}}`, `{"event":{"kind":"alert","id":"1"}}`, `garbage`)
	for _, r := range []*bufio.Reader{one, two} {
		if l, _ := r.ReadString('\n'); l != `{"event":{"kind":"alert","id":"1"}}`+"\n" {
			t.Errorf("%q", l)
		}
	}
	if _, err := New(Config{Socket: socket}); err == nil {
		t.Error("took the socket of a live process")
	}
	if err := tp.Close(); err != nil {
		t.Error(err)
	}
	if again, err := New(Config{Socket: socket}); err != nil {
		t.Error(err)
	} else {
		_ = again.Close()
	}
}

// TestSlowWatcher: one that does not read loses lines, hears how many, and the pipe never waits.
func TestSlowWatcher(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	tp, err := New(Config{Socket: socket, All: true})
	if err != nil {
		t.Fatal(err)
	}
	r := connect(t, tp, socket, 1)
	line := `{"event":{"kind":"event"},"pad":"` + strings.Repeat("x", 1000) + `"}`
	const sent = 3 * queueLen
	for range sent {
		process(t, tp, line)
	}
	whole, dropped := 0, false
	for whole < sent && !dropped {
		l, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		dropped = strings.Contains(l, "tap_dropped")
		whole++
	}
	if !dropped {
		t.Error("lines were lost without a word")
	}
	_ = tp.Close()
}
