// Package normalizecmd is the command normalize.
package normalizecmd

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	frame "leat/internal/cli"
	"leat/pkg/normalize"
	"leat/pkg/normalize/drift"
	"leat/pkg/ocsf"
	"leat/pkg/redact"
	"leat/pkg/stage"
)

// Command returns the command.
func Command() *cli.Command {
	return &cli.Command{
		Name:      "normalize",
		Usage:     "give every source's records the names of the Elastic Common Schema",
		UsageText: "normalize [--mappings DIR]... [options] < records > events\n   normalize check|test|explain|fields|list [options]",
		Description: `Takes raw lines, records as ingest wraps them, and JSON objects. A mapping (a YAML file) recognises a record, parses it and
says which of its fields is which: userIP here and "source IP" there are source.ip, always. What a mapping has no
place for stays under the dataset's own object; what no mapping knows goes on as it is.

   ingest /var/log/auth.log | normalize | jq -c '[.user.name, .source.ip, .event.outcome]'
   normalize --dataset nginx.access < access.log
   normalize --mappings ./mappings test
   echo '<38>Nov 24 08:17:44 h sshd[1]: Failed password for bob from 192.0.2.7 port 22 ssh2' | normalize explain

   head -20 strange.log | normalize new acme.gateway > mappings/acme-gateway.yaml

   ... | normalize --schema ocsf | jq -c '[.class_name, .activity_name, .status]'
   ... | normalize --redact redact.yaml | jq -c .user`,
		Flags: append([]cli.Flag{
			mappingsFlag(),
			&cli.StringFlag{Name: "dataset", Usage: "mapping or dataset (`NAME`) of records that bear none; else they are recognised by themselves"},
			&cli.StringFlag{Name: "schema", Value: "ecs", Usage: "`SCHEMA` to write: ecs, or ocsf (for the end of the pipe: detect and persist read ecs)"},
			&cli.StringFlag{Name: "original", Value: "keep", Usage: "event.original: keep, drop, or errors (only where a record failed)"},
			&cli.StringFlag{Name: "join", Usage: "make one event of the records of each event; `WHAT` is auditd"},
			&cli.StringFlag{Name: "redact", Usage: "take values out, or put pseudonyms in their place, as the rules in `FILE` say"},
			&cli.StringFlag{Name: "tz", Value: "UTC", Usage: "`ZONE` of times without one, such as Europe/Budapest"},
			&cli.BoolFlag{Name: "drift", Usage: "tell with events of their own (event.dataset leat.drift) when a dataset's fields change"},
			&cli.IntFlag{Name: "drift-learn", Value: 10000, Usage: "events of a dataset (`N`) that --drift learns from before it tells anything"},
			&cli.StringFlag{Name: "state", Usage: "`DIR` in which --drift keeps under the marks what it learned (default: every start learns anew)"},
			&cli.StringFlag{Name: "state-missing", Value: "fail", Usage: "where --state does not have the mark at which the stream goes on: fail, or empty (learn anew)"},
		}, frame.CommonFlags()...),
		Action: run,
		Subcommands: []*cli.Command{
			{Name: "check", Usage: "compile every mapping", Flags: []cli.Flag{mappingsFlag()}, Action: check},
			{Name: "test", Usage: "run the tests in every mapping (exit 3 where one fails)", Flags: []cli.Flag{mappingsFlag()}, Action: test},
			{Name: "list", Usage: "list the mappings with their datasets", Flags: []cli.Flag{mappingsFlag()}, Action: list},
			{Name: "fields", Usage: "list the fields that a mapping writes", ArgsUsage: "MAPPING", Flags: []cli.Flag{mappingsFlag()}, Action: fields},
			{Name: "new", Usage: "draft a mapping from sample lines on standard input, for a person to finish", ArgsUsage: "NAME", Action: draft},
			{Name: "explain", Usage: "show for each line on standard input which mapping took it and what came out", Flags: []cli.Flag{mappingsFlag(), &cli.StringFlag{Name: "dataset", Usage: "`NAME` of the mapping or dataset"}}, Action: explain},
		},
	}
}

func mappingsFlag() cli.Flag {
	return &cli.StringSliceFlag{Name: "mappings", Usage: "read mappings of `DIR` too; one replaces a built-in one of its name; repeatable"}
}

func load(c *cli.Context) (*normalize.Mappings, error) {
	var dirs []string
	for _, l := range c.Lineage() {
		if l.Command != nil {
			dirs = append(dirs, l.StringSlice("mappings")...)
		}
	}
	m, err := normalize.Load(dirs...)
	return m, frame.Usage(err)
}

