package faults

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Real system calls are made to fail, by strace on the built programs: the K-th fsync, write, link or rename of a process returns an
// error. K walks over all of them in the long form. strace counts per thread, so a call of another thread may fail too.

// straced skips the test where processes can't be traced.
func straced(t *testing.T) {
	t.Helper()
	if out, err := exec.Command("strace", "-f", "-qq", "-o", os.DevNull, "-e", "trace=fsync", "true").CombinedOutput(); err != nil {
		t.Skipf("no strace, or tracing is not allowed: %v: %s", err, lastLine(out))
	}
}

// failing wraps a command line: the k-th of the named calls fails with errno. What was done is in the file trace.
func failing(argv []string, trace, calls, errno string, k int) []string {
	// With one processor nearly all of a program's calls come from one thread.
	return append([]string{"env", "GOMAXPROCS=1", "strace", "-f", "-qq", "-o", trace, "-e", "trace=" + calls,
		"-e", fmt.Sprintf("inject=%s:error=%s:when=%d", calls, errno, k)}, argv...)
}

func injected(t *testing.T, trace string) int {
	t.Helper()
	data, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(data, []byte("(INJECTED)"))
}

// walk calls try with k = 1, 2, ... until it says that no call failed; in the short form only with few.
func walk(t *testing.T, few []int, try func(k int) bool) {
	t.Helper()
	if os.Getenv("LEAT_LONG") != "" {
		for k := 1; try(k); k++ {
			if k > 500 || t.Failed() {
				t.Fatalf("at call %d", k)
			}
		}
		return
	}
	hits := 0
	for _, k := range few {
		if try(k) {
			hits++
		}
	}
	if 2*hits < len(few) {
		t.Errorf("only %d of the calls %v came: the short form is out of date", hits, few)
	}
}

const playbook = `plays:
  - name: look
    when: {severity: ">= low"}
    target: user.name
    actions: [{name: look, exec: {argv: [/bin/true]}}]
budget: {total: {max: 100000, per: 1h}, per_action: {max: 100000, per: 1h}}
hold: 0s
`

// TestFailingCalls: whatever call of a stage fails, the stage ends with exit status 1 or mends it; nothing is committed wrongly, and
// the same command goes on.
func TestFailingCalls(t *testing.T) {
	t.Parallel()
	straced(t)
	for _, c := range []struct {
		stage int // in the pipe below
		calls string
		errno string
		few   []int
	}{
		{0, "fsync", "EIO", []int{1, 2}},
		{3, "fsync", "EIO", []int{1, 2, 5}},
		{4, "fsync", "EIO", []int{1, 2, 3, 6, 7, 8}},
		{4, "linkat", "EIO", []int{1, 2, 3}},
		{4, "mkdirat", "ENOSPC", []int{1, 2}},
	} {
		names := []string{"ingest", "normalize", "detect", "respond", "persist"}
		t.Run(names[c.stage]+" "+c.calls, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			write(t, s.dir, "playbook.yaml", playbook)
			n := int64(0)
			walk(t, c.few, func(k int) bool {
				const lines = 300
				in := write(t, s.dir, fmt.Sprintf("%d.log", k), linesOf(n+1, n+lines))
				n += lines
				argvs := [][]string{
					{s.leat, "ingest", "--resume", s.cfg.Lake, "--mark-every", "100", in}, {s.leat, "normalize"},
					{s.leat, "detect", "-r", s.path("rules")},
					{s.leat, "respond", "-c", s.path("playbook.yaml"), "--enforce", "--state", s.cfg.State},
					{s.leat, "persist", "--lake", s.cfg.Lake},
				}
				before := s.state(t).N
				trace, whole := s.path("trace"), argvs[c.stage]
				argvs[c.stage] = failing(whole, trace, c.calls, c.errno, k)
				run := s.pipe(t, argvs)
				for _, p := range run {
					_ = p.Wait()
				}
				hit := injected(t, trace)
				// Only a checkpoint, at each hundredth entry, may fail without a word.
				code := run[c.stage].ProcessState.ExitCode()
				withheld := code == 3 && c.stage == 3 // respond lets the stream pass, runs no action more, and says so
				if quiet := s.state(t).N/100 > before/100; code != 1 && !withheld && (code != 0 || hit > 0 && !quiet) {
					t.Errorf("%s %d failed: exit status %d", c.calls, k, code)
				}
				argvs[c.stage] = whole
				for _, p := range s.pipe(t, argvs) {
					if err := p.Wait(); err != nil {
						t.Errorf("behind failed %s %d: %v: %v", c.calls, k, p.Args[:2], err)
					}
				}
				return hit > 0
			})
			c := count(t, s.leat, s.py, s.cfg.Lake)
			mustBeExact(t, c, n)
			fmt.Printf("faults: %s: %d lines in the lake\n", t.Name(), c.Lines)
		})
	}
}

// TestFailingJournal: a journal whose fsync fails writes the records anew or holds the sender back; what ingest took in, it gives
// the lake once.
func TestFailingJournal(t *testing.T) {
	t.Parallel()
	straced(t)
	for _, call := range []string{"fsync", "pwrite64"} {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			walk(t, []int{1, 3, 5}, func(k int) bool {
				s := newSite(t)
				const n = 1000
				for part := range int64(10) {
					write(t, s.dir, fmt.Sprintf("part.%d", part), linesOf(part*n/10+1, (part+1)*n/10))
				}
				argvs := [][]string{
					{"sh", "-c", "for i in 0 1 2 3 4 5 6 7 8 9; do cat " + s.path("part.") + "$i; sleep 0.02; done"},
					{s.leat, "ingest", "--resume", s.cfg.Lake, "--state", s.cfg.State, "--mark-every", "100", "-"},
					{s.leat, "normalize"}, {s.leat, "detect", "-r", s.path("rules")}, {s.leat, "persist", "--lake", s.cfg.Lake},
				}
				trace, whole := s.path("trace"), argvs[1]
				argvs[1] = failing(whole, trace, call, "EIO", k)
				run := s.pipe(t, argvs)
				for _, p := range run {
					_ = p.Wait()
				}
				code := run[1].ProcessState.ExitCode()
				// What the journal has goes on, with nothing new.
				argvs[0], argvs[1] = []string{"true"}, whole
				for _, p := range s.pipe(t, argvs) {
					if err := p.Wait(); err != nil {
						t.Errorf("behind failed %s %d: %v: %v", call, k, p.Args[:2], err)
					}
				}
				c := count(t, s.leat, s.py, s.cfg.Lake)
				switch {
				case code == 0:
					mustBeExact(t, c, n)
				case code != 1:
					t.Errorf("%s %d failed: exit status %d", call, k, code)
				case c.Lines != c.Distinct || c.Lines != c.MaxSeq:
					t.Errorf("%s %d failed: %+v", call, k, c)
				}
				hit := injected(t, trace)
				fmt.Printf("faults: journal, %s %d: %d failed, ingest's exit status %d, %d lines in the lake\n", call, k, hit, code, c.Lines)
				return hit > 0
			})
		})
	}
}

// TestTracedWord keeps strace's word for what it did, on which these tests stand.
func TestTracedWord(t *testing.T) {
	t.Parallel()
	straced(t)
	trace := t.TempDir() + "/trace"
	argv := failing([]string{"sync", "-d", trace}, trace, "fdatasync", "EIO", 1)
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "Input/output error") || injected(t, trace) != 1 {
		t.Errorf("%v: %s", err, out)
	}
}
