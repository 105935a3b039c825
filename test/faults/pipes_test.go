package faults

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The shapes of pipes that people build, and what DESIGN.md section 2 says of them.

// typed runs a line of a shell in the site, with `leat` as the program, and returns the exit status and what was said.
func (s *site) typed(t *testing.T, script string) (code int, said string) {
	t.Helper()
	c := exec.Command("bash", "-c", "set -o pipefail; leat() { "+s.leat+" \"$@\"; }; "+script)
	c.Dir, c.Env = s.dir, s.env
	out, err := c.CombinedOutput()
	_, _ = s.log.Write(out)
	if err != nil && c.ProcessState == nil {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), string(out)
}

// TestTwoPipelinesOneLake: two pipelines commit into one lake at once, one of them is killed and typed again, and neither disturbs
// the other.
func TestTwoPipelinesOneLake(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const n = 20000
	write(t, s.dir, "a.log", linesOf(1, n))
	write(t, s.dir, "b.log", linesOf(n+1, 2*n))
	commands := func(name string) [][]string {
		return [][]string{
			{s.leat, "ingest", "--resume", s.cfg.Lake, "--pipeline", name, "--mark-every", "1000", s.path(name + ".log")},
			{s.leat, "normalize"}, {s.leat, "detect", "-r", s.path("rules")}, {s.leat, "persist", "--lake", s.cfg.Lake},
		}
	}
	a, b := s.pipe(t, commands("a")), s.pipe(t, commands("b"))
	s.waitFor(t, "no commit of a", func() bool { return s.state(t).Pipelines["a"].Mark > 0 })
	_ = a[len(a)-1].Process.Kill()
	for _, c := range a {
		_ = c.Wait()
	}
	a = s.pipe(t, commands("a"))
	for _, c := range append(a, b...) {
		if err := c.Wait(); err != nil {
			t.Errorf("%v: %v", c.Args, err)
		}
	}
	s.check(t, 2*n)
	for name, epoch := range map[string]int64{"a": 2, "b": 1} {
		if p := s.state(t).Pipelines[name]; p.Epoch != epoch || p.Open {
			t.Errorf("pipeline %s: %+v", name, p)
		}
	}
}

// TestZombiePersist starts a second chain while the first one's persist is stopped, and then lets that go on: it has events and
// marks in its pipe, and must end with a word and commit nothing.
func TestZombiePersist(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	f := startFeed(s.auth(), envInt("LEAT_RATE", 1000), 40000)
	for range envInt("LEAT_TAKEOVERS", 3) {
		s.takeOver(t)
	}
	c := s.start(t, forms()[2])
	total := f.finish(t)
	s.waitForLines(t, total)
	if code := c.end(t, syscall.SIGTERM); code != 0 {
		t.Errorf("the last chain: exit status %d", code)
	}
	s.check(t, total)
}

func (s *site) takeOver(t *testing.T) {
	t.Helper()
	var argvs [][]string
	for _, p := range s.cfg.Processes(s.leat) {
		// Two chains can't share the socket of the alerts, nor one state folder.
		if p.Name != "tap" {
			argvs = append(argvs, slices.DeleteFunc(slices.Clone(p.Argv), func(a string) bool { return a == "--state" || a == s.cfg.State }))
		}
	}
	begin := func() []*exec.Cmd { return s.pipe(t, argvs) }
	old := begin()
	s.waitForMarks(t, 1)
	zombie := old[len(old)-1]
	_ = zombie.Process.Signal(syscall.SIGSTOP)
	// Long enough for events and marks to wait in its pipe.
	time.Sleep(500 * time.Millisecond)
	before := s.pipeline(t)
	young := begin()
	s.waitForMarks(t, 2)
	_ = zombie.Process.Signal(syscall.SIGCONT)
	ended := make(chan error, 1)
	go func() { ended <- zombie.Wait() }()
	select {
	case <-ended:
		// 1: superseded at a mark of its own. 3: its ingest was superseded first, and the stream ended without one.
		if code := zombie.ProcessState.ExitCode(); code != 1 && code != 3 && os.Getenv("LEAT_UNSAFE") == "" {
			t.Errorf("the zombie ended with %d, want 1 or 3", code)
		}
	case <-time.After(20 * time.Second):
		t.Error("the zombie goes on")
		_ = zombie.Process.Kill()
	}
	for _, c := range old[:len(old)-1] {
		_ = c.Process.Kill()
		_ = c.Wait()
	}
	fmt.Printf("kill test: takeover at epoch %d mark %d; zombie ended: %v\n", before.Epoch, before.Mark, zombie.ProcessState)
	_ = young[0].Process.Signal(syscall.SIGTERM)
	for _, c := range young {
		if err := c.Wait(); err != nil && os.Getenv("LEAT_UNSAFE") == "" {
			t.Errorf("the chain that took over: %v", err)
		}
	}
}

