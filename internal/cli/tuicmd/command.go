// Package tuicmd is the command `tui`.
package tuicmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	frame "leat/internal/cli"
	"leat/pkg/stage"
	"leat/pkg/tui"
)

// Command returns the command.
func Command() *cli.Command {
	return &cli.Command{
		Name:      "tui",
		Usage:     "watch alerts live in the terminal",
		UsageText: "tui [--follow FILE | --connect SOCKET | --lake DIR] [--filter EXPR] [--tee] [--plain] [< events]",
		Description: `Shows the alerts of a stream as a live table: filter, search, pause, groups, and for each alert who, what, where and why.
Keys come from the terminal while events come on standard input. ? shows the keys.

   ingest --follow /var/log/auth.log | normalize | detect | tui
   detect -r rules < events.ndjson | tui --tee | persist --lake ./lake
   tui --connect ./state/alerts.sock --filter 'severity>=high -rule=noise*'
   tui --follow alerts.ndjson --plain | grep payroll
   tui --lake ./lake

Alerts are never dropped from the stream: with --tee all that is read is written to standard output as it came, also
after the screen is closed. What comes faster than it can be shown is counted in the header.

NOT YET: acknowledging, assigning and notes, approving responses, saved views, replay at speed, mouse.`,
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "follow", Usage: "read `FILE` and follow it as it grows"},
			&cli.StringFlag{Name: "connect", Usage: "read from the Unix socket `PATH` of leat tap or leat run"},
			&cli.StringFlag{Name: "lake", Usage: "show the alerts of the lake in `DIR` of the last 7 days, and those that are committed"},
			&cli.StringFlag{Name: "filter", Usage: "begin with the filter `EXPR`, such as 'severity>=high user=anna*'"},
			&cli.BoolFlag{Name: "all", Usage: "show every event, not only alerts"},
			&cli.BoolFlag{Name: "tee", Usage: "pass everything on to standard output, which must be no terminal"},
			&cli.BoolFlag{Name: "plain", Usage: "write one line of text an alert; no screen, no keys"},
			&cli.BoolFlag{Name: "utc", Usage: "show times in UTC"},
			&cli.IntFlag{Name: "keep", Value: 10_000, Usage: "keep the last `N` alerts (and 64 MiB at most)"},
			&cli.StringFlag{Name: "color", Value: "auto", Usage: "`WHEN` to use colours: auto, always, never (NO_COLOR is obeyed)"},
		}, commonFlags()...),
		Action: run,
	}
}

// commonFlags are those of every stage. What a screen has no use for is taken, so that command lines look alike, and not
// shown.
func commonFlags() []cli.Flag {
	flags := frame.CommonFlags()
	for _, f := range flags {
		switch f := f.(type) {
		case *cli.StringFlag:
			f.Hidden = f.Name == "max-line" || f.Name == "spool"
		case *cli.IntFlag:
			f.Hidden = f.Name == "workers"
		}
	}
	return flags
}

