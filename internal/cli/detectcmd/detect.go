// Package detectcmd is the command detect.
package detectcmd

import (
	"os"

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
		UsageText: "detect [-r PATH]... [options] < events > events-and-alerts\n   detect rules check|list|explain|test|coverage|convert|fetch-docs [options]",
		Description: `Every event goes on unchanged; behind each event that matches rules come its alerts (event.kind: alert), which say who,
what, where and why. Without -r the built-in starter rules are used. Events may be ECS, or raw Windows and Sysmon JSON.

   ... | enrich -c enrich.yaml | detect | persist --lake ./lake
   cat sysmon.ndjson | detect -r ./sigma/rules --alerts-only | jq -r .message
   detect rules check -r ./my-rules`,
		Flags: append(append(append(ruleFlags(), limitFlags()...),
			&cli.BoolFlag{Name: "strict", Usage: "a faulty rule in a folder is an error too (exit 2)"},
			&cli.BoolFlag{Name: "alerts-only", Usage: "write alerts and drop the events"},
			routingFlag(),
			&cli.StringFlag{Name: "state", Usage: "`DIR` for what correlations and suppressions remember; a marked pipe with such rules needs it"},
			&cli.StringFlag{Name: "state-missing", Value: "fail", Usage: "`WHAT` to do where the state knows nothing of the mark at which the stream goes on: fail, or empty (begin anew)"},
			&cli.BoolFlag{Name: "watch", Value: true, Usage: "read rules again when their files change; --watch=false: on SIGHUP alone"},
			&cli.BoolFlag{Name: "stats", Usage: "at the end, print evaluations, matches and time of each rule to stderr"},
			&cli.StringFlag{Name: "explain", Usage: "match no stream: say of `EVENT` (a JSON object, @FILE or -) which rules match it and why; with --rule why that one did or did not"},
			&cli.StringFlag{Name: "rule", Usage: "with --explain: the rule with this `ID`, title or part of its file's name"},
		), frame.CommonFlags()...),
		Subcommands: []*cli.Command{rulesCommand()},
		Action: func(c *cli.Context) error {
			if c.IsSet("explain") {
				return explainEvents(c, c.String("explain"), c.String("rule"), false)
			}
			var s *detect.Stage
			err := frame.RunFilter(c, "detect", false, func(env *frame.Env) (stage.Stage, error) {
				cfg, err := config(c, env)
				if err != nil {
					return nil, err
				}
				s, err = detect.New(cfg)
				return s, err
			})
			if s != nil && c.Bool("stats") {
				if werr := s.WriteStats(os.Stderr); err == nil {
					err = werr
				}
			}
			return frame.Remembered(err, detect.ErrNoState)
		},
	}
}

func config(c *cli.Context, env *frame.Env) (detect.Config, error) {
	on, err := routing(c)
	if err != nil {
		return detect.Config{}, err
	}
	missing := c.String("state-missing")
	if missing != "fail" && missing != "empty" {
		return detect.Config{}, frame.Usagef("--state-missing: %q is none of fail, empty", missing)
	}
	cfg, err := ruleConfig(c)
	if err != nil {
		return cfg, err
	}
	cfg.Strict, cfg.AlertsOnly, cfg.Routing = c.Bool("strict"), c.Bool("alerts-only"), on
	cfg.Count, cfg.Metrics = c.Bool("stats") || c.String("metrics-addr") != "", env.Counters.Set()
	cfg.Watch, cfg.Log, cfg.Workers = c.Bool("watch"), env.Log, env.Workers
	cfg.State, cfg.StateMissing = c.String("state"), missing == "empty"
	return cfg, nil
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
