// Package tapcmd is the command `leat tap`.
package tapcmd

import (
	"errors"

	"github.com/urfave/cli/v2"

	frame "leat/internal/cli"
	"leat/pkg/stage"
	"leat/pkg/tap"
)

// Command returns the command.
func Command() *cli.Command {
	return &cli.Command{
		Name:      "tap",
		Usage:     "let watchers see the alerts that pass, at a Unix socket",
		UsageText: "leat tap --socket PATH [--all] < events > events",
		Description: `Events pass unchanged. Whoever connects to the socket gets a copy of each alert (with --all: of each event).
A watcher that is too slow loses lines and is told how many; the pipe never waits for it.

   detect -r rules | leat tap --socket /run/leat/alerts.sock | persist --lake ./lake
   tui --connect /run/leat/alerts.sock`,
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "socket", Usage: "`PATH` of the Unix socket (mode 0600)"},
			&cli.BoolFlag{Name: "all", Usage: "copy every event, not only alerts"},
		}, frame.CommonFlags()...),
		Action: func(c *cli.Context) error {
			return frame.RunFilter(c, "tap", false, func(*frame.Env) (stage.Stage, error) {
				if c.String("socket") == "" {
					return nil, frame.Usagef("no --socket")
				}
				t, err := tap.New(tap.Config{Socket: c.String("socket"), All: c.Bool("all")})
				if errors.Is(err, tap.ErrInUse) {
					return nil, frame.Attention(err) // as after a crash, while the old one drains
				}
				return t, err
			})
		},
	}
}
