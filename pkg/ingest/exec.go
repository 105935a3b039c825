package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

const (
	firstBackoff = time.Second
	lastBackoff  = time.Minute
	// execGrace is how long a command has after SIGTERM before it gets SIGKILL.
	execGrace = 2 * time.Second
	// maxStderr is how much of one line of a command's stderr is logged.
	maxStderr = 1 << 10
)

// command is a source that reads what a program writes to its standard output, line by line. It is started without a shell.
// While following it is started again when it ends, with growing pauses; else its end is the source's.
type command struct {
	spec    spec
	cfg     *Config
	inlet   func() inlet // one for each start
	argv    func() []string
	backoff time.Duration
}

// run runs the command until it ends or ctx is done. Then it gets SIGTERM, and what it still writes goes on.
func (c *command) run(ctx context.Context) error {
	c.backoff = firstBackoff
	for {
		begun := c.cfg.Now()
		err := c.once(ctx)
		var failed *exec.ExitError
		switch {
		case ctx.Err() != nil && (err == nil || errors.As(err, &failed)):
			return nil
		case err != nil && !errors.As(err, &failed):
			return err
		case !c.cfg.Follow && err != nil:
			return fmt.Errorf("source %s: the command failed: %w", c.spec.name(), err)
		case !c.cfg.Follow:
			return nil
		}
		if c.cfg.Now().Sub(begun) > lastBackoff {
			c.backoff = firstBackoff
		}
		c.cfg.count("restarts", c.spec.name(), 1)
		c.cfg.Log.Warn("the command ended; it is started again", "source", c.spec.name(), "status", fmt.Sprint(err), "in", c.backoff)
		sleep(ctx, c.backoff)
		if ctx.Err() != nil {
			return nil
		}
		c.backoff = min(2*c.backoff, lastBackoff)
	}
}

// once runs the command to its end. *exec.ExitError: that was not a success.
func (c *command) once(ctx context.Context) error {
	r, w, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("source %s: make a pipe: %w", c.spec.name(), err)
	}
	defer r.Close()
	argv := c.argv()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = w, &stderrLog{log: c.cfg.Log.With("source", c.spec.name())}
	// A group of its own: a signal from the terminal is for us, and ours reach its children too.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = execGrace
	err = cmd.Start()
	w.Close()
	if err != nil {
		return fmt.Errorf("source %s: %w", c.spec.name(), err)
	}
	ended := make(chan struct{})
	reading, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	killed := make(chan struct{})
	go func() {
		defer close(killed)
		select {
		case <-ended:
			return
		case <-ctx.Done():
		case <-reading.Done():
		}
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM)
		select {
		case <-ended:
			return
		case <-time.After(execGrace):
		}
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		// A child that left the group may still hold the pipe.
		giveUp()
	}()
	to := c.inlet()
	st := &stream{name: c.spec.name(), in: r, cfg: c.cfg, multi: c.spec.multi, to: to}
	rerr := st.run(reading)
	if rerr != nil {
		giveUp()
	}
	// Its output has ended; now it may take a moment to end itself.
	defer time.AfterFunc(execGrace, giveUp).Stop()
	werr := waitFirst(cmd, ended)
	<-killed
	if rerr != nil {
		return rerr
	}
	if j, ok := to.(*journald); ok && werr == nil && ctx.Err() == nil {
		return j.ended()
	}
	return werr
}

// waitFirst reaps the process; only when it is reaped its number may be another's.
func waitFirst(cmd *exec.Cmd, ended chan<- struct{}) error {
	defer close(ended)
	err := cmd.Wait()
	if errors.Is(err, exec.ErrWaitDelay) {
		return nil // a child of its holds stderr
	}
	return err
}

// stderrLog logs what is written to it, a message for each line.
type stderrLog struct {
	log  *slog.Logger
	line []byte
}

// Write never fails.
func (l *stderrLog) Write(p []byte) (int, error) {
	for part := range bytes.Lines(p) {
		l.line = append(l.line, part[:min(len(part), maxStderr-min(len(l.line), maxStderr))]...)
		if part[len(part)-1] != '\n' {
			continue
		}
		if text := strings.TrimSpace(string(l.line)); text != "" {
			l.log.Warn("command says", "stderr", text)
		}
		l.line = l.line[:0]
	}
	return len(p), nil
}

// splitWords makes an argument list of a command line, without a shell: words are separated by blanks; what stands in ' or "
// is one word; \ takes the next character as it is, but not within '.
func splitWords(s string) ([]string, error) {
	var words []string
	var word []byte
	in, quote, escaped := false, byte(0), false
	for i := range len(s) {
		b := s[i]
		switch {
		case escaped:
			word, escaped = append(word, b), false
		case b == '\\' && quote != '\'':
			in, escaped = true, true
		case quote != 0 && b == quote:
			quote = 0
		case quote != 0:
			word = append(word, b)
		case b == '\'' || b == '"':
			in, quote = true, b
		case b == ' ' || b == '\t':
			if in {
				words, word, in = append(words, string(word)), nil, false
			}
		default:
			word, in = append(word, b), true
		}
	}
	if quote != 0 || escaped {
		return nil, errors.New("a quote or backslash without its end")
	}
	if in {
		words = append(words, string(word))
	}
	return words, nil
}
