package detectcmd

import (
	"github.com/urfave/cli/v2"

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
