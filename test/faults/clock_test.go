package faults

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"leat/pkg/lake"
)

// clock is the wall clock of a site's processes.
type clock struct{ file string }

func (s *site) clock(t *testing.T) clock {
	t.Helper()
	c := clock{s.path("clock")}
	c.set(t, 0)
	s.env = append(s.env, "LEAT_CLOCK="+c.file)
	return c
}

// set makes it wrong by d.
func (c clock) set(t *testing.T, d time.Duration) {
	t.Helper()
	// By a rename: whoever reads it finds one number or the other.
	if err := os.WriteFile(c.file+".new", []byte(strconv.FormatInt(int64(d/time.Second), 10)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(c.file+".new", c.file); err != nil {
		t.Fatal(err)
	}
}

// TestClockJumps moves the clock forward by a day, back by an hour, back behind the first start, and to the year 2031, while a chain runs and
// between restarts. Marks go on coming, epochs and entries keep their order, and nothing is lost or doubled.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	s := newSiteOf(t, specialProgram(t))
	clk := s.clock(t)
	feed := startFeed(s.auth(), envInt("LEAT_RATE", 1000), 4000)
	c := s.start(t, forms()[1])
	s.waitForMarks(t, 2)
	jumps := []time.Duration{24 * time.Hour, 23 * time.Hour, -time.Hour, -40 * 24 * time.Hour, 5 * 365 * 24 * time.Hour, 0}
	for i, d := range jumps {
		clk.set(t, d)
		s.waitForMarks(t, 2)
		// Every other time a process is killed, so that the chain begins anew at that time.
		if i%2 == 0 {
			pids := c.wait(t)
			_ = syscall.Kill(pids[i%len(pids)], syscall.SIGKILL)
			c.wait(t, pids...)
			s.waitForMarks(t, 2)
		}
	}
	total := feed.finish(t)
	s.waitForLines(t, total)
	if code := c.end(t, syscall.SIGTERM); code != 0 {
		t.Errorf("exit status %d", code)
	}
	// The files' dates follow the clock where the events' are too far from it, so the lines are counted, and their dates are not.
	s.check(t, total)
	back := s.inOrder(t)
	if back < 2 {
		t.Errorf("the clock went back %d times in the log, want 2 or more: the jumps did not arrive", back)
	}
	fmt.Printf("faults: clock: %d jumps, %d seen as a step back in the log, %d lines\n", len(jumps), back, total)
}

// inOrder fails the test unless epochs and marks only grow from one log entry to the next, and every file is dated within the bounds
// that its commit's own clock gave. It returns how often the entries' time went back.
func (s *site) inOrder(t *testing.T) (back int) {
	t.Helper()
	var last time.Time
	var epoch, mark int64
	for n := int64(1); n <= s.state(t).N; n++ {
		e, err := s.lake.Entry(n)
		if err != nil {
			t.Fatal(err)
		}
		if e.Time.Before(last) {
			back++
		}
		last = e.Time
		switch {
		case e.Kind == lake.KindOpen && e.Epoch != epoch+1:
			t.Errorf("entry %d opens epoch %d behind %d", n, e.Epoch, epoch)
		case e.Kind == lake.KindCommit && (e.Epoch != epoch || e.Mark <= mark):
			t.Errorf("entry %d commits mark %d of epoch %d behind mark %d of epoch %d", n, e.Mark, e.Epoch, mark, epoch)
		}
		epoch, mark = max(epoch, e.Epoch), max(mark, e.Mark)
		for _, f := range e.Added {
			day, err := time.Parse(time.DateOnly, f.Date)
			if err != nil {
				t.Fatal(err)
			}
			// A jump may come between the first event of a file and its commit.
			if age := e.Time.Sub(day); (age < -48*time.Hour || age > 32*24*time.Hour) && back == 0 {
				t.Errorf("entry %d of %v adds %s", n, e.Time, f.Path)
			}
		}
	}
	return back
}

// TestClockJumpUnmarked: without marks, events are committed when they have waited for --max-age, although the clock went back an
// hour since they came.
func TestClockJumpUnmarked(t *testing.T) {
	t.Parallel()
	s := newSiteOf(t, specialProgram(t))
	clk := s.clock(t)
	script := "(cat in.log; while [ ! -e enough ]; do sleep 0.05; done) | leat ingest - | leat normalize | leat detect -r rules | leat persist --lake lake --max-age 1s"
	write(t, s.dir, "in.log", linesOf(1, 1000))
	done := make(chan string)
	go func() {
		_, said := s.typed(t, script)
		done <- said
	}()
	clk.set(t, -time.Hour)
	s.waitForLines(t, 1000)
	write(t, s.dir, "enough", "")
	if said := <-done; !strings.Contains(said, "at least once") {
		t.Errorf("%s", said)
	}
	s.check(t, 1000)
}
