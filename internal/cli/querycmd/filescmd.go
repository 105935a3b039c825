package querycmd

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"time"

	"github.com/urfave/cli/v2"

	leatcli "leat/internal/cli"
	"leat/pkg/lake"
)

// FilesCommand returns the command files.
func FilesCommand() *cli.Command {
	return &cli.Command{
		Name:      "files",
		Usage:     "list the files that a lake has committed",
		UsageText: "leat files --lake DIR [options]",
		Description: "Writes the absolute path of each committed Parquet file, one a line. Only these count: a glob over the folder may see files " +
			"that are not committed yet, or not any more. Files are not pinned for whoever reads the list: retain's trash keeps them for a while.\n\n" +
			"EXAMPLES\n" +
			"   leat files --lake lake\n" +
			"   leat files --lake lake --dataset 'linux.*' --since 7d\n" +
			"   python3 -c 'import duckdb,subprocess as s; f=s.check_output([\"leat\",\"files\",\"--lake\",\"lake\"],text=True).split(\"\\n\")[:-1]; " +
			"print(duckdb.read_parquet(f, union_by_name=True).count(\"*\"))'",
		Flags: []cli.Flag{
			lakeFlag(),
			&cli.StringSliceFlag{Name: "dataset", Usage: "only files of datasets that match `GLOB`; repeatable"},
			&cli.StringFlag{Name: "since", Usage: "only files that may have events from `TIME` on: 1h, 7d (before now), 2026-11-24, 2026-11-24T08:00:00Z"},
			&cli.StringFlag{Name: "until", Usage: "only files that may have events before `TIME`"},
			&cli.Int64Flag{Name: "at", Value: -1, Usage: "as the log was after its entry `N`; a file that was removed since may be in trash/ or gone"},
			&cli.BoolFlag{Name: "json", Usage: "write what the log knows of each file as a JSON object a line"},
		},
		Action: func(c *cli.Context) error { return quiet(files(c)) },
	}
}

func files(c *cli.Context) error {
	if c.NArg() > 0 {
		return leatcli.Usagef("unexpected argument %q", c.Args().First())
	}
	since, until, err := period(c, time.Now())
	if err != nil {
		return err
	}
	for _, g := range c.StringSlice("dataset") {
		if _, err := path.Match(g, ""); err != nil {
			return leatcli.Usagef("--dataset: %q is no glob", g)
		}
	}
	l, err := open(c)
	if err != nil {
		return err
	}
	s, err := stateAt(c, l)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(os.Stdout)
	for _, f := range s.Sorted() {
		if !f.MayHold(since, until) || !matches(c.StringSlice("dataset"), f.Dataset) {
			continue
		}
		path, err := l.Abs(f.Path)
		if err != nil {
			return err
		}
		if !c.Bool("json") {
			fmt.Fprintln(out, path)
			continue
		}
		f.Path = path
		body, err := json.Marshal(f)
		if err != nil {
			return fmt.Errorf("list files: %w", err)
		}
		out.Write(append(body, '\n'))
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("list files: %w", err)
	}
	return nil
}

func stateAt(c *cli.Context, l *lake.Lake) (*lake.State, error) {
	if !c.IsSet("at") {
		return l.State()
	}
	s, err := l.StateAt(c.Int64("at"))
	if err != nil {
		return nil, leatcli.Usage(fmt.Errorf("--at: %w", err))
	}
	return s, nil
}

func matches(globs []string, dataset string) bool {
	for _, g := range globs {
		if ok, _ := path.Match(g, dataset); ok {
			return true
		}
	}
	return len(globs) == 0
}
