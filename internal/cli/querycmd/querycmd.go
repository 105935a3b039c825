// Package querycmd is the command lines of `leat query` and `leat files`.
package querycmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

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
		UsageText: "leat query --lake DIR [options] \"SQL\"\n   leat query --lake DIR [options] -f FILE\n   leat query --schema",
		Description: "Runs one statement that only reads, over the views events, alerts, errors and everything. Columns are the event's fields " +
			"(source.ip, user.name, event.category), dataset and date of the partition, and rest: the JSON text of the fields that have no " +
			"column. --schema lists them with what they mean. The statement sees one state of the lake, and reaches nothing else: no other file, no network.\n\n" +
			"A condition on \"@timestamp\", date or dataset, or --since, leaves out files by what the lake's log says of them; --explain shows which.\n\n" +
			"EXAMPLES\n" +
			"   leat query --lake lake --since 1h \"SELECT source.ip, count(*) AS n FROM events WHERE event.outcome = 'failure' GROUP BY ALL ORDER BY n DESC LIMIT 10\"\n" +
			"   leat query --lake lake --json 'FROM alerts SELECT \"@timestamp\", rule.name, user.name'\n" +
			"   leat query --lake lake --param who=\"o'brien\" 'FROM events SELECT message WHERE user.name = $who'\n" +
			"   leat query --lake lake \"SELECT rest->>'$.linux.auth.method' AS method, count(*) FROM events GROUP BY 1\"\n" +
			"   leat query --lake lake --hot --since 5m \"SELECT count(*) FROM events\"        also what is not committed yet\n" +
			"   leat query --lake lake --parquet failures.parquet \"FROM events WHERE event.outcome = 'failure'\"\n" +
			"   leat query --lake lake --row-json \"FROM events WHERE dataset = 'linux.auth'\" | detect -r rules",
		Flags: []cli.Flag{
			lakeFlag(),
			&cli.StringFlag{Name: "file", Aliases: []string{"f"}, Usage: "read the statement from `FILE` (-: standard input, also taken where no statement is given)"},
			&cli.StringSliceFlag{Name: "param", Usage: "`NAME=VALUE` for $NAME in the statement, as it stands: it needs no quoting; repeatable"},
			&cli.StringFlag{Name: "since", Usage: "only events from `TIME` on: 1h, 7d (before now), 2026-11-24, 2026-11-24T08:00:00Z"},
			&cli.StringFlag{Name: "until", Usage: "only events before `TIME`, written as for --since"},
			&cli.BoolFlag{Name: "hot", Usage: "also what running persists have taken in and not committed yet, at most about a second late"},
			&cli.StringFlag{Name: "format", Value: "table", Usage: "`FORMAT` of the output: table, json (an object a line), csv"},
			&cli.BoolFlag{Name: "json", Usage: "the same as --format json"},
			&cli.BoolFlag{Name: "csv", Usage: "the same as --format csv"},
			&cli.BoolFlag{Name: "row-json", Usage: "the rows are whole ones of a view: write each as the event that it was"},
			&cli.StringFlag{Name: "parquet", Usage: "write the rows to a Parquet `FILE`"},
			&cli.StringFlag{Name: "output", Usage: "write to `FILE`, which is there only when it is whole"},
			&cli.BoolFlag{Name: "explain", Usage: "do not run it: show which files, row groups and columns it reads, and DuckDB's plan"},
			&cli.BoolFlag{Name: "analyze", Usage: "run it, throw the rows away, and show --explain with what each step did, the time, and the bytes that were read"},
			&cli.BoolFlag{Name: "schema", Usage: "list the columns, their types and what they mean; with --json as JSON"},
			&cli.StringFlag{Name: "memory", Value: "1GiB", Usage: "memory limit of DuckDB (`SIZE`); beyond it, it spills to a folder in $TMPDIR"},
			&cli.IntFlag{Name: "threads", Usage: "threads of DuckDB (0: one a core, at most 4)"},
		},
		Action: run,
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

// request is what the command line asks for.
type request struct {
	sql     string
	params  map[string]string
	format  string // table, json, csv, event, parquet, explain or analyze
	output  string
	config  query.Config
	started time.Time

	mu    sync.Mutex
	leave []string // what must not be left behind
}

