package detectcmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	frame "leat/internal/cli"
	"leat/pkg/detect"
	"leat/pkg/sigma"
	"leat/pkg/stage"
)

func rulesCommand() *cli.Command {
	return &cli.Command{
		Name:  "rules",
		Usage: "look at rules: are they well formed, which are there, why did one match or not",
		Subcommands: []*cli.Command{
			{
				Name: "check", Usage: "read rules and say what is wrong with them (exit 3 if anything is)",
				Description: "Every document is either counted as fine or told with file, line, key and reason.\n\n   detect rules check -r ./my-rules",
				Flags:       ruleFlags(),
				Action:      check,
			},
			{
				Name: "list", Usage: "list rules",
				Description: "   detect rules list | grep linux\n   detect rules list --json -r ./sigma/rules | jq -r 'select(.level==\"critical\").title'",
				Flags:       append(ruleFlags(), &cli.BoolFlag{Name: "json", Usage: "a JSON object a line"}),
				Action:      list,
			},
			{
				Name: "explain", Usage: "say why rules match an event, or why not", ArgsUsage: "EVENT",
				Description: `EVENT is a JSON object, @FILE for the first object of a file, or - for standard input. Without --rule: the rules that match, and
what correlations make of it. With --stream all objects of the file are taken one after the other, as detect would take them.

   detect rules explain --rule 6f6f3b0e-6f0e-4f36-9d0c-0f3a1b7c5a01 '{"user":{"department":"Development"}}'
   detect rules explain --stream --rule many_failed @logins.ndjson           # which group, how many of how many, until when`,
				Flags: append(ruleFlags(), append(explainFlags(),
					&cli.StringFlag{Name: "rule", Usage: "explain the rule or correlation with this `ID`, name, title or part of its file's name, matched or not"},
				)...),
				Action: explain,
			},
			{
				Name: "test", Usage: "run the tests beside rules (exit 3 where one fails, or none is there)",
				Description: `The tests of the rules in NAME.yml stand in NAME.test.yml: events, or streams of them, that must raise a rule or must not.

   tests:
     - name: from a server
       raises: true
       event: {"@timestamp": "2026-11-24T08:00:00Z", "process": {"name": "nc"}}
     - name: ten within a minute
       raises: true
       rule: many_failed          # id, name or title, where several rules of the file raise alerts
       events: [{event: {"@timestamp": "2026-11-24T08:00:00Z", "event": {"outcome": "failure"}}, repeat: 10, every: 5s}]

   detect rules test -r ./my-rules`,
				Flags:  append(ruleFlags(), routingFlag()),
				Action: runTests,
			},
			coverageCommand(),
			convertCommand(),
			fetchCommand(),
		},
	}
}

// loadAll reads the rules that -r names; faults come back whether in files or folders.
func loadAll(c *cli.Context) (*detect.Loaded, []*sigma.Fault, error) {
	l, err := detect.Load(sources(c))
	if err != nil {
		return nil, nil, frame.Usage(err)
	}
	return l, slices.Concat(l.Fatal, l.Faults), nil
}

func check(c *cli.Context) error {
	if c.Args().Present() {
		return frame.Usagef("unexpected argument %q; rules are named with -r", c.Args().First())
	}
	all, faults, err := loadAll(c)
	if err != nil {
		return err
	}
	list := all.Rules
	x, err := detect.NewExplainer(list, all.Fields)
	if err != nil {
		return err
	}
	for _, f := range faults {
		fmt.Fprintln(c.App.Writer, f.Error())
	}
	for _, sel := range all.Unused {
		fmt.Fprintf(c.App.Writer, "note: the selector %q names no rule\n", sel)
	}
	for _, r := range list {
		if !x.Reached(r.LogSource) {
			fmt.Fprintf(c.App.Writer, "%s:%d: note: no known channel or dataset is of log source %s; the rule sees only events of unknown source (rule %s)\n",
				r.File, r.Line, r.LogSource, r.ID)
		}
	}
	fmt.Fprintf(c.App.Writer, "%d rules are fine, %d documents are not\n", len(list)+len(all.Correlations)+len(all.Filters), len(faults))
	if n, m := len(all.Correlations), len(all.Filters); n+m > 0 {
		fmt.Fprintf(c.App.Writer, "of the rules %d are correlations and %d are filters\n", n, m)
	}
	if len(faults) > 0 {
		return frame.Attention(errors.New("rules with faults; each was named above"))
	}
	return nil
}

func list(c *cli.Context) error {
	if c.Args().Present() {
		return frame.Usagef("unexpected argument %q; rules are named with -r", c.Args().First())
	}
	all, faults, err := loadAll(c)
	if err != nil {
		return err
	}
	rules := all.Rules
	for _, f := range faults {
		fmt.Fprintln(os.Stderr, f.Error())
	}
	if c.Bool("json") {
		enc := json.NewEncoder(c.App.Writer)
		enc.SetEscapeHTML(false)
		for _, r := range rules {
			if err := enc.Encode(map[string]any{
				"id": r.ID, "title": r.Title, "level": r.Level.String(), "status": r.Status, "logsource": r.LogSource.String(),
				"tags": r.Tags, "file": r.File, "line": r.Line,
			}); err != nil {
				return quiet(err)
			}
		}
		for _, r := range all.Correlations {
			var refs []string
			for i := range r.Rules {
				refs = append(refs, r.Rules[i].Name)
			}
			if err := enc.Encode(map[string]any{
				"id": r.ID, "title": r.Title, "level": r.Level.String(), "status": r.Status, "correlation": r.Type.String(), "rules": refs,
				"tags": r.Tags, "file": r.File, "line": r.Line,
			}); err != nil {
				return quiet(err)
			}
		}
		return nil
	}
	w := tabwriter.NewWriter(c.App.Writer, 0, 0, 2, ' ', 0)
	for _, r := range rules {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", r.Level, r.LogSource, r.Title, r.ID)
	}
	for _, r := range all.Correlations {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", r.Level, r.Type, r.Title, r.ID)
	}
	return quiet(w.Flush())
}

// quiet turns the going of our reader into a reason to end without a word.
func quiet(err error) error {
	if errors.Is(err, syscall.EPIPE) {
		return stage.ErrClosed
	}
	return err
}

func runTests(c *cli.Context) error {
	if c.Args().Present() {
		return frame.Usagef("unexpected argument %q; rules are named with -r", c.Args().First())
	}
	on, err := routing(c)
	if err != nil {
		return err
	}
	ran, failed := 0, 0
	err = detect.Test(sources(c), on, func(r detect.TestResult) {
		if ran++; r.Fault != "" {
			failed++
			fmt.Fprintf(c.App.Writer, "%s:%d: test %q: %s: %s\n", r.File, r.Line, r.Name, r.Rule, r.Fault)
		}
	})
	if err != nil {
		return frame.Usage(err)
	}
	fmt.Fprintf(c.App.Writer, "%d tests, %d failed\n", ran, failed)
	switch {
	case failed > 0:
		return frame.Attention(fmt.Errorf("%d of %d rule tests failed; detect rules explain says why", failed, ran))
	case ran == 0:
		return frame.Attention(errors.New("no tests; those of NAME.yml stand beside it in NAME.test.yml"))
	}
	return nil
}
