package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Proc is one process of the chain. Its stdin is the stdout of the one before.
type Proc struct {
	Name string
	Argv []string
	Env  []string // beside the supervisor's own
}

// Supervisor keeps a chain of processes running.
type Supervisor struct {
	Procs []Proc
	Log   *slog.Logger
	// Backoff is the first pause before a restart; it doubles up to MaxBackoff and begins anew after a run of Healthy.
	Backoff, MaxBackoff, Healthy time.Duration
	// MaxRestarts is how many restarts without a healthy run in between end the supervisor; 0 = never.
	MaxRestarts int
	// Drain is how long the chain may take to end in order after ctx is done.
	Drain time.Duration
	// Started is told the process ids of each new chain, in order; may be nil.
	Started func(pids []int)
	// Stderr takes the processes' messages: a file, or a Writer that is safe for concurrent use.
	Stderr io.Writer
}

// errGaveUp says that restarts did not help.
var errGaveUp = errors.New("gave up")

// ExitError says that a process of the chain ended in a way that no restart can mend.
type ExitError struct {
	Proc string
	Code int
}

func (e *ExitError) Error() string {
	return fmt.Sprintf("%s ended with exit status %d", e.Proc, e.Code)
}

// refusedWithin is how soon after its start a process tells that its configuration is wrong. Later, exit status 2 is that of a Go
// program that panicked.
const refusedWithin = 10 * time.Second

// Run runs the chain until its input ends (nil), until ctx is done and the chain has drained (nil), or until restarting
// does not help. An exit status 2 (configuration) soon after the start is not tried again.
func (s *Supervisor) Run(ctx context.Context) error {
	pause, restarts := s.Backoff, 0
	for {
		began := time.Now()
		err := s.once(ctx)
		var exit *ExitError
		switch {
		case err == nil:
			return nil
		case errors.As(err, &exit) && exit.Code == 2 && time.Since(began) < refusedWithin:
			return err
		case ctx.Err() != nil:
			return err
		}
		if time.Since(began) >= s.Healthy {
			pause, restarts = s.Backoff, 0
		}
		if restarts++; s.MaxRestarts > 0 && restarts > s.MaxRestarts {
			return fmt.Errorf("%w after %d restarts: %w", errGaveUp, s.MaxRestarts, err)
		}
		s.Log.Warn("restarting from the last committed mark", "cause", err, "restart", restarts, "pause", pause)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return err
		}
		pause = min(2*pause, s.MaxBackoff)
	}
}

// ended is what waiting for one process gave.
type ended struct {
	i   int
	err error
}

// once runs the chain one time.
func (s *Supervisor) once(ctx context.Context) error {
	cmds, err := s.start()
	if err != nil {
		return err
	}
	exits := make(chan ended, len(cmds))
	for i, c := range cmds {
		go func() { exits <- ended{i, c.Wait()} }()
	}
	var first error
	left := len(cmds)
	drain := make(<-chan time.Time)
	done := ctx.Done()
	for left > 0 {
		select {
		case e := <-exits:
			left--
			err := exitOf(s.Procs[e.i].Name, e.err)
			if e.i == 0 && done == nil && terminated(e.err) {
				// Our own signal came before it could listen for it. Nothing was begun, so nothing is lost.
				err = nil
			}
			s.Log.Debug("process ended", "process", s.Procs[e.i].Name, "error", err)
			if err != nil && (first == nil || isPassedOn(first)) {
				first = err
			}
			if err != nil && drain != nil {
				// One link is gone: the others learn it by end of input or a closed pipe, and get a moment for that.
				drain = time.After(5 * time.Second)
			}
		case <-done:
			done = nil
			s.Log.Info("draining", "deadline", s.Drain)
			_ = cmds[0].Process.Signal(syscall.SIGTERM)
			drain = time.After(s.Drain)
		case <-drain:
			s.Log.Warn("not ended in time: killing what is left")
			for _, c := range cmds {
				// The whole group: what a process has started goes with it.
				_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
			}
			drain = nil
		}
	}
	return first
}

// isPassedOn tells whether err only says that another process ended first.
func isPassedOn(err error) bool {
	var exit *ExitError
	return errors.As(err, &exit) && exit.Code == 3
}

// terminated tells whether a process was ended by SIGTERM, without having handled it.
func terminated(err error) bool {
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return false
	}
	ws, ok := exit.Sys().(syscall.WaitStatus)
	return ok && ws.Signaled() && ws.Signal() == syscall.SIGTERM
}

func exitOf(name string, err error) error {
	if err == nil {
		return nil
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		return fmt.Errorf("wait for %s: %w", name, err)
	}
	if ws, ok := exit.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return fmt.Errorf("%s was ended by signal: %s", name, ws.Signal())
	}
	return &ExitError{Proc: name, Code: exit.ExitCode()}
}

func (s *Supervisor) start() ([]*exec.Cmd, error) {
	var cmds []*exec.Cmd
	var pids []int
	var prev *os.File
	fail := func(err error) ([]*exec.Cmd, error) {
		for _, c := range cmds {
			_ = c.Process.Kill()
			_ = c.Wait()
		}
		if prev != nil {
			_ = prev.Close()
		}
		return nil, err
	}
	for i, p := range s.Procs {
		c := exec.Command(p.Argv[0], p.Argv[1:]...)
		c.Env = append(os.Environ(), p.Env...)
		c.Stderr = s.Stderr
		c.WaitDelay = 2 * time.Second
		// A group of its own: ^C reaches the supervisor alone, which ends the chain in order. If the supervisor is
		// killed, the kernel ends ingest, and with it the rest.
		c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
		if i > 0 {
			c.Stdin = prev
		}
		var rd, wr *os.File
		if i < len(s.Procs)-1 {
			var err error
			if rd, wr, err = os.Pipe(); err != nil {
				return fail(fmt.Errorf("pipe: %w", err))
			}
			c.Stdout = wr
		} else {
			c.Stdout = os.Stdout
		}
		err := c.Start()
		if prev != nil {
			_ = prev.Close()
		}
		if wr != nil {
			_ = wr.Close()
		}
		prev = rd
		if err != nil {
			return fail(fmt.Errorf("start %s (%s): %w", p.Name, strings.Join(p.Argv, " "), err))
		}
		cmds = append(cmds, c)
		pids = append(pids, c.Process.Pid)
	}
	s.Log.Info("started", "processes", len(cmds), "pids", fmt.Sprint(pids))
	if s.Started != nil {
		s.Started(pids)
	}
	return cmds, nil
}

// ExitCode returns the exit status of the process that err is about.
func ExitCode(err error) (code int, ok bool) {
	var exit *ExitError
	if errors.As(err, &exit) {
		return exit.Code, true
	}
	return 0, false
}
