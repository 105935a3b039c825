package faults

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestStopped stops every process of a chain for a while (SIGSTOP), the supervisor too, and lets it go on (SIGCONT): the pipe
// waits for it, nobody is restarted, and nothing is lost or doubled.
func TestStopped(t *testing.T) {
	t.Parallel()
	pause := time.Duration(envInt("LEAT_PAUSE_MS", 400)) * time.Millisecond
	for _, f := range []form{forms()[1], forms()[3]} {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			c := s.start(t, f)
			feed := startFeed(s.auth(), envInt("LEAT_RATE", 1000), 2000)
			s.waitForMarks(t, 1)
			pids := c.wait(t)
			for _, pid := range append([]int{c.root()}, pids...) {
				_ = syscall.Kill(pid, syscall.SIGSTOP)
				time.Sleep(pause)
				_ = syscall.Kill(pid, syscall.SIGCONT)
				s.waitForMarks(t, 1)
			}
			if now := c.wait(t); !slices.Equal(now, pids) {
				t.Errorf("processes %v were restarted as %v", pids, now)
			}
			total := feed.finish(t)
			s.waitForLines(t, total)
			if code := c.end(t, syscall.SIGTERM); code != 0 {
				t.Errorf("exit status %d", code)
			}
			s.check(t, total)
		})
	}
}

// TestStoppedBeyondDeadline stops a process for longer than an orderly end may take: the supervisor kills what is left, and the
// same command goes on from the last mark.
func TestStoppedBeyondDeadline(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	write(t, s.dir, "pipeline.yaml", strings.Replace(pipelineFile, "restart: {", "restart: {drain: 1s, ", 1))
	feed := startFeed(s.auth(), envInt("LEAT_RATE", 1000), 40000)
	for i, stage := range []string{"persist", "detect", "ingest"} {
		c := s.start(t, forms()[1])
		s.waitForMarks(t, 1)
		pid := c.pid(t, stage)
		_ = syscall.Kill(pid, syscall.SIGSTOP)
		if code := c.end(t, syscall.SIGTERM); code == 0 {
			t.Errorf("%s was stopped, and the chain ended with exit status 0", stage)
		}
		if _, there := processes()[pid]; there {
			t.Errorf("%s outlives its deadline", stage)
		}
		fmt.Printf("faults: %s stopped beyond the deadline, %d of 3\n", stage, i+1)
	}
	c := s.start(t, forms()[1])
	total := feed.finish(t)
	s.waitForLines(t, total)
	if code := c.end(t, syscall.SIGTERM); code != 0 {
		t.Errorf("exit status %d", code)
	}
	s.check(t, total)
}

// TestOrderlyEnd ends chains under load with SIGTERM and SIGINT, in every form: the exit status is 0, the stream has its end
// mark, and the next run goes on where this one ended.
func TestOrderlyEnd(t *testing.T) {
	t.Parallel()
	for _, f := range forms() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			feed := startFeed(s.auth(), envInt("LEAT_RATE", 1000), 2000)
			for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
				c := s.start(t, f)
				s.waitForMarks(t, 2)
				code := c.end(t, sig)
				if p := s.pipeline(t); code != 0 || p.Open {
					t.Errorf("%v: exit status %d; %+v", sig, code, p)
				}
			}
			// ^C on a terminal reaches every process of the pipe at once.
			if f.name == "shell" {
				c := s.start(t, f)
				s.waitForMarks(t, 2)
				pids := c.wait(t)
				c.mu.Lock()
				c.stopping = true
				c.mu.Unlock()
				for _, pid := range pids {
					_ = syscall.Kill(pid, syscall.SIGINT)
				}
				<-c.done
				if p := s.pipeline(t); p.Open {
					t.Errorf("^C: %+v", p)
				}
			}
			total := feed.finish(t)
			c := s.start(t, f)
			s.waitForLines(t, total)
			if code := c.end(t, syscall.SIGTERM); code != 0 {
				t.Errorf("the last one: exit status %d", code)
			}
			s.check(t, total)
		})
	}
}
