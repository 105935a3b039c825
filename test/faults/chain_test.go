package faults

import (
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// form is one of the ways in which people run a pipe.
type form struct {
	name string
	// stages are the processes of the chain, in order.
	stages []string
	argv   func(s *site) []string
}

func forms() []form {
	all := []string{"ingest", "normalize", "detect", "tap", "persist"}
	run := func(flags ...string) func(s *site) []string {
		return func(s *site) []string { return append(append([]string{s.leat, "run"}, flags...), s.file) }
	}
	return []form{
		{"shell", all, shellLine},
		{"processes", all, run("--processes")},
		{"stages", []string{"run", "persist"}, run()},
		{"all", []string{"run"}, run("--fused=all")},
	}
}

// shellLine is the chain as somebody types it.
func shellLine(s *site) []string {
	var words []string
	for i, p := range s.cfg.Processes(s.leat) {
		if i > 0 {
			words = append(words, "|")
		}
		for _, a := range p.Argv {
			words = append(words, "'"+a+"'")
		}
	}
	return []string{"bash", "-c", "set -o pipefail; " + strings.Join(words, " ")}
}

// chain keeps a pipe alive: whenever the command ends, it is typed again, the same.
type chain struct {
	site *site
	form form

	mu       sync.Mutex
	cmd      *exec.Cmd
	typed    int // how often
	stopping bool
	codes    []int // of the commands that have ended; -1 = by a signal
	done     chan struct{}
}

func (s *site) start(t *testing.T, f form) *chain {
	t.Helper()
	c := &chain{site: s, form: f, done: make(chan struct{})}
	if err := c.command(); err != nil {
		t.Fatal(err)
	}
	go c.keep()
	t.Cleanup(func() {
		c.mu.Lock()
		c.stopping = true
		c.mu.Unlock()
		s.killAll()
		<-c.done
	})
	return c
}

func (c *chain) command() error {
	argv := c.form.argv(c.site)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env, cmd.Stderr = c.site.env, c.site.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cmd = cmd
	c.typed++
	return cmd.Start()
}

func (c *chain) keep() {
	defer close(c.done)
	for {
		_ = c.cmd.Wait()
		c.mu.Lock()
		c.codes = append(c.codes, c.cmd.ProcessState.ExitCode())
		stop := c.stopping
		c.mu.Unlock()
		if stop {
			return
		}
		time.Sleep(20 * time.Millisecond)
		if c.command() != nil {
			return
		}
	}
}

// root is the process id of the command: a shell or `leat run`.
func (c *chain) root() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cmd.Process.Pid
}

// pids are the processes of the stages that run now, in order; nil unless all are there.
func (c *chain) pids() []int {
	all := processes()
	out := make([]int, len(c.form.stages))
	found := 0
	for pid, p := range all {
		if p.parent != c.root() || len(p.argv) < 2 || p.argv[0] != c.site.leat {
			continue
		}
		if i := slices.Index(c.form.stages, p.argv[1]); i >= 0 && out[i] == 0 {
			out[i] = pid
			found++
		}
	}
	if found < len(out) {
		return nil
	}
	return out
}

// wait waits until all stages run, and none of them is one of old.
func (c *chain) wait(t *testing.T, old ...int) []int {
	t.Helper()
	var pids []int
	c.site.waitFor(t, c.form.name+": the chain was not started again", func() bool {
		pids = c.pids()
		return pids != nil && !slices.ContainsFunc(pids, func(p int) bool { return slices.Contains(old, p) })
	})
	return pids
}

// pid returns the process of a stage.
func (c *chain) pid(t *testing.T, stage string) int {
	t.Helper()
	i := slices.Index(c.form.stages, stage)
	if i < 0 {
		t.Fatalf("the form %s has no process %s", c.form.name, stage)
	}
	return c.wait(t)[i]
}

// end asks the chain to end in order, as ^C or systemd would, waits for that, and returns the exit status.
func (c *chain) end(t *testing.T, sig syscall.Signal) int {
	t.Helper()
	pids := c.wait(t)
	c.mu.Lock()
	c.stopping = true
	c.mu.Unlock()
	to := c.root()
	if c.form.name == "shell" {
		to = pids[0]
	}
	_ = syscall.Kill(to, sig)
	select {
	case <-c.done:
	case <-time.After(time.Minute):
		c.site.tail(t)
		t.Fatalf("%s: not ended a minute after %v", c.form.name, sig)
	}
	return c.codes[len(c.codes)-1]
}

// pipe starts processes joined by pipes in the site's environment; what they say goes to its log.
func (s *site) pipe(t *testing.T, argvs [][]string) []*exec.Cmd {
	t.Helper()
	return startPipe(t, s.env, argvs, func(int) io.Writer { return s.log })
}

// startPipe starts processes joined by pipes; the first has no input, the last no output.
func startPipe(t *testing.T, env []string, argvs [][]string, stderr func(i int) io.Writer) []*exec.Cmd {
	t.Helper()
	var cmds []*exec.Cmd
	var prev *os.File
	for i, argv := range argvs {
		c := exec.Command(argv[0], argv[1:]...)
		c.Env, c.Stderr = env, stderr(i)
		if i > 0 {
			c.Stdin = prev
		}
		var rd, wr *os.File
		if i < len(argvs)-1 {
			var err error
			if rd, wr, err = os.Pipe(); err != nil {
				t.Fatal(err)
			}
			c.Stdout = wr
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		for _, f := range []*os.File{prev, wr} {
			if f != nil {
				_ = f.Close()
			}
		}
		prev = rd
		cmds = append(cmds, c)
	}
	return cmds
}