func run(c *cli.Context) error {
	if c.Args().Present() {
		return frame.Usagef("unexpected argument %q; --follow FILE or --in FILE reads a file", c.Args().First())
	}
	if _, err := frame.NewLogger(os.Stderr, c.String("log-format"), c.String("log-level")); err != nil {
		return err
	}
	cfg, err := config(c)
	if err != nil {
		return err
	}
	if addr := c.String("metrics-addr"); addr != "" {
		cfg.Counters = stage.NewCounters("tui")
		srv, err := cfg.Counters.Serve(addr)
		if err != nil {
			return frame.Usage(err)
		}
		defer srv.Close()
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	// The first signal closes the screen; with --tee the stream goes on to its end, until a second one.
	context.AfterFunc(ctx, stop)
	err = tui.Run(ctx, cfg)
	switch {
	case errors.Is(err, syscall.EPIPE):
		return stage.ErrClosed
	case errors.Is(err, tui.ErrSource):
		return frame.Usage(err)
	case errors.Is(err, tui.ErrNoTerminal):
		return frame.Usage(fmt.Errorf("%w; --plain writes lines of text instead", err))
	}
	return err
}

func config(c *cli.Context) (tui.Config, error) {
	cfg := tui.Config{
		In: os.Stdin, Out: os.Stdout, Notice: os.Stderr, Follow: c.String("follow"), Connect: c.String("connect"),
		Plain: c.Bool("plain"), All: c.Bool("all"), Filter: c.String("filter"), MaxRows: c.Int("keep"), Command: command(c),
	}
	if err := oneSource(c); err != nil {
		return cfg, err
	}
	if cfg.MaxRows < 1 || cfg.MaxRows > 1_000_000 {
		return cfg, frame.Usagef("--keep: %d is not from 1 to 1000000", cfg.MaxRows)
	}
	if err := tui.CheckFilter(cfg.Filter); err != nil {
		return cfg, frame.Usagef("--filter: %v", err)
	}
	if c.Bool("utc") {
		cfg.Zone = time.UTC
	}
	if err := input(c, &cfg); err != nil {
		return cfg, err
	}
	return cfg, output(c, &cfg)
}

// oneSource refuses more than one place to read from.
func oneSource(c *cli.Context) error {
	first := ""
	for _, name := range []string{"follow", "connect", "lake", "in"} {
		if !c.IsSet(name) {
			continue
		}
		if first != "" {
			return frame.Usagef("--%s and --%s exclude each other", first, name)
		}
		first = name
	}
	return nil
}

// input opens what is read.
func input(c *cli.Context, cfg *tui.Config) error {
	if cfg.Follow != "" || cfg.Connect != "" {
		return nil
	}
	if dir := c.String("lake"); dir != "" {
		h, err := history(dir)
		cfg.History = h
		return frame.Usage(err)
	}
	if in := c.String("in"); in != "-" {
		f, err := os.Open(in)
		if err != nil {
			return frame.Usage(fmt.Errorf("--in: %w", err))
		}
		cfg.In = f
		return nil
	}
	if frame.IsTerminal(os.Stdin) {
		return frame.Usagef("standard input is a terminal; try `detect < events.ndjson | tui` or `tui --follow alerts.ndjson`; see tui --help")
	}
	return nil
}

// output settles colours, and what standard output is for.
func output(c *cli.Context, cfg *tui.Config) error {
	out, terminal := os.Stdout, frame.IsTerminal(os.Stdout)
	if path := c.String("out"); path != "-" {
		if !cfg.Plain && !c.Bool("tee") {
			return frame.Usagef("--out is for --plain or --tee")
		}
		var err error
		if out, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600); err != nil {
			return frame.Usage(fmt.Errorf("--out: %w", err))
		}
		terminal, cfg.Out = false, out
	}
	switch {
	case c.Bool("tee") && terminal:
		return frame.Usagef("--tee: standard output is a terminal; send it on: `... | tui --tee | persist ...`")
	case c.Bool("tee") && cfg.Plain:
		return frame.Usagef("--tee and --plain both want standard output")
	case c.Bool("tee"):
		cfg.Tee = out
	case !terminal && !cfg.Plain:
		return frame.Usagef("standard output is no terminal; --tee passes the events on, --plain writes lines of text")
	}
	switch color := c.String("color"); color {
	case "auto":
		cfg.Palette = tui.PaletteFor(os.Getenv)
		if cfg.Plain && !terminal && os.Getenv("CLICOLOR_FORCE") == "" {
			cfg.Palette = tui.Plain
		}
	case "always":
		if cfg.Palette = tui.PaletteFor(os.Getenv); cfg.Palette <= tui.NoColor {
			cfg.Palette = tui.Sixteen
		}
	case "never":
		if cfg.Palette = tui.NoColor; cfg.Plain {
			cfg.Palette = tui.Plain
		}
	default:
		return frame.Usagef("--color: %q is none of auto, always, never", color)
	}
	return nil
}

// command is how this view is opened again, without its filter.
func command(c *cli.Context) string {
	s := c.App.Name
	if c.Command != nil && c.Command.Name == "tui" && s != "tui" {
		s += " tui"
	}
	for _, name := range []string{"follow", "connect", "lake"} {
		if v := c.String(name); v != "" {
			s += " --" + name + " '" + strings.ReplaceAll(v, "'", `'\''`) + "'"
		}
	}
	return s
}