func run(c *cli.Context) error {
	r := &request{started: time.Now()}
	if c.Bool("schema") {
		return quiet(schema(c))
	}
	if err := r.read(c); err != nil {
		return err
	}
	var err error
	if r.sql, err = statement(c); err != nil {
		return err
	}
	l, err := open(c)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(c.Context, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	defer context.AfterFunc(ctx, func() { r.insist(stop) })()
	err = r.answer(ctx, l)
	if ctx.Err() != nil && err != nil {
		return &interrupted{}
	}
	var bad *query.StatementError
	if errors.As(err, &bad) {
		return leatcli.Usage(errors.New(hint(r.sql, err.Error())))
	}
	return quiet(err)
}

// patience is how long after a signal a statement may take to end by itself.
const patience = 2 * time.Second

// insist ends the process where a signal does not: a write to a pipe that nobody reads can't be woken. A second signal ends it at once.
func (r *request) insist(stop func()) {
	stop()
	time.Sleep(patience)
	r.mu.Lock()
	for _, path := range r.leave {
		_ = os.RemoveAll(path)
	}
	os.Exit(leatcli.ExitInterrupted)
}

// removeLater has insist remove a path.
func (r *request) removeLater(path string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.leave = append(r.leave, path)
}

// interrupted is the end by a signal, whatever DuckDB says of it.
type interrupted struct{}

func (*interrupted) Error() string { return "interrupted" }
func (*interrupted) Unwrap() error { return context.Canceled }

// quiet is for a reader of our output that has gone, as head does: no error.
func quiet(err error) error {
	if errors.Is(err, syscall.EPIPE) {
		return stage.ErrClosed
	}
	return err
}

// read takes all options but the statement.
func (r *request) read(c *cli.Context) (err error) {
	if r.format, err = formatOf(c); err != nil {
		return err
	}
	if r.output = c.String("output"); r.format == "parquet" {
		if r.output != "" {
			return leatcli.Usagef("--output: --parquet names the file already")
		}
		r.output = c.String("parquet")
	}
	if r.params, err = params(c.StringSlice("param")); err != nil {
		return err
	}
	r.config.Hot, r.config.Threads = c.Bool("hot"), c.Int("threads")
	if r.config.Memory, err = leatcli.ParseSize(c.String("memory")); err != nil || r.config.Memory < 64<<20 {
		return leatcli.Usagef("--memory: %q is no size of 64MiB or more", c.String("memory"))
	}
	if r.config.Threads < 0 || r.config.Threads > 1024 {
		return leatcli.Usagef("--threads: %d is not from 0 to 1024", r.config.Threads)
	}
	r.config.Since, r.config.Until, err = period(c, r.started)
	return err
}

// period reads --since and --until.
func period(c *cli.Context, now time.Time) (since, until time.Time, err error) {
	for flag, at := range map[string]*time.Time{"since": &since, "until": &until} {
		if s := c.String(flag); s != "" {
			if *at, err = moment(s, now); err != nil {
				return since, until, leatcli.Usagef("--%s: %w", flag, err)
			}
		}
	}
	if !since.IsZero() && !until.IsZero() && !since.Before(until) {
		return since, until, leatcli.Usagef("--until %s is not later than --since %s", c.String("until"), c.String("since"))
	}
	return since, until, nil
}

// formatOf returns the wanted format; --row-json makes it "event".
func formatOf(c *cli.Context) (string, error) {
	format, given := c.String("format"), ""
	if c.IsSet("format") {
		given = format
	}
	if !slices.Contains([]string{"table", "json", "csv"}, format) {
		return "", leatcli.Usagef("--format: %q is none of table, json, csv", format)
	}
	for _, f := range []struct{ flag, format string }{
		{"json", "json"}, {"csv", "csv"}, {"row-json", "event"}, {"parquet", "parquet"}, {"explain", "explain"}, {"analyze", "analyze"},
	} {
		if !c.IsSet(f.flag) || f.flag != "parquet" && !c.Bool(f.flag) {
			continue
		}
		if given != "" && given != f.format {
			return "", leatcli.Usagef("--%s: another format was asked for too", f.flag)
		}
		format, given = f.format, f.format
	}
	if format == "parquet" && c.String("parquet") == "" {
		return "", leatcli.Usagef("--parquet: give a file")
	}
	return format, nil
}

// params reads NAME=VALUE pairs.
func params(pairs []string) (map[string]string, error) {
	out := map[string]string{}
	for _, p := range pairs {
		name, value, ok := strings.Cut(p, "=")
		const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		if !ok || name == "" || !strings.ContainsRune(letters, rune(name[0])) || strings.Trim(name, letters+"0123456789_") != "" {
			return nil, leatcli.Usagef("--param %q: expected NAME=VALUE; a name begins with a letter and has letters, digits and _", p)
		}
		if _, twice := out[name]; twice {
			return nil, leatcli.Usagef("--param: %s is given twice", name)
		}
		if strings.ContainsRune(value, 0) {
			return nil, leatcli.Usagef("--param: %s holds a NUL", name)
		}
		out[name] = value
	}
	return out, nil
}

// answer runs the statement and writes what comes of it.
func (r *request) answer(ctx context.Context, l *lake.Lake) (err error) {
	tmp, err := os.MkdirTemp("", "leat-query-")
	if err != nil {
		return fmt.Errorf("folder for DuckDB to spill to: %w", err)
	}
	defer os.RemoveAll(tmp)
	r.removeLater(tmp)
	out, err := create(r.output)
	if err != nil {
		return leatcli.Usage(err)
	}
	defer out.discard()
	if out.name != "" {
		r.removeLater(out.path)
	}
	r.config.TempDir = tmp
	if r.format == "parquet" {
		r.config.Write = out.path
	}
	db, err := query.Open(ctx, l, r.config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := r.write(ctx, db, out); err != nil {
		return err
	}
	return out.finish()
}
