package runcmd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/urfave/cli/v2"

	frame "leat/internal/cli"
	"leat/pkg/detect"
	"leat/pkg/enrich"
	"leat/pkg/ingest"
	"leat/pkg/ingest/journal"
	"leat/pkg/lake"
	"leat/pkg/persist"
	"leat/pkg/pipeline"
	"leat/pkg/respond"
	"leat/pkg/stage"
	"leat/pkg/state"
	"leat/pkg/tap"
)

// check builds everything that a pipeline file names, and runs nothing.
func check(c *cli.Context, cfg *pipeline.Config, log *slog.Logger) error {
	b, err := cfg.Build(log, stage.NewCounters("run"), frame.ParseSize)
	if err != nil {
		return frame.Usage(err)
	}
	fmt.Fprintf(c.App.Writer, "pipeline %s: %d sources, %d stages, no fault\n", cfg.Name, len(cfg.Ingest.Sources), len(b.Stages))
	return b.Close()
}

// runChild is the process in which stages share memory: what = "stages" writes to stdout, where persist reads; "all" has
// persist in it too.
func runChild(cfg *pipeline.Config, what string, log *slog.Logger) error {
	count := stage.NewCounters("fused")
	if cfg.MetricsAddr != "" {
		srv, err := count.Serve(cfg.MetricsAddr)
		if err != nil {
			return frame.Usage(err)
		}
		defer srv.Close()
	}
	b, err := cfg.Build(log, count, frame.ParseSize)
	if err != nil {
		return frame.Usage(judged(err))
	}
	defer b.Close()
	if err := b.Listen(); err != nil {
		return frame.Usage(judged(err))
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	go func() {
		for range hup {
			b.Reload()
		}
	}()
	var sink stage.Sink = stage.NewWriter(os.Stdout, count)
	if what == "all" {
		if sink, err = cfg.PersistSink(context.Background(), log); err != nil {
			return judged(err)
		}
	}
	return judged(b.Run(ctx, sink))
}

// judged gives an error its exit status where it has one of its own. What another process holds may be a chain whose supervisor was
// killed, which drains: the next attempt finds it gone.
func judged(err error) error {
	var address *ingest.ListenError
	if errors.As(err, &address) {
		return frame.Usage(err)
	}
	for _, attention := range []error{
		journal.ErrBusy, ingest.ErrLost, state.ErrHeld, respond.ErrHeld, tap.ErrInUse, lake.ErrSuperseded, lake.ErrChain,
	} {
		if errors.Is(err, attention) {
			return frame.Attention(err)
		}
	}
	for _, usage := range []error{
		persist.ErrRefused, detect.ErrNoState, enrich.ErrNoState, state.ErrMissing, state.ErrOther, state.ErrFormat, respond.ErrOtherLake, respond.ErrNoState,
	} {
		if errors.Is(err, usage) {
			return frame.Usage(err)
		}
	}
	return err
}
