package cli

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"
	"golang.org/x/sys/unix"

	"leat/pkg/stage"
)

// drainTime is how long a stage goes on reading after the first signal before it gives up.
const drainTime = 30 * time.Second

// Env is what the common options gave a command.
type Env struct {
	Stage    string
	In       *os.File
	Out      *os.File
	Log      *slog.Logger
	Counters *stage.Counters
	MaxLine  int
	Spool    string
	Workers  int
	closers  []io.Closer
}

// IsTerminal tells whether f is a terminal.
func IsTerminal(f *os.File) bool {
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

func newEnv(c *cli.Context, name string, reads, writes bool) (*Env, error) {
	log, err := NewLogger(os.Stderr, c.String("log-format"), c.String("log-level"))
	if err != nil {
		return nil, err
	}
	env := &Env{Stage: name, In: os.Stdin, Out: os.Stdout, Log: log.With("stage", name), Counters: stage.NewCounters(name)}
	size, err := ParseSize(c.String("max-line"))
	if err != nil || size < 1 || size > 1<<30 {
		return nil, Usagef("--max-line: %q is no size from 1 to 1GiB", c.String("max-line"))
	}
	env.MaxLine = int(size)
	if env.Workers = c.Int("workers"); env.Workers < 1 || env.Workers > 256 {
		return nil, Usagef("--workers: %d is not from 1 to 256", env.Workers)
	}
	env.Spool = c.String("spool")
	if state := c.String("state"); env.Spool == "" && state != "" {
		env.Spool = filepath.Join(state, "spool")
	}
	if in := c.String("in"); reads && in != "-" {
		if env.In, err = os.Open(in); err != nil {
			return nil, Usage(fmt.Errorf("--in: %w", err))
		}
		env.closers = append(env.closers, env.In)
	} else if reads && IsTerminal(os.Stdin) {
		return nil, Usagef("standard input is a terminal; try `cat FILE | %s`, or `%s --in FILE`; see %s --help for examples", name, name, name)
	}
	if out := c.String("out"); writes && out != "-" {
		if env.Out, err = os.OpenFile(out, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600); err != nil {
			return nil, Usage(fmt.Errorf("--out: %w", err))
		}
		env.closers = append(env.closers, env.Out)
	}
	if addr := c.String("metrics-addr"); addr != "" {
		srv, err := env.Counters.Serve(addr)
		if err != nil {
			return nil, Usage(err)
		}
		env.closers = append(env.closers, srv)
	}
	return env, nil
}

// Close releases what the options opened and logs the summary.
func (e *Env) close(started time.Time) {
	in, out, failed := e.Counters.Totals()
	e.Log.Debug("finished", "in", in, "out", out, "errors", failed, "seconds", time.Since(started).Seconds())
	for _, c := range e.closers {
		_ = c.Close()
	}
}

// lines is the source that reads --in.
func (e *Env) lines(raw bool) *stage.Lines {
	return &stage.Lines{In: e.In, Stage: e.Stage, Raw: raw, MaxLine: e.MaxLine, Spool: e.Spool, Counters: e.Counters, Log: e.Log}
}

// RunFilter runs one stage between --in and --out. With raw, lines reach the stage unparsed. An error of build is one of
// configuration, unless it says otherwise (Runtime, Attention).
func RunFilter(c *cli.Context, name string, raw bool, build func(env *Env) (stage.Stage, error)) error {
	env, err := newEnv(c, name, true, true)
	if err != nil {
		return err
	}
	defer env.close(time.Now())
	if err := noArguments(c); err != nil {
		return err
	}
	s, err := build(env)
	if err != nil {
		return Usage(err)
	}
	if closer, ok := s.(io.Closer); ok {
		defer closer.Close()
	}
	s = stage.Parallel(s, env.Workers)
	ctx, stop := drained(env, s)
	defer stop()
	return stage.Pump(ctx, env.lines(raw), stage.NewChain(stage.NewWriter(env.Out, env.Counters), s))
}

// RunSink runs what ends a pipe behind --in.
func RunSink(c *cli.Context, name string, build func(env *Env) (stage.Sink, error)) error {
	env, err := newEnv(c, name, true, false)
	if err != nil {
		return err
	}
	defer env.close(time.Now())
	if err := noArguments(c); err != nil {
		return err
	}
	s, err := build(env)
	if err != nil {
		return Usage(err)
	}
	ctx, stop := drained(env, s)
	defer stop()
	return stage.Pump(ctx, env.lines(false), s)
}

// RunCommandFilter runs a Sink that hands on to --out; the command's arguments are its own.
func RunCommandFilter(c *cli.Context, name string, build func(env *Env, next stage.Sink) (stage.Sink, error)) error {
	env, err := newEnv(c, name, true, true)
	if err != nil {
		return err
	}
	defer env.close(time.Now())
	s, err := build(env, stage.NewWriter(env.Out, env.Counters))
	if err != nil {
		return Usage(err)
	}
	ctx, stop := drained(env, s)
	defer stop()
	return stage.Pump(ctx, env.lines(false), s)
}

// RunSource runs what begins a pipe in front of --out. The first SIGINT or SIGTERM ends it in order.
func RunSource(c *cli.Context, name string, build func(env *Env) (stage.Source, error)) error {
	env, err := newEnv(c, name, false, true)
	if err != nil {
		return err
	}
	defer env.close(time.Now())
	src, err := build(env)
	if err != nil {
		return Usage(err)
	}
	if closer, ok := src.(io.Closer); ok {
		defer closer.Close()
	}
	ctx, stop := interrupted()
	defer stop()
	return stage.Pump(ctx, src, stage.NewWriter(env.Out, env.Counters))
}

func noArguments(c *cli.Context) error {
	if c.Args().Present() {
		return Usagef("unexpected argument %q; events come on standard input", c.Args().First())
	}
	return nil
}

// interrupted returns a context that ends with the first signal; the second ends the process.
func interrupted() (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	sig := make(chan os.Signal, 2)
	signal.Notify(sig, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		if _, ok := <-sig; !ok {
			return
		}
		cancel()
		if _, ok := <-sig; ok {
			os.Exit(ExitInterrupted)
		}
	}()
	return ctx, func() { signal.Stop(sig); close(sig); cancel() }
}

// drained is for a stage behind another: the first signal is the source's to obey, and its end of input ours. Only if
// that does not come within drainTime, or on a second signal, the process ends. SIGHUP asks the stage to reload.
func drained(env *Env, s any) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	sig := make(chan os.Signal, 2)
	signal.Notify(sig, syscall.SIGINT, syscall.SIGTERM)
	hup := make(chan os.Signal, 1)
	reloader, reloads := s.(stage.Reloader)
	if reloads {
		signal.Notify(hup, syscall.SIGHUP)
	}
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-done:
				return
			case <-hup:
				reloader.Reload()
			case got := <-sig:
				env.Log.Info("signal: draining; a second one ends at once", "signal", got.String())
				select {
				case <-done:
					return
				case <-sig:
				case <-time.After(drainTime):
					env.Log.Error("input did not end", "seconds", drainTime.Seconds())
				}
				cancel(errInterrupted)
				// A blocking read can't be woken: end the process as the interrupted one that it is.
				time.Sleep(time.Second)
				os.Exit(ExitInterrupted)
			}
		}
	}()
	return ctx, func() { signal.Stop(sig); signal.Stop(hup); close(done); cancel(nil) }
}
