// Package respondcmd is the command `respond`.
package respondcmd

import (
	"github.com/urfave/cli/v2"

	frame "leat/internal/cli"
	"leat/pkg/respond"
	"leat/pkg/stage"
)

// Command returns the command.
func Command() *cli.Command {
	return &cli.Command{
		Name:      "respond",
		Usage:     "run guarded actions for alerts; by default only tell what would be run",
		UsageText: "respond -c playbook.yaml [--enforce --state DIR] < events > events",
		Description: `Events pass unchanged. For each alert that a play matches, respond runs the play's actions (a program, a webhook) and
tells every step on the stream, behind the alert. Without --enforce nothing is run: the steps say what would be.

   detect -r rules < events.ndjson | respond -c playbook.yaml
   detect -r rules | respond -c playbook.yaml --enforce --state /var/lib/leat | persist --lake ./lake`,
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "config", Aliases: []string{"c"}, Usage: "playbook `FILE` (docs/06-respond.md)"},
		}, frame.CommonFlags()...),
		Action: func(c *cli.Context) error {
			return frame.RunFilter(c, "respond", false, func(env *frame.Env) (stage.Stage, error) { return build(c, env) })
		},
	}
}

func build(c *cli.Context, env *frame.Env) (stage.Stage, error) {
	if c.String("config") == "" {
		return nil, frame.Usagef("no -c playbook.yaml")
	}
	book, err := respond.LoadPlaybook(c.String("config"))
	if err != nil {
		return nil, err
	}
	return respond.New(respond.Config{Playbook: book, Log: env.Log})
}
