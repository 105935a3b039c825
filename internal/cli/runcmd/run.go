// Package runcmd is the commands `leat run` and `leat init`.
package runcmd

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/urfave/cli/v2"

	frame "leat/internal/cli"
	"leat/pkg/pipeline"
)

// Command returns the command `leat run`.
func Command() *cli.Command {
	return &cli.Command{
		Name:      "run",
		Usage:     "run a whole pipe from one file, and keep it running",
		UsageText: "leat run [--processes | --fused=all] [--check] pipeline.yaml",
		Description: `Starts the stages that pipeline.yaml names, restarts them from the lake's last committed mark when one dies, and
on SIGTERM or ^C lets ingest end the stream in order so that everything drains into the lake.

By default ingest to respond run fused in one process (the same bytes, a quarter of the CPU) and persist in another.
--processes runs one process a stage, as a shell would; --fused=all runs one process in all.

   leat init ./mylake        write a lake and a pipeline.yaml for this machine's own logs
   leat run ./mylake/pipeline.yaml
   leat tui --connect ./mylake/state/alerts.sock`,
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "processes", Usage: "one process a stage"},
			&cli.StringFlag{Name: "fused", Value: "stages", Usage: "what shares a process: `stages` (all but persist) or all"},
			&cli.BoolFlag{Name: "check", Usage: "check the file and those that it names, and stop"},
			&cli.StringFlag{Name: "log-format", Value: "auto", Usage: "`FORMAT` of messages on stderr: text, json, or auto"},
			&cli.StringFlag{Name: "log-level", Value: "info", Usage: "least `LEVEL` of messages: debug, info, warn, error"},
			&cli.StringFlag{Name: "child", Hidden: true},
		},
		Action: run,
	}
}

func run(c *cli.Context) error {
	if c.NArg() != 1 {
		return frame.Usagef("expected one pipeline file; `leat init DIR` writes one for this machine")
	}
	file := c.Args().First()
	cfg, err := pipeline.Load(file)
	if err != nil {
		return frame.Usage(err)
	}
	log, err := frame.NewLogger(os.Stderr, c.String("log-format"), c.String("log-level"))
	if err != nil {
		return err
	}
	if child := c.String("child"); child != "" {
		return runChild(cfg, child, log)
	}
	if c.Bool("check") {
		return check(c, cfg, log)
	}
	if err := os.MkdirAll(cfg.State, 0o700); err != nil {
		return fmt.Errorf("make the state folder: %w", err)
	}
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	var procs []pipeline.Proc
	switch {
	case c.Bool("processes"):
		procs = cfg.Processes(exe)
	case c.String("fused") == "stages":
		procs = cfg.Fused(exe, file)
	case c.String("fused") == "all":
		procs = cfg.FusedAll(exe, file)
	default:
		return frame.Usagef("--fused: %q is neither stages nor all", c.String("fused"))
	}
	s := cfg.Supervisor(procs)
	s.Log, s.Stderr = log.With("stage", "run"), os.Stderr
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	err = s.Run(ctx)
	if code, ok := pipeline.ExitCode(err); ok && code == frame.ExitUsage {
		return frame.Usage(err)
	}
	return err
}
