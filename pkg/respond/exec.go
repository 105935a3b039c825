package respond

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// maxOutput is how much of a program's output is kept, in bytes; the rest is read and thrown away.
const maxOutput = 16 << 10

// Exec runs a program. Its arguments stand in the playbook and are never made from an event; what it needs to know comes
// as one JSON object on its standard input (see docs/06-respond.md). Exit status 0 is success.
type Exec struct {
	// Argv is the program, as an absolute path or one relative to the playbook, and its arguments.
	Argv []string `yaml:"argv"`
	// Timeout ends the program and all it started (default 10s).
	Timeout time.Duration `yaml:"timeout"`
	// Env lists the variables of respond's own environment that the program sees. It always has PATH and LEAT_*.
	Env []string `yaml:"env"`
}

func (c *check) exec(a *Action, in func(...any) []any) {
	x := a.Exec
	if len(x.Argv) == 0 || x.Argv[0] == "" {
		c.fault(in("exec", "argv"), "no argv; expected a list: the program and its arguments")
		return
	}
	for i, arg := range x.Argv {
		if strings.ContainsRune(arg, 0) {
			c.fault(in("exec", "argv", i), "a NUL in an argument")
		}
	}
	if !filepath.IsAbs(x.Argv[0]) {
		x.Argv[0] = filepath.Join(c.dir, x.Argv[0])
		if abs, err := filepath.Abs(x.Argv[0]); err == nil {
			x.Argv[0] = abs
		}
	}
	if info, err := os.Stat(x.Argv[0]); err != nil {
		c.fault(in("exec", "argv", 0), "no program %s; expected an absolute path, or one from the playbook's folder", x.Argv[0])
	} else if info.IsDir() || info.Mode()&0o111 == 0 {
		c.fault(in("exec", "argv", 0), "%s is not executable", x.Argv[0])
	}
	if x.Timeout == 0 {
		x.Timeout = 10 * time.Second
	}
	if x.Timeout < 0 || x.Timeout > 10*time.Minute {
		c.fault(in("exec", "timeout"), "timeout is %v; expected more than 0s, at most 10m", x.Timeout)
	}
	for i, name := range x.Env {
		if name == "" || strings.ContainsAny(name, "=\x00") || strings.HasPrefix(name, "LD_") || strings.HasPrefix(name, "LEAT_") {
			c.fault(in("exec", "env", i), "%q can't be passed on; expected the name of a variable that begins with neither LD_ nor LEAT_", name)
		}
	}
	if a.Name == "" {
		a.Name = "exec:" + tame(filepath.Base(x.Argv[0]))
	}
}

// tame makes a default name of a text of the playbook.
func tame(s string) string {
	s = strings.Map(func(r rune) rune {
		if goodName(string(r)) {
			return r
		}
		return '_'
	}, s)
	return s[:min(len(s), 50)]
}

// plainText tells whether a value is harmless even for a script that forgets to quote it.
func plainText(s string) bool {
	return len(s) >= 1 && len(s) <= 256 && s[0] != '-' &&
		strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:@-") == ""
}

func (x *Exec) environ(r *request) []string {
	env := []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
	for _, name := range x.Env {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	env = append(env, "LEAT_KEY="+r.job.Key, "LEAT_PLAY="+r.job.Play, "LEAT_ACTION="+r.job.Action)
	// What comes from the event is given only where it is plain; otherwise the program reads it from its input.
	for _, kv := range [][2]string{{"LEAT_TARGET", r.job.Target}, {"LEAT_TARGET_FIELD", r.job.Field}, {"LEAT_ALERT_ID", r.job.Alert}, {"LEAT_RULE_ID", r.job.Rule}} {
		if plainText(kv[1]) {
			env = append(env, kv[0]+"="+kv[1])
		}
	}
	return env
}

// run starts the program and waits for it.
func (x *Exec) run(ctx context.Context, r *request) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, x.Timeout)
	defer cancel()
	// The parent-death signal is bound to the thread that starts the child.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(ctx, x.Argv[0], x.Argv[1:]...)
	cmd.Env = x.environ(r)
	cmd.Dir = "/"
	cmd.Stdin = bytes.NewReader(r.body)
	out := &capped{max: maxOutput}
	cmd.Stdout, cmd.Stderr = out, out
	// A group of its own, so that a time-out reaches what the program has started; and it dies with respond, so that the
	// retry after a restart does not run beside it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	if cmd.Process != nil {
		// What it left in the background goes too.
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
	}
	detail := clip(out.String(), 512)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return detail, fmt.Errorf("killed after %v%s", x.Timeout, quoted(detail))
	case errors.Is(err, exec.ErrWaitDelay):
		return detail, nil
	case err != nil:
		return detail, fmt.Errorf("%w%s", err, quoted(detail))
	}
	return detail, nil
}

func quoted(s string) string {
	if s == "" {
		return ""
	}
	return ": " + s
}

// capped keeps the first max bytes written to it.
type capped struct {
	buf bytes.Buffer
	max int
}

func (c *capped) Write(p []byte) (int, error) {
	c.buf.Write(p[:min(len(p), c.max-c.buf.Len())])
	return len(p), nil
}

func (c *capped) String() string { return c.buf.String() }

var _ actor = (*Exec)(nil)