// TestTeeIntoTwoPersists: of two persists that are given one stream for one lake, one wins each mark and the other ends with a
// word. A second lake refuses the marks of the first one's stream, and takes it without them.
func TestTeeIntoTwoPersists(t *testing.T) {
	t.Parallel()
	const n = 5000
	t.Run("one lake", func(t *testing.T) {
		s := newSite(t)
		write(t, s.dir, "in.log", linesOf(1, n))
		const chain = "leat ingest --resume lake --mark-every 500 in.log | leat normalize | leat detect -r rules | "
		code, said := s.typed(t, chain+"tee >(leat persist --lake lake) | leat persist --lake lake")
		if code == 0 || !strings.Contains(said, "another process") {
			t.Errorf("exit status %d: %s", code, said)
		}
		// The same command without the tee goes on.
		if code, said := s.typed(t, chain+"leat persist --lake lake"); code != 0 {
			t.Errorf("exit status %d: %s", code, said)
		}
		s.check(t, n)
	})
	t.Run("two lakes", func(t *testing.T) {
		s := newSite(t)
		write(t, s.dir, "in.log", linesOf(1, n))
		code, said := s.typed(t, "leat ingest in.log | leat normalize | leat detect -r rules | tee >(leat persist --lake other) | leat persist --lake lake")
		if code != 0 {
			t.Errorf("exit status %d: %s", code, said)
		}
		s.check(t, n)
		s.waitFor(t, "the other lake", func() bool { return count(t, s.leat, s.py, s.path("other")).Lines >= n })
		mustBeExact(t, count(t, s.leat, s.py, s.path("other")), n)

		code, said = s.typed(t, "leat ingest --resume marked in.log | leat normalize | leat persist --lake lake")
		if code != 2 || !strings.Contains(said, "the stream is for lake") {
			t.Errorf("another lake's marks: exit status %d: %s", code, said)
		}
		s.check(t, n)
	})
}

// TestGrepBetweenStages: a filter that drops the marks is noticed and refused; `leat via` runs it and hands them around it.
func TestGrepBetweenStages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const n = 3000
	write(t, s.dir, "in.log", linesOf(1, n)+strings.Repeat("something else\n", 50))
	code, said := s.typed(t, "leat ingest --resume lake in.log | leat normalize | grep sshd | leat persist --lake lake")
	if code != 2 || !strings.Contains(said, "marks were filtered out before me") {
		t.Errorf("grep: exit status %d: %s", code, said)
	}
	if lines := s.lines(t); lines != 0 {
		t.Errorf("%d lines of a stream without its marks", lines)
	}
	code, said = s.typed(t, "leat ingest --resume lake in.log | leat normalize | leat detect -r rules | leat via -- grep sshd | leat persist --lake lake")
	if code != 0 {
		t.Errorf("via: exit status %d: %s", code, said)
	}
	s.check(t, n)
}

// TestKillIngestWithMarkInPipe: ingest is killed right behind a mark, and within one: the torn one counts for nothing, what came
// behind the last whole one is taken back, and the same command goes on from there.
func TestKillIngestWithMarkInPipe(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const n = 20000
	write(t, s.dir, "in.log", linesOf(1, n))
	commands := [][]string{
		{s.leat, "ingest", "--resume", s.cfg.Lake, "--mark-every", "500", s.path("in.log")},
		{s.leat, "normalize"}, {s.leat, "detect", "-r", s.path("rules")}, {s.leat, "persist", "--lake", s.cfg.Lake},
	}
	for _, cut := range []int{0, 1, 5, 9, 40, 80, -2, -1} {
		before := s.pipeline(t).Mark
		text, mark := killedBehindMark(t, commands[0], 2)
		// mark is where the second mark begins; cut counts from there, or from its end.
		end := mark + bytes.IndexByte(text[mark:], '\n') + 1
		at := end
		if cut > 0 {
			at = mark + cut
		} else if cut < 0 {
			at = end + cut
		}
		rest := s.pipe(t, append([][]string{{"cat", write(t, s.dir, "pipe", string(text[:at]))}}, commands[1:]...))
		for _, c := range rest {
			_ = c.Wait()
		}
		want := before + 1
		if at == end {
			want++
		}
		if code := rest[len(rest)-1].ProcessState.ExitCode(); code != 3 || s.pipeline(t).Mark != want {
			t.Errorf("cut at %d of the mark's line: persist's exit status %d, mark %d, want %d", cut, code, s.pipeline(t).Mark, want)
		}
	}
	last := s.pipe(t, commands)
	for _, c := range last {
		if err := c.Wait(); err != nil {
			t.Errorf("%v: %v", c.Args, err)
		}
	}
	s.check(t, n)
}

// killedBehindMark runs ingest, kills it when its n-th mark was read, and returns what it wrote and where that mark begins.
func killedBehindMark(t *testing.T, argv []string, n int) (text []byte, at int) {
	t.Helper()
	c := exec.Command(argv[0], argv[1:]...)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Wait() }()
	defer func() { _ = c.Process.Kill() }()
	buf := make([]byte, 4096)
	for {
		k, err := out.Read(buf)
		text = append(text, buf[:k]...)
		at = 0
		marks := 0
		for l := range bytes.Lines(text) {
			if bytes.HasPrefix(l, []byte(`{"@leat":{"mark"`)) && bytes.HasSuffix(l, []byte("\n")) {
				if marks++; marks == n {
					return text, at
				}
			}
			at += len(l)
		}
		if err != nil {
			t.Fatalf("ingest ended before mark %d: %v", n, err)
		}
	}
}
