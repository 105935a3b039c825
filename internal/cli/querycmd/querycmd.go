// Package querycmd is the command lines of `leat query` and `leat files`.
package querycmd

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/urfave/cli/v2"

	leatcli "leat/internal/cli"
	"leat/pkg/lake"
	"leat/pkg/query"
	"leat/pkg/stage"
)

// Command returns the command query.
func Command() *cli.Command {
	return &cli.Command{
		Name:      "query",
		Usage:     "ask a lake with SQL",
		UsageText: "leat query --lake DIR [options] \"SQL\"",
		Description: "Runs one statement that only reads, over the views events, alerts, errors and everything. Columns are the event's fields " +
			"(source.ip, \"user\".name, event.category), dataset and date of the partition, and rest: the JSON text of the fields that have no " +
			"column. `DESCRIBE events` lists them. The statement sees one state of the lake, and reaches nothing else.\n\n" +
			"EXAMPLES\n" +
			"   leat query --lake lake \"SELECT source.ip, count(*) AS n FROM events WHERE event.outcome = 'failure' GROUP BY ALL ORDER BY n DESC LIMIT 10\"\n" +
			"   leat query --lake lake --json \"FROM alerts SELECT rule.name, \\\"user\\\".name, \\\"@timestamp\\\"\"\n" +
			"   leat query --lake lake \"SELECT rest->>'$.linux.auth.method' AS method, count(*) FROM events GROUP BY 1\"\n" +
			"   leat query --lake lake --row-json \"FROM events WHERE dataset = 'linux.auth'\" | detect -r rules",
		Flags: []cli.Flag{
			lakeFlag(),
			&cli.StringFlag{Name: "format", Value: "table", Usage: "`FORMAT` of the output: table, json (an object a line), csv"},
			&cli.BoolFlag{Name: "json", Usage: "the same as --format json"},
			&cli.BoolFlag{Name: "csv", Usage: "the same as --format csv"},
			&cli.BoolFlag{Name: "row-json", Usage: "the rows are whole ones of a view: write each as the event that it was"},
			&cli.StringFlag{Name: "memory", Value: "1GiB", Usage: "memory limit of DuckDB (`SIZE`)"},
			&cli.IntFlag{Name: "threads", Usage: "threads of DuckDB (0: one a core, at most 4)"},
		},
		Action: run,
	}
}

// FilesCommand returns the command files.
func FilesCommand() *cli.Command {
	return &cli.Command{
		Name:      "files",
		Usage:     "list the files that a lake has committed",
		UsageText: "leat files --lake DIR [--json]",
		Description: "Writes the absolute path of each committed Parquet file, one a line. Only these count: a glob over the folder may see files " +
			"that are not committed yet, or not any more.\n\n" +
			"EXAMPLES\n" +
			"   leat files --lake lake\n" +
			"   python3 -c 'import duckdb,subprocess as s; f=s.check_output([\"leat\",\"files\",\"--lake\",\"lake\"],text=True).split(\"\\n\")[:-1]; " +
			"print(duckdb.read_parquet(f, union_by_name=True).count(\"*\"))'",
		Flags: []cli.Flag{
			lakeFlag(),
			&cli.BoolFlag{Name: "json", Usage: "write what the log knows of each file as a JSON object a line"},
		},
		Action: files,
	}
}

func lakeFlag() cli.Flag {
	return &cli.StringFlag{Name: "lake", Usage: "the lake's folder (`DIR`); required"}
}

func open(c *cli.Context) (*lake.Lake, error) {
	dir := c.String("lake")
	if dir == "" {
		return nil, leatcli.Usagef("--lake: give the folder of the lake")
	}
	l, err := lake.Open(dir)
	if errors.Is(err, lake.ErrNoLake) || errors.Is(err, lake.ErrFormat) {
		return nil, leatcli.Usage(err)
	}
	return l, err
}

func run(c *cli.Context) (err error) {
	if c.NArg() != 1 {
		return leatcli.Usagef("give one SQL statement as the only argument, in quotes; got %d arguments", c.NArg())
	}
	format, err := formatOf(c)
	if err != nil {
		return err
	}
	mem, err := leatcli.ParseSize(c.String("memory"))
	if err != nil || mem < 64<<20 {
		return leatcli.Usagef("--memory: %q is no size of 64MiB or more", c.String("memory"))
	}
	if c.Int("threads") < 0 {
		return leatcli.Usagef("--threads: %d is less than 0", c.Int("threads"))
	}
	l, err := open(c)
	if err != nil {
		return err
	}
	tmp, err := os.MkdirTemp("", "leat-query-")
	if err != nil {
		return fmt.Errorf("folder for DuckDB to spill to: %w", err)
	}
	defer os.RemoveAll(tmp)
	ctx, stop := signal.NotifyContext(c.Context, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	db, err := query.Open(ctx, l, query.Config{Memory: mem, Threads: c.Int("threads"), TempDir: tmp})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return answer(ctx, db, c.Args().First(), format)
}

// formatOf returns the wanted format; --row-json makes it "event".
func formatOf(c *cli.Context) (string, error) {
	format, given := c.String("format"), c.IsSet("format")
	for _, f := range []struct{ flag, format string }{{"json", "json"}, {"csv", "csv"}, {"row-json", "event"}} {
		if !c.Bool(f.flag) {
			continue
		}
		if given && format != f.format {
			return "", leatcli.Usagef("--%s: another format was asked for too", f.flag)
		}
		format, given = f.format, true
	}
	switch format {
	case "table", "json", "csv", "event":
		return format, nil
	}
	return "", leatcli.Usagef("--format: %q is none of table, json, csv", format)
}

func answer(ctx context.Context, db *query.DB, stmt, format string) error {
	if format == "event" {
		stmt = query.AsEvents(stmt)
	}
	rows, err := db.Select(ctx, stmt)
	if err != nil {
		// What DuckDB says of a statement shows the place; it is the user's to mend.
		return leatcli.Usage(err)
	}
	defer rows.Close()
	out := bufio.NewWriterSize(os.Stdout, 64<<10)
	switch format {
	case "json":
		err = writeJSON(out, rows)
	case "csv":
		err = writeCSV(out, rows)
	case "event":
		err = writeEvents(out, rows)
	default:
		err = writeTable(out, rows, terminalWidth())
	}
	if err == nil {
		err = out.Flush()
	}
	if errors.Is(err, syscall.EPIPE) {
		return stage.ErrClosed
	}
	return err
}

func files(c *cli.Context) error {
	if c.NArg() > 0 {
		return leatcli.Usagef("unexpected argument %q", c.Args().First())
	}
	l, err := open(c)
	if err != nil {
		return err
	}
	s, err := l.State()
	if err != nil {
		return err
	}
	out := bufio.NewWriter(os.Stdout)
	for _, f := range s.Sorted() {
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
	if err := out.Flush(); errors.Is(err, syscall.EPIPE) {
		return stage.ErrClosed
	} else {
		return err
	}
}
