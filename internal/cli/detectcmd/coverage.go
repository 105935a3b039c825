package detectcmd

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	frame "leat/internal/cli"
	"leat/pkg/detect"
)

func coverageCommand() *cli.Command {
	return &cli.Command{
		Name: "coverage", Usage: "tell what rules cover: ATT&CK, log sources, and fields that no mapping provides",
		Description: `Three tables: tactics and techniques with the number of rules that have their tags; log sources with their rules, and whether
a known channel or dataset is of that log source; fields that neither ECS nor a pack of the taxonomy has a place for.

   detect rules coverage -r ./sigma/rules
   detect rules coverage --navigator > layer.json          # open it in MITRE's ATT&CK Navigator
   detect rules coverage --json | jq '.techniques | length'`,
		Flags: append(ruleFlags(),
			&cli.BoolFlag{Name: "json", Usage: "all as one JSON object, with the titles of the rules"},
			&cli.BoolFlag{Name: "navigator", Usage: "a layer for the ATT&CK Navigator"}),
		Action: coverage,
	}
}

func coverage(c *cli.Context) error {
	if c.Args().Present() {
		return frame.Usagef("unexpected argument %q; rules are named with -r", c.Args().First())
	}
	if c.Bool("json") && c.Bool("navigator") {
		return frame.Usagef("--json and --navigator exclude each other")
	}
	all, faults, err := loadAll(c)
	if err != nil {
		return err
	}
	for _, f := range faults {
		fmt.Fprintln(os.Stderr, f.Error())
	}
	cov, err := all.Coverage()
	if err != nil {
		return err
	}
	switch {
	case c.Bool("json"):
		return printJSON(c.App.Writer, cov)
	case c.Bool("navigator"):
		return printJSON(c.App.Writer, cov.Layer())
	}
	return quiet(printCoverage(c.App.Writer, cov))
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return quiet(enc.Encode(v))
}

func printCoverage(out io.Writer, cov *detect.Coverage) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%d rules, %d of them without a tag of ATT&CK\n\nTACTIC\tRULES\n", cov.Rules, cov.Untagged)
	for _, t := range cov.Tactics {
		fmt.Fprintf(w, "%s\t%d\n", t.ID, t.Rules)
	}
	fmt.Fprintf(w, "\nTECHNIQUE\tRULES\n")
	for _, t := range cov.Techniques {
		fmt.Fprintf(w, "%s\t%d\n", t.ID, t.Rules)
	}
	fmt.Fprintf(w, "\nLOG SOURCE (product/category/service)\tRULES\tEVENTS\n")
	for _, s := range cov.Sources {
		known := "known"
		if !s.Known {
			known = "only those of unknown source"
		}
		fmt.Fprintf(w, "%s\t%d\t%s\n", s.Source, s.Rules, known)
	}
	fmt.Fprintf(w, "\nFIELD WITHOUT A PLACE\tLOG SOURCE\tRULES\n")
	for _, f := range cov.Fields {
		fmt.Fprintf(w, "%s\t%s\t%d\n", f.Field, f.Source, f.Rules)
	}
	return w.Flush()
}
