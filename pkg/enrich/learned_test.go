package enrich

import (
	"fmt"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"leat/pkg/event"
	"leat/pkg/stage"
)

const leasesYAML = `dimensions:
  leases: {learn: {from: [{when: {event.action: lease}, key: client.ip, set: {host.name: host.name}, for: 1h}]}}
rules:
  - {field: source.ip, dimension: leases, status: true, set: {host.name: host.name}}
`

// leases makes a stream of leases and of events whose only host is an address.
func leases(n int) []string {
	r := rand.New(rand.NewSource(4))
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	var out []string
	for i := range n {
		at := start.Add(time.Duration(i) * time.Minute).Format(time.RFC3339)
		if r.Intn(3) == 0 {
			out = append(out, fmt.Sprintf(`{"@timestamp":%q,"event":{"action":"lease"},"client":{"ip":"10.0.0.%d"},"host":{"name":"ws%d"}}`, at, r.Intn(5), r.Intn(9)))
		} else {
			out = append(out, fmt.Sprintf(`{"@timestamp":%q,"source":{"ip":"10.0.0.%d"}}`, at, r.Intn(6)))
		}
	}
	return out
}

// through takes lines through s as one batch.
func through(t *testing.T, s stage.Stage, in []string) string {
	t.Helper()
	var b event.Batch
	for _, line := range in {
		b.Push([]byte(line))
	}
	if err := s.Process(&b); err != nil {
		t.Fatal(err)
	}
	return string(b.AppendLines(nil))
}

// TestLearnsFromTheStream: an event has what the one before it taught, however the stream is cut into batches, and with
// several workers too.
func TestLearnsFromTheStream(t *testing.T) {
	dir := put(t, "", "enrich.yaml", leasesYAML)
	in := leases(600)
	want := through(t, open(t, dir, Options{}), in)
	if strings.Count(want, `"leases":"hit"`) < 100 || strings.Count(want, `"leases":"miss"`) < 50 {
		t.Fatalf("%d hits, %d misses", strings.Count(want, `"leases":"hit"`), strings.Count(want, `"leases":"miss"`))
	}
	for _, size := range []int{1, 7, 100} {
		s := stage.Parallel(open(t, dir, Options{}), 3)
		got := ""
		for i := 0; i < len(in); i += size {
			got += through(t, s, in[i:min(i+size, len(in))])
		}
		if got != want {
			t.Errorf("batches of %d give something else", size)
		}
	}
}

// TestLearnedUnderMarks: whatever mark a crash throws the stream back to, it goes on as if nothing had happened.
func TestLearnedUnderMarks(t *testing.T) {
	dir := put(t, "", "enrich.yaml", leasesYAML)
	in := leases(400)
	const step = 40
	state, saved := t.TempDir(), t.TempDir()
	hello := stage.Hello{Lake: "L", Pipeline: "p", Epoch: 1, Run: "r"}
	begin := func(state string, resume int64) *Stage {
		h := hello
		h.Resume = resume
		if resume > 0 {
			h.ResumeRun = "r"
		}
		s, err := New(config(t, dir), Under(state))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Hello(h); err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := begin(state, 0)
	var want []string
	for n := 0; n*step < len(in); n++ {
		want = append(want, through(t, s, in[n*step:(n+1)*step]))
		if err := s.Mark(stage.Mark{N: int64(n + 1), Run: "r"}); err != nil {
			t.Fatal(err)
		}
		// What a crash right here leaves on the disk.
		if err := os.CopyFS(filepath.Join(saved, fmt.Sprint(n+1)), os.DirFS(state)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for n := 1; n < len(want); n++ {
		for _, at := range []int{n, n - 1} { // the lake has committed the mark, or not yet
			copied := filepath.Join(t.TempDir(), "state")
			if err := os.CopyFS(copied, os.DirFS(filepath.Join(saved, fmt.Sprint(n)))); err != nil {
				t.Fatal(err)
			}
			s := begin(copied, int64(at))
			for i := at; i < len(want); i++ {
				if got := through(t, s, in[i*step:(i+1)*step]); got != want[i] {
					t.Fatalf("crash after mark %d, resumed at %d: part %d differs\n got  %s\n want %s", n, at, i+1, got, want[i])
				}
				if err := s.Mark(stage.Mark{N: int64(i + 1), Run: "r"}); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}

	s, err := New(config(t, dir), Under(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	h := hello
	h.Resume, h.ResumeRun = 3, "r"
	if err := s.Hello(h); err == nil || !strings.Contains(err.Error(), "--state-missing=empty") {
		t.Errorf("a mark without its state was taken: %v", err)
	}
}

// TestLearnedWithoutMarks: a restart in a pipe without marks goes on with what was learned, and `lookup` shows it.
func TestLearnedWithoutMarks(t *testing.T) {
	dir, state := put(t, "", "enrich.yaml", leasesYAML), t.TempDir()
	s, err := New(config(t, dir), Under(state))
	if err != nil {
		t.Fatal(err)
	}
	process(t, s, `{"@timestamp":"2026-11-01T00:00:00Z","event":{"action":"lease"},"client":{"ip":"10.0.0.1"},"host":{"name":"ws1"}}`)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, dir, Under(state))
	if got := process(t, s, `{"@timestamp":"2026-11-01T00:10:00Z","source":{"ip":"10.0.0.1"}}`); field(t, got, "host.name") != "ws1" {
		t.Error(got)
	}
	if got := process(t, s, `{"@timestamp":"2026-11-01T02:00:00Z","source":{"ip":"10.0.0.1"}}`); field(t, got, "leat.enrich.leases") != "miss" {
		t.Errorf("the lease is over: %s", got)
	}
	rows, err := Lookup(t.Context(), config(t, dir), Under(state), "leases", "10.0.0.1", time.Now())
	if err != nil || !strings.Contains(string(rows), `"ws1"`) {
		t.Errorf("%s, %v", rows, err)
	}
}

// TestMarkedNeedsState: without a folder a marked pipe with learned dimensions does not start.
func TestMarkedNeedsState(t *testing.T) {
	s := open(t, put(t, "", "enrich.yaml", leasesYAML), Options{})
	if err := s.Hello(stage.Hello{Pipeline: "p", Run: "r"}); err == nil || !strings.Contains(err.Error(), "--state") {
		t.Error(err)
	}
}
