// Package detectcmd is the command detect.
package detectcmd

import (
	"github.com/urfave/cli/v2"

	frame "leat/internal/cli"
	"leat/pkg/detect"
	"leat/pkg/stage"
)

// Command returns the command.
func Command() *cli.Command {
	return &cli.Command{
		Name:      "detect",
		Usage:     "match events against Sigma rules; alerts follow the events that raised them",
		UsageText: "detect [-r PATH]... [options] < events > events-and-alerts\n   detect rules check|list|explain [options]",
		Description: `Every event goes on unchanged; behind each event that matches rules come its alerts (event.kind: alert), which say who,
what, where and why. Without -r the built-in starter rules are used. Events may be ECS, or raw Windows and Sysmon JSON.

   ... | enrich -c enrich.yaml | detect | persist --lake ./lake
   cat sysmon.ndjson | detect -r ./sigma/rules --alerts-only | jq -r .message
   detect rules check -r ./my-rules`,
		Flags: append([]cli.Flag{
			rulesFlag(),
			&cli.BoolFlag{Name: "strict", Usage: "a faulty rule in a folder is an error too (exit 2)"},
			&cli.BoolFlag{Name: "alerts-only", Usage: "write alerts and drop the events"},
			routingFlag(),
			&cli.StringFlag{Name: "state", Usage: "`DIR` for state between events (single-event rules keep none)"},
		}, frame.CommonFlags()...),
		Subcommands: []*cli.Command{rulesCommand()},
		Action: func(c *cli.Context) error {
			return frame.RunFilter(c, "detect", false, func(env *frame.Env) (stage.Stage, error) {
				routing, err := routing(c)
				if err != nil {
					return nil, err
				}
				return detect.New(detect.Config{
					Rules: c.StringSlice("rules"), Strict: c.Bool("strict"), AlertsOnly: c.Bool("alerts-only"),
					Routing: routing, Log: env.Log,
				})
			})
		},
	}
}

func rulesFlag() cli.Flag {
	return &cli.StringSliceFlag{Name: "rules", Aliases: []string{"r"}, Usage: "read Sigma rules from `PATH`, a file or a folder with all below it; repeatable"}
}

func routingFlag() cli.Flag {
	return &cli.StringFlag{Name: "routing", Value: "on", Usage: "`on`: a rule sees only events of its log source; off: every rule sees every event"}
}

func routing(c *cli.Context) (bool, error) {
	switch v := c.String("routing"); v {
	case "on", "off":
		return v == "on", nil
	default:
		return false, frame.Usagef("--routing: %q is none of on, off", v)
	}
}
