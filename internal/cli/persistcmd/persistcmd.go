// Package persistcmd is the command line of persist.
package persistcmd

import (
	"errors"
	"io/fs"
	"syscall"

	"github.com/urfave/cli/v2"

	leatcli "leat/internal/cli"
	"leat/pkg/lake"
	"leat/pkg/persist"
	"leat/pkg/stage"
)

// Command returns the command persist.
func Command() *cli.Command {
	return &cli.Command{
		Name:      "persist",
		Usage:     "write events to a lake of Parquet files",
		UsageText: "persist --lake DIR [options] < events.ndjson",
		Description: "Reads events as JSON lines and commits them to the lake, which is made where there is none.\n\n" +
			"DELIVERY\n" +
			"Behind `ingest --resume DIR` exactly once: only ingest's marks commit, and an input that ends without its last mark " +
			"is cut back to the one before (exit status 3); the rest comes again. In every other pipe at least once: " +
			"commits come by number, age and at the end of input.\n\n" +
			"A filter between ingest and persist that drops ingest's marks is noticed and refused; run it as `leat via -- grep x`. " +
			"A pipeline that was opened here but never ended counts as open; when its opener is dead and was not started together with " +
			"this process it does not count. With --unmarked none does.\n\n" +
			"EXAMPLES\n" +
			"   cat events.ndjson | persist --lake lake\n" +
			"   ingest --resume lake /var/log/auth.log | normalize | persist --lake lake\n" +
			"   leat query --lake lake \"SELECT event.action, count(*) FROM events GROUP BY ALL\"",
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "lake", Usage: "the lake's folder (`DIR`); required"},
			&cli.Int64Flag{Name: "max-rows", Value: 1_000_000, Usage: "begin a new file, and without marks commit, after `N` events"},
			&cli.StringFlag{Name: "max-bytes", Value: "1GiB", Usage: "... or after so much spill (`SIZE`)"},
			&cli.DurationFlag{Name: "max-age", Usage: "without marks: commit what has waited for `D`", Value: 10e9},
			&cli.IntFlag{Name: "threads", Usage: "write so many files at once (0: one a core, at most 4); each takes up to 100 MiB of memory"},
			&cli.BoolFlag{Name: "unmarked", Usage: "the events are no part of any marked pipeline, even if one is open on this lake"},
		}, leatcli.CommonFlags()...),
		Action: run,
	}
}

func run(c *cli.Context) error {
	err := leatcli.RunSink(c, "persist", func(env *leatcli.Env) (stage.Sink, error) {
		cfg := persist.Config{
			Dir: c.String("lake"), MaxRows: c.Int64("max-rows"), MaxAge: c.Duration("max-age"),
			Threads: c.Int("threads"), Unmarked: c.Bool("unmarked"), Log: env.Log, Counters: env.Counters,
		}
		if cfg.Dir == "" {
			return nil, errors.New("--lake: give the folder of the lake")
		}
		if cfg.MaxRows < 1 || cfg.MaxAge <= 0 || cfg.Threads < 0 {
			return nil, errors.New("--max-rows, --max-age: give more than 0; --threads: 0 or more")
		}
		var err error
		if cfg.MaxBytes, err = size(c, "max-bytes"); err != nil {
			return nil, err
		}
		s, err := persist.New(c.Context, cfg)
		return s, judged(err)
	})
	if errors.Is(err, persist.ErrRefused) {
		return leatcli.Usage(err)
	}
	return err
}

// judged gives the error of a start its exit status: what is wrong with the folder that was named is a matter of usage, a damaged log
// of a person, and all else, such as a full disk, may be gone the next time.
func judged(err error) error {
	if errors.Is(err, lake.ErrChain) {
		return leatcli.Attention(err)
	}
	for _, usage := range []error{lake.ErrNoLake, lake.ErrFormat, fs.ErrPermission, syscall.ENOTDIR, syscall.EXDEV} {
		if errors.Is(err, usage) {
			return leatcli.Usage(err)
		}
	}
	return leatcli.Runtime(err)
}

func size(c *cli.Context, flag string) (int64, error) {
	n, err := leatcli.ParseSize(c.String(flag))
	if err == nil && n == 0 {
		err = errors.New("0 is too little")
	}
	if err != nil {
		return 0, leatcli.Usagef("--%s: %w", flag, err)
	}
	return n, nil
}
