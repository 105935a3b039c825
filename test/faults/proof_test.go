package faults

import (
	"os"
	"path/filepath"
	"testing"
)

// TestHarnessCanFail runs programs with a safeguard off (build tag faults, LEAT_UNSAFE) and fails unless the harness sees what comes
// of it. docs/reliability.md has the table.
func TestHarnessCanFail(t *testing.T) {
	t.Parallel()
	straced(t)
	leat := specialProgram(t)
	// unsafe is a site whose programs lack the safeguards.
	unsafe := func(t *testing.T, off string) *site {
		s := newSiteOf(t, leat)
		s.env = append(s.env, "LEAT_UNSAFE="+off)
		return s
	}
	run := func(s *site, argvs [][]string) (codes []int) {
		for _, c := range s.pipe(t, argvs) {
			_ = c.Wait()
			codes = append(codes, c.ProcessState.ExitCode())
		}
		return codes
	}
	chain := func(s *site) [][]string {
		return [][]string{
			{s.leat, "ingest", "--resume", s.cfg.Lake, "--mark-every", "500", write(t, s.dir, "in.log", linesOf(1, 2000))},
			{s.leat, "normalize"}, {s.leat, "detect", "-r", s.path("rules")}, {s.leat, "persist", "--lake", s.cfg.Lake},
		}
	}
	t.Run("none", func(t *testing.T) {
		s := unsafe(t, "")
		run(s, chain(s))
		s.check(t, 2000)
	})
	t.Run("lose-file", func(t *testing.T) {
		s := unsafe(t, "lose-file")
		run(s, chain(s))
		if c := count(t, s.leat, s.py, s.cfg.Lake); c == exact(2000) {
			t.Error("files were left out of commits, and every line is in the lake")
		}
	})
	t.Run("no-fsync-check", func(t *testing.T) {
		s := unsafe(t, "no-fsync-check")
		argvs := chain(s)
		argvs[3] = failing(argvs[3], s.path("trace"), "fsync", "EIO", 1)
		if codes := run(s, argvs); codes[3] != 0 || injected(t, s.path("trace")) == 0 {
			t.Errorf("exit statuses %v with %d failed fsyncs: the failure was noticed with the check off", codes, injected(t, s.path("trace")))
		}
	})
	t.Run("no-torn-check", func(t *testing.T) {
		s, commands := tornSiteOf(t, unsafe(t, "no-torn-check"))
		for _, f := range s.newestFiles(t) {
			if err := os.Truncate(filepath.Join(s.cfg.Lake, f.Path), f.Bytes/2); err != nil {
				t.Fatal(err)
			}
		}
		run(s, commands(s.cfg.Lake))
		if _, err := s.verify(); err == nil {
			t.Error("a torn file was committed, and the lake is whole")
		}
	})
	t.Run("no-fence,no-mark-check", func(t *testing.T) {
		s := unsafe(t, "no-fence,no-mark-check")
		f := startFeed(s.auth(), 1000, 40000)
		for range 4 {
			s.takeOver(t)
		}
		c := s.start(t, forms()[2])
		total := f.finish(t)
		s.waitForLines(t, total)
		c.end(t, 15)
		got := count(t, s.leat, s.py, s.cfg.Lake)
		if got == exact(total) {
			t.Error("four zombies committed, and every line is in the lake once")
		}
		t.Logf("%d lines: %+v", total, got)
	})
}
