package respond

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"leat/pkg/stage"
)

// TestMain is also the process that the kill tests kill: an enforced stage between standard input and output.
func TestMain(m *testing.M) {
	if dir := os.Getenv("LEAT_RESPOND_CHILD"); dir != "" {
		if err := child(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

func child(dir string) error {
	b, err := LoadPlaybook(filepath.Join(dir, "playbook.yaml"))
	if err != nil {
		return err
	}
	s, err := New(Config{Playbook: b, Enforce: true, State: dir})
	if err != nil {
		return err
	}
	defer s.Close()
	src := &stage.Lines{In: os.Stdin, Stage: "respond"}
	return stage.Pump(context.Background(), src, stage.NewChain(stage.NewWriter(os.Stdout, nil), s))
}

// victim is a running child.
type victim struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

func start(t *testing.T, dir string) *victim {
	t.Helper()
	v := &victim{cmd: exec.Command(os.Args[0])}
	v.cmd.Env = append(os.Environ(), "LEAT_RESPOND_CHILD="+dir)
	v.cmd.Stderr = os.Stderr
	var err error
	if v.in, err = v.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := v.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	v.out = bufio.NewScanner(out)
	v.out.Buffer(nil, 1<<20)
	if err := v.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return v
}

// killed ends the child with SIGKILL.
func (v *victim) killed(t *testing.T) {
	t.Helper()
	if err := v.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = v.cmd.Wait()
	_ = v.in.Close()
}

// finish closes the child's input and waits for its end.
func (v *victim) finish(t *testing.T) (lines []string) {
	t.Helper()
	_ = v.in.Close()
	for v.out.Scan() {
		lines = append(lines, v.out.Text())
	}
	if err := v.cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	return lines
}

// wait reads the child's output until a line holds the word.
func (v *victim) wait(t *testing.T, word string) {
	t.Helper()
	for v.out.Scan() {
		if strings.Contains(v.out.Text(), word) {
			return
		}
	}
	t.Fatalf("the output ended without %q", word)
}

// setup writes a playbook whose script notes when it begins and when it ends, with the key.
func setup(t *testing.T, body string) (dir, log string) {
	t.Helper()
	dir = t.TempDir()
	log = filepath.Join(dir, "log")
	sh := script(t, `cat > /dev/null; echo "begin $LEAT_TARGET $LEAT_KEY" >> `+log+"\n"+body+"\n"+`echo "end $LEAT_TARGET $LEAT_KEY" >> `+log)
	text := "plays: [{name: lock, when: {rule: 'payroll-*'}, target: user.name, actions: [{name: act, exec: {argv: [" + sh + "], timeout: 60s}}]}]\n" +
		"hold: 0s\nbudget: {total: {max: 10000, per: 1h}, per_action: {max: 10000, per: 1h}}\n"
	if err := os.WriteFile(filepath.Join(dir, "playbook.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir, log
}

func readLog(t *testing.T, log string) (lines []string) {
	t.Helper()
	raw, err := os.ReadFile(log)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	if s := strings.TrimSpace(string(raw)); s != "" {
		lines = strings.Split(s, "\n")
	}
	return lines
}

// TestKillAfterDone: kill -9 behind an action that has ended; the alert comes again and nothing is done.
func TestKillAfterDone(t *testing.T) {
	dir, log := setup(t, "")
	v := start(t, dir)
	fmt.Fprintln(v.in, alertLine("a1", "u1"))
	v.wait(t, stepRequested)
	for !strings.Contains(strings.Join(journalLines(t, dir), ""), recOutcome) {
		time.Sleep(5 * time.Millisecond)
	}
	v.killed(t)
	v = start(t, dir)
	fmt.Fprintln(v.in, alertLine("a1", "u1"))
	names, _ := steps(t, v.finish(t))
	equal(t, names, "requested:u1", "done:u1")
	if got := readLog(t, log); len(got) != 2 {
		t.Errorf("done twice: %q", got)
	}
}

func journalLines(t *testing.T, dir string) []string {
	t.Helper()
	return readLog(t, filepath.Join(dir, "respond", DefaultPipeline, "journal"))
}

// TestKillInAction: kill -9 while the program runs; it dies too, and the next start runs it again with the same key, though
// the alert does not come again.
func TestKillInAction(t *testing.T) {
	gate := filepath.Join(t.TempDir(), "gate")
	dir, log := setup(t, "while [ ! -e "+gate+" ]; do sleep 0.02; done")
	v := start(t, dir)
	fmt.Fprintln(v.in, alertLine("a1", "u1"))
	v.wait(t, stepRequested)
	for len(readLog(t, log)) == 0 {
		time.Sleep(5 * time.Millisecond)
	}
	v.killed(t)
	if err := os.WriteFile(gate, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	v = start(t, dir)
	names, _ := steps(t, v.finish(t))
	equal(t, names, "done:u1")
	got := readLog(t, log)
	if len(got) != 3 || got[0] != got[1] || !strings.HasPrefix(got[2], "end u1") {
		t.Errorf("want begin, begin with the same key, end: %q", got)
	}
}

// TestKillAtRandom kills at random moments, replays everything each time, and counts: every action has ended at least
// once; one whose outcome was in the journal at a kill never began again.
func TestKillAtRandom(t *testing.T) {
	const alerts, kills = 40, 25
	dir, log := setup(t, "sleep 0.01")
	rng := rand.New(rand.NewPCG(7, 7))
	inStream := 0
	for range kills {
		v := start(t, dir)
		go func() {
			for i := range alerts {
				if _, err := fmt.Fprintln(v.in, alertLine("a"+strconv.Itoa(i), "u"+strconv.Itoa(i))); err != nil {
					return
				}
				time.Sleep(time.Millisecond)
			}
		}()
		for range 1 + rng.IntN(30) {
			if !v.out.Scan() {
				break
			}
		}
		time.Sleep(time.Duration(rng.IntN(20)) * time.Millisecond)
		v.killed(t)
		done := map[string]bool{}
		for _, l := range journalLines(t, dir) {
			if strings.Contains(l, `"type":"outcome"`) {
				_, key, _ := strings.Cut(l, `"key":"`)
				done[key[:32]] = true
			}
		}
		if len(done) < alerts {
			inStream++
		}
		began := len(readLog(t, log))
		t.Cleanup(func() {
			for _, l := range readLog(t, log)[began:] {
				if f := strings.Fields(l); f[0] == "begin" && done[f[2]] {
					t.Errorf("%s began again though it was in the journal as done", f[1])
				}
			}
		})
	}
	v := start(t, dir)
	for i := range alerts {
		fmt.Fprintln(v.in, alertLine("a"+strconv.Itoa(i), "u"+strconv.Itoa(i)))
	}
	v.finish(t)
	ended := map[string]int{}
	for _, l := range readLog(t, log) {
		if f := strings.Fields(l); f[0] == "end" {
			ended[f[1]]++
		}
	}
	if len(ended) != alerts || inStream < 3 {
		t.Errorf("%d of %d actions ended; %d kills hit before all were done", len(ended), alerts, inStream)
	}
	t.Logf("%d kills, %d of them before everything was done, %d lines of actions", kills, inStream, len(readLog(t, log)))
}
