package detectcmd

import (
	"time"

	"github.com/urfave/cli/v2"

	frame "leat/internal/cli"
	"leat/pkg/correlate"
	"leat/pkg/detect"
)

// ruleFlags are the options that say which rules are at work, the same for detect and all that looks at rules.
func ruleFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "rules", Aliases: []string{"r"}, Usage: "read Sigma rules from `PATH`, a file or a folder with all below it; repeatable"},
		&cli.StringFlag{Name: "config", Aliases: []string{"c"}, Usage: "`FILE` (detect.yaml) with rules, levels, exclusions and what is disabled"},
		&cli.StringFlag{Name: "min-level", Usage: "leave out rules below `LEVEL`: informational, low, medium, high, critical"},
		&cli.StringSliceFlag{Name: "disable", Usage: "leave out the rules that `WHICH` names: an id, name or title, tag:attack.t1059*, level:low, status:experimental, logsource:linux/*, file:*.yml; repeatable"},
		&cli.StringSliceFlag{Name: "enable", Usage: "take `WHICH` of the rules left out in again; repeatable"},
		&cli.StringSliceFlag{Name: "lookup", Usage: "values of a placeholder of the modifier expand: `NAME=FILE`, or a folder of files named after them; repeatable"},
		&cli.StringSliceFlag{Name: "taxonomy", Usage: "further places of fields in events, from `FILE`; repeatable"},
		&cli.StringSliceFlag{Name: "sigma-pipeline", Usage: "change rules by a processing pipeline of pySigma's form in `FILE`; repeatable, in the order of their priorities"},
	}
}

// sources reads ruleFlags.
func sources(c *cli.Context) detect.Sources {
	return detect.Sources{
		File: c.String("config"), Rules: c.StringSlice("rules"), Lookups: c.StringSlice("lookup"), Taxonomy: c.StringSlice("taxonomy"),
		Pipelines: c.StringSlice("sigma-pipeline"), MinLevel: c.String("min-level"), Disable: c.StringSlice("disable"), Enable: c.StringSlice("enable"),
	}
}

// limitFlags are the bounds of what correlations remember.
func limitFlags() []cli.Flag {
	return []cli.Flag{
		&cli.DurationFlag{Name: "lateness", Value: correlate.DefaultLateness, Usage: "how much later than its neighbours an event may come and still be correlated exactly"},
		&cli.IntFlag{Name: "max-groups", Value: correlate.DefaultKeys, Usage: "groups that a correlation remembers at most; the one not seen for longest goes first"},
		&cli.IntFlag{Name: "max-group-events", Value: correlate.DefaultEvents, Usage: "events that a group remembers at most (or twice what the condition counts); its oldest go first"},
		&cli.IntFlag{Name: "max-correlated", Value: correlate.DefaultTotal, Usage: "events that a correlation remembers at most, about 70 bytes each"},
	}
}

// limits reads limitFlags. What was not given is 0: a detect.yaml may say it, and else it is the default.
func limits(c *cli.Context) (l correlate.Limits, err error) {
	if c.IsSet("lateness") {
		if l.Lateness = c.Duration("lateness"); l.Lateness <= 0 {
			return l, frame.Usagef("--lateness: %s is no time", time.Duration(l.Lateness))
		}
	}
	for name, to := range map[string]*int{"max-groups": &l.Keys, "max-group-events": &l.Events, "max-correlated": &l.Total} {
		if c.IsSet(name) {
			if *to = c.Int(name); *to <= 0 {
				return l, frame.Usagef("--%s: %d is no number above 0", name, *to)
			}
		}
	}
	return l, nil
}

// ruleConfig is what the options of rules and bounds say.
func ruleConfig(c *cli.Context) (detect.Config, error) {
	l, err := limits(c)
	return detect.Config{
		Rules: c.StringSlice("rules"), Lookups: c.StringSlice("lookup"), File: c.String("config"), Taxonomy: c.StringSlice("taxonomy"),
		Pipelines: c.StringSlice("sigma-pipeline"), MinLevel: c.String("min-level"), Disable: c.StringSlice("disable"), Enable: c.StringSlice("enable"),
		Limits: l,
	}, err
}
