package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// sh makes a process of a shell command.
func sh(name, script string) Proc { return Proc{Name: name, Argv: []string{"sh", "-c", script}} }

func supervisor(t *testing.T, procs ...Proc) *Supervisor {
	t.Helper()
	return &Supervisor{
		Procs: procs, Log: slog.New(slog.DiscardHandler), Stderr: os.Stderr,
		Backoff: time.Millisecond, MaxBackoff: 5 * time.Millisecond, Healthy: time.Hour, MaxRestarts: 5, Drain: 10 * time.Second,
	}
}

func TestChainIsJoinedByPipes(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	s := supervisor(t, sh("a", "echo one; echo two"), sh("b", "sed s/o/0/"), sh("c", "cat >"+out))
	if err := s.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(out); string(got) != "0ne\ntw0\n" {
		t.Errorf("%q", got)
	}
}

func TestRestartUntilItWorks(t *testing.T) {
	dir := t.TempDir()
	count := filepath.Join(dir, "n")
	// The second process fails twice, then reads all.
	s := supervisor(t, sh("a", "seq 3"), sh("b", fmt.Sprintf("echo x >>%[1]s; cat >%[1]s.got; [ $(wc -l <%[1]s) -ge 3 ]", count)))
	starts := 0
	s.Started = func([]int) { starts++ }
	if err := s.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if starts != 3 {
		t.Errorf("started %d times, want 3", starts)
	}
}

func TestGivesUp(t *testing.T) {
	s := supervisor(t, sh("a", "exit 0"), sh("b", "exit 1"))
	starts := 0
	s.Started = func([]int) { starts++ }
	err := s.Run(context.Background())
	if !errors.Is(err, errGaveUp) || starts != 6 {
		t.Errorf("%v after %d starts", err, starts)
	}
}

func TestConfigurationIsNotTriedAgain(t *testing.T) {
	s := supervisor(t, sh("a", "sleep 0.1"), sh("b", "exit 2"))
	err := s.Run(context.Background())
	if code, ok := ExitCode(err); !ok || code != 2 || strings.Contains(err.Error(), "restarts") {
		t.Errorf("%v", err)
	}
}

// TestKilledMember: one dead process brings the whole chain down, also where the others would sit idle for ever.
func TestKilledMember(t *testing.T) {
	dir := t.TempDir()
	first := filepath.Join(dir, "first")
	hang := fmt.Sprintf("if [ -e %[1]s ]; then exit 0; fi; touch %[1]s; exec sleep 1000", first)
	s := supervisor(t, sh("a", hang), sh("b", "cat"))
	killed := false
	s.Started = func(pids []int) {
		if !killed {
			killed = true
			go func() {
				time.Sleep(200 * time.Millisecond)
				_ = syscall.Kill(pids[1], syscall.SIGKILL)
			}()
		}
	}
	began := time.Now()
	if err := s.Run(context.Background()); err != nil {
		t.Error(err)
	}
	if time.Since(began) > time.Minute {
		t.Error("waited for the idle one")
	}
}

func TestDrain(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	s := supervisor(t,
		sh("a", "trap 'echo last; exit 0' TERM; echo first; while :; do sleep 0.05; done"),
		sh("b", "cat >"+out))
	ctx, cancel := context.WithCancel(context.Background())
	s.Started = func([]int) {
		go func() {
			for range 200 {
				if b, _ := os.ReadFile(out); len(b) > 0 {
					break
				}
				time.Sleep(20 * time.Millisecond)
			}
			cancel()
		}()
	}
	if err := s.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(out); string(got) != "first\nlast\n" {
		t.Errorf("%q", got)
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	write := func(text string) string {
		p := filepath.Join(dir, "p.yaml")
		if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return p
	}
	c, err := Load(write("lake: lake\ningest: {sources: [a.log, /b.log, 'syslog+udp://127.0.0.1:5514'], follow: true, mark_every: 1s}\n" +
		"enrich: {config: enrich.yaml}\ndetect: {rules: [r1, r2]}\nrespond: {config: play.yaml, enforce: true}\npersist: {max_age: 5s}\n"))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, p := range c.Processes("leat") {
		lines = append(lines, strings.Join(p.Argv, " "))
	}
	got := strings.ReplaceAll(strings.Join(lines, "\n"), dir, "D")
	want := `leat ingest --resume D/lake --pipeline default --state D/state --mark-every 1s --follow D/a.log /b.log syslog+udp://127.0.0.1:5514
leat normalize
leat enrich --config D/enrich.yaml --state D/state
leat detect --rules D/r1 --rules D/r2 --state D/state
leat respond --config D/play.yaml --enforce --state D/state
leat tap --socket D/state/alerts.sock
leat persist --lake D/lake --max-age 5s`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for text, want := range map[string]string{
		"lake: x\n":                "no key ingest.sources",
		"ingest: {sources: [a]}\n": "no key lake",
		"lake: x\nname: ../y\ningest: {sources: [a]}\n": `name "../y"`,
		"lake: x\ningest: {source: [a]}\n":              `p.yaml:2:10: unknown key "source"; expected one of config, dataset, follow`,
	} {
		if _, err := Load(write(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
