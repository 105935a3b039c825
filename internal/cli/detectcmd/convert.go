package detectcmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	frame "leat/internal/cli"
	"leat/pkg/detect"
)

func convertCommand() *cli.Command {
	return &cli.Command{
		Name: "convert", Usage: "print rules as they are behind pipelines, filters and taxonomy", ArgsUsage: "[RULE]...",
		Description: `Each rule as one YAML document with its keys in the usual order, and behind it, as comments, the condition that it was
compiled to and the places at which its fields are looked for. RULE is an id, a name, a title or another selector, as for --disable;
none: all rules.

   detect rules convert sudo_refused
   detect rules convert --sigma-pipeline mine.yml -r rules 'tag:attack.t1059*'
   detect rules convert --json -r ./sigma/rules | jq -r .condition`,
		Flags:  append(ruleFlags(), &cli.BoolFlag{Name: "json", Usage: "a JSON object a line: id, title, logsource, filters, condition, fields, rule"}),
		Action: convert,
	}
}

func convert(c *cli.Context) error {
	src := sources(c)
	src.Documents = true
	all, err := detect.Load(src)
	if err != nil {
		return frame.Usage(err)
	}
	for _, f := range append(all.Fatal, all.Faults...) {
		fmt.Fprintln(os.Stderr, f.Error())
	}
	list, err := all.Convert(c.Args().Slice())
	if err != nil {
		return frame.Usage(err)
	}
	enc := json.NewEncoder(c.App.Writer)
	enc.SetEscapeHTML(false)
	for i, r := range list {
		if c.Bool("json") {
			if err := enc.Encode(r); err != nil {
				return quiet(err)
			}
			continue
		}
		if i > 0 {
			fmt.Fprintln(c.App.Writer, "---")
		}
		fmt.Fprint(c.App.Writer, r.Rule)
		for _, f := range r.Filters {
			fmt.Fprintf(c.App.Writer, "# filter: %s\n", f)
		}
		fmt.Fprintf(c.App.Writer, "# condition: %s\n", r.Condition)
		for _, f := range r.Fields {
			if _, err := fmt.Fprintf(c.App.Writer, "# %s: %s\n", f.Field, strings.Join(f.Places, ", ")); err != nil {
				return quiet(err)
			}
		}
	}
	if len(all.Fatal)+len(all.Faults) > 0 {
		return frame.Attention(errors.New("rules with faults; each was named above"))
	}
	return nil
}

// fetchText says how to get SigmaHQ's rules; nothing is fetched, so that a machine without a network is told the same.
const fetchText = `SigmaHQ publishes its rules as archives with each release (r2026-11-01 and so on). detect fetches nothing itself.

1. On a machine with a network, get the archive, and note its checksum:

     curl -fLO https://github.com/SigmaHQ/sigma/releases/latest/download/sigma_all_rules.zip
     sha256sum sigma_all_rules.zip

   sigma_core.zip has the rules that are stable or tested, of high or critical level; sigma_core+.zip those of medium level too;
   sigma_all_rules.zip all, with rules for emerging threats and threat hunting.

2. Carry it to where detect runs, compare the checksum, and unpack it into a folder of its own:

     unzip -d /etc/leat/sigma-NEW sigma_all_rules.zip
     detect rules check -r /etc/leat/sigma-NEW

3. Put it in the place of the old one. A running detect that watches the folder, or gets SIGHUP, reads it again:

     ln -sfn sigma-NEW /etc/leat/sigma && pkill -HUP -x detect

   Exclusions, levels and what you disabled stand in your detect.yaml, so an update does not lose them; selectors that name
   no rule any more are told at the start.

The rules are under the Detection Rule License (DRL 1.1): alerts keep their authors' names (rule.author).
`

func fetchCommand() *cli.Command {
	return &cli.Command{
		Name: "fetch-docs", Aliases: []string{"fetch"}, Usage: "say how to get SigmaHQ's rules, and how to keep them up to date (fetches nothing)",
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return frame.Usagef("unexpected argument %q", c.Args().First())
			}
			_, err := fmt.Fprint(c.App.Writer, fetchText)
			return quiet(err)
		},
	}
}
