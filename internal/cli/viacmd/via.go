// Package viacmd is the command `leat via`.
package viacmd

import (
	"os"

	"github.com/urfave/cli/v2"

	frame "leat/internal/cli"
	"leat/pkg/stage"
	"leat/pkg/via"
)

// Command returns the command.
func Command() *cli.Command {
	return &cli.Command{
		Name:      "via",
		Usage:     "run a foreign filter in a marked pipe, the marks around it",
		UsageText: "leat via [--ok CODE]... -- COMMAND [ARGUMENT]...",
		Description: `grep, jq or sort between two stages would lose or misplace the marks of ` + "`ingest --resume`" + `. With via the command gets
the events between two marks on its standard input, and the mark goes on behind its output. Exit status 1 of the command is
fine (grep: nothing matched); any other ends the pipe before the mark.

   ingest --resume ./lake auth.log | normalize | leat via -- grep -v healthcheck | persist --lake ./lake`,
		Flags: append([]cli.Flag{
			&cli.IntSliceFlag{Name: "ok", Value: cli.NewIntSlice(1), Usage: "exit status `CODE` of the command that is no failure; repeatable"},
		}, frame.CommonFlags()...),
		Action: func(c *cli.Context) error {
			return frame.RunCommandFilter(c, "via", func(env *frame.Env, next stage.Sink) (stage.Sink, error) {
				return via.New(via.Config{Argv: c.Args().Slice(), Stderr: os.Stderr, MaxLine: env.MaxLine, Quiet: c.IntSlice("ok")}, next)
			})
		},
	}
}
