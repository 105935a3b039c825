package enrichcmd

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	frame "leat/internal/cli"
	"leat/pkg/enrich"
)

func configFlag() cli.Flag {
	return &cli.StringFlag{Name: "config", Aliases: []string{"c"}, Usage: "dimensions and rules: `FILE`"}
}

func checkCommand() *cli.Command {
	return &cli.Command{
		Name:      "check",
		Usage:     "load every dimension and tell rows, keys, empty cells and age; exit status 3 where there are faults",
		UsageText: "enrich check -c enrich.yaml",
		Flags:     []cli.Flag{configFlag(), stateFlag()},
		Action:    check,
	}
}

// maxWhole is how many columns without any value are named; feeds and directories leave many empty.
const maxWhole = 3

func check(c *cli.Context) error {
	cfg, err := load(c)
	if err != nil {
		return err
	}
	reports, err := enrich.Check(c.Context, cfg, options(c))
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "DIMENSION\tROWS\tKEYS\tDUPLICATES\tAGE\tVERSION\tEMPTY CELLS")
	for _, r := range reports {
		if r.Err != nil {
			fmt.Fprintf(w, "%s\tnot loaded\t\t\t\t\t\n", r.Name)
			continue
		}
		var empty []string
		whole := 0
		for _, col := range r.Columns {
			if col.Empty == r.Rows && r.Rows > 0 {
				if whole++; whole > maxWhole {
					continue
				}
			}
			if col.Empty > 0 {
				empty = append(empty, fmt.Sprintf("%s %.1f%%", col.Name, 100*float64(col.Empty)/float64(r.Rows)))
			}
		}
		if whole > maxWhole {
			empty = append(empty, fmt.Sprintf("and %d more columns without any value", whole-maxWhole))
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%s\t%s\t%s\n", r.Name, r.Rows, r.Keys, r.Duplicates,
			r.Age.Round(time.Second), r.Version, strings.Join(empty, ", "))
	}
	return errors.Join(w.Flush(), frame.Attention(err))
}

func lookupCommand() *cli.Command {
	return &cli.Command{
		Name:      "lookup",
		Usage:     "print the row that a dimension has for a key, as JSON; exit status 3 where it has none",
		UsageText: "enrich lookup -c enrich.yaml DIMENSION KEY",
		Flags: []cli.Flag{configFlag(), stateFlag(),
			&cli.TimestampFlag{Name: "at", Layout: time.RFC3339, Usage: "the row as of `TIME` (RFC 3339); default is now"}},
		Action: lookup,
	}
}

func lookup(c *cli.Context) error {
	cfg, err := load(c)
	if err != nil {
		return err
	}
	if c.Args().Len() != 2 {
		return frame.Usagef("expected DIMENSION and KEY, found %d arguments", c.Args().Len())
	}
	at := time.Now()
	if t := c.Timestamp("at"); t != nil {
		at = *t
	}
	row, err := enrich.Lookup(c.Context, cfg, options(c), c.Args().Get(0), c.Args().Get(1), at)
	switch {
	case errors.Is(err, enrich.ErrNoRow):
		return frame.Attention(err)
	case err != nil:
		return frame.Usage(err)
	}
	_, err = os.Stdout.Write(append(row, '\n'))
	return err
}

func missesCommand() *cli.Command {
	return &cli.Command{
		Name:      "misses",
		Usage:     "print the keys that a run looked up in vain, the most frequent first",
		UsageText: "enrich misses --state DIR [--limit N]",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "state", Usage: "`DIR` of the run"},
			&cli.IntFlag{Name: "limit", Value: 20, Usage: "print at most `N`"},
		},
		Action: printMisses,
	}
}

func printMisses(c *cli.Context) error {
	if c.String("state") == "" {
		return frame.Usagef("no --state DIR: which run?")
	}
	all, err := enrich.Misses(options(c).State)
	if err != nil {
		return frame.Usage(err)
	}
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "COUNT\tRULE\tKEY")
	for _, m := range all[:min(len(all), max(c.Int("limit"), 0))] {
		fmt.Fprintf(w, "%d\t%s\t%q\n", m.Count, m.Rule, m.Key)
	}
	return w.Flush()
}