func run(c *cli.Context) error {
	return frame.RunFilter(c, "normalize", true, func(env *frame.Env) (stage.Stage, error) {
		schema := c.String("schema")
		if schema != "ecs" && schema != "ocsf" {
			return nil, frame.Usagef("--schema: %q is none of ecs, ocsf", schema)
		}
		o := normalize.Original(c.String("original"))
		if o != normalize.KeepOriginal && o != normalize.DropOriginal && o != normalize.ErrorsOriginal {
			return nil, frame.Usagef("--original: %q is none of keep, drop, errors", o)
		}
		zone, err := time.LoadLocation(c.String("tz"))
		if err != nil {
			return nil, frame.Usagef("--tz: %w", err)
		}
		m, err := load(c)
		if err != nil {
			return nil, err
		}
		var first stage.Stage = normalize.New(normalize.Config{
			Mappings: m, Dataset: c.String("dataset"), Original: o, Zone: zone, Counters: env.Counters.Set(),
		})
		switch join := c.String("join"); join {
		case "":
		case "auditd":
			first = normalize.NewAuditJoin(stage.Parallel(first, env.Workers))
		default:
			return nil, frame.Usagef("--join: %q is none of auditd", join)
		}
		list := []stage.Stage{first}
		if path := c.String("redact"); path != "" {
			rules, err := redact.Load(path, os.Getenv)
			if err != nil {
				return nil, err
			}
			list = append(list, redact.New(rules))
		}
		if missing := c.String("state-missing"); missing != "fail" && missing != "empty" {
			return nil, frame.Usagef("--state-missing: %q is none of fail, empty", missing)
		}
		if n := c.Int("drift-learn"); n < 1 {
			return nil, frame.Usagef("--drift-learn: expected a number from 1 on, found %d", n)
		}
		if c.Bool("drift") {
			list = append(list, drift.New(drift.Config{
				Learn: c.Int("drift-learn"), State: c.String("state"), StateMissing: c.String("state-missing") == "empty",
			}))
		}
		if schema == "ocsf" {
			s, err := ocsf.New(nil)
			if err != nil {
				return nil, err
			}
			list = append(list, s)
		}
		return link(env.Workers, list...), nil
	})
}

func check(c *cli.Context) error {
	m, err := load(c)
	if err == nil {
		err = m.Check()
	}
	if err == nil {
		fmt.Fprintf(c.App.Writer, "%d mappings, no fault\n", len(m.List()))
	}
	return err
}

func test(c *cli.Context) error {
	m, err := load(c)
	if err != nil {
		return err
	}
	n, faults := m.Test()
	for _, f := range faults {
		fmt.Fprintln(c.App.Writer, f)
	}
	fmt.Fprintf(c.App.Writer, "%d tests, %d failed\n", n, len(faults))
	if len(faults) > 0 {
		return frame.Attention(fmt.Errorf("%d of %d mapping tests failed", len(faults), n))
	}
	return nil
}

func list(c *cli.Context) error {
	m, err := load(c)
	if err != nil {
		return err
	}
	for _, i := range m.List() {
		fmt.Fprintf(c.App.Writer, "%-24s %-20s %s\n", i.Name, i.Dataset, i.About)
	}
	return nil
}

func fields(c *cli.Context) error {
	m, err := load(c)
	if err != nil {
		return err
	}
	names := m.Fields(c.Args().First())
	if names == nil {
		return frame.Usagef("no mapping %q; `normalize list` lists them", c.Args().First())
	}
	for _, n := range names {
		fmt.Fprintln(c.App.Writer, n)
	}
	return nil
}

// maxSamples is how many lines a draft is made from.
const maxSamples = 1000

func draft(c *cli.Context) error {
	if c.NArg() != 1 {
		return frame.Usagef("expected the new mapping's name, such as acme.gateway")
	}
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, stage.DefaultMaxLine)
	var samples [][]byte
	for len(samples) < maxSamples && in.Scan() {
		if len(bytes.TrimSpace(in.Bytes())) > 0 {
			samples = append(samples, bytes.Clone(in.Bytes()))
		}
	}
	if err := in.Err(); err != nil {
		return err
	}
	text, err := normalize.Draft(c.Args().First(), samples)
	if err != nil {
		return frame.Usage(err)
	}
	fmt.Fprint(c.App.Writer, text)
	return nil
}
