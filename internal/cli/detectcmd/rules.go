package detectcmd

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/urfave/cli/v2"

	frame "leat/internal/cli"
	"leat/pkg/detect"
	"leat/pkg/event"
	"leat/pkg/sigma"
	"leat/pkg/stage"
)

// maxEvent is the most that explain reads.
const maxEvent = 16 << 20

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
				Description: `EVENT is a JSON object, @FILE for the first object of a file, or - for standard input. Without --rule: the rules that match.

   detect rules explain --rule 6f6f3b0e-6f0e-4f36-9d0c-0f3a1b7c5a01 '{"user":{"department":"Development"}}'`,
				Flags: append(ruleFlags(), routingFlag(),
					&cli.StringFlag{Name: "rule", Usage: "explain the rule with this `ID`, title or part of its file's name, matched or not"},
				),
				Action: explain,
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

func explain(c *cli.Context) error {
	if c.NArg() != 1 {
		return frame.Usagef("explain takes one EVENT: a JSON object, @FILE or -")
	}
	return explainEvent(c, c.Args().First(), c.String("rule"))
}

// explainEvent says why rules match the event that arg names, or why the wanted one does not.
func explainEvent(c *cli.Context, arg, wanted string) error {
	on, err := routing(c)
	if err != nil {
		return err
	}
	line, err := eventText(arg)
	if err != nil {
		return frame.Usage(err)
	}
	var e event.Event
	e.Reset(line)
	if err := e.Parse(); err != nil {
		return frame.Usage(err)
	}
	all, faults, err := loadAll(c)
	if err != nil {
		return err
	}
	rules := all.Rules
	for _, f := range faults {
		fmt.Fprintln(os.Stderr, f.Error())
	}
	if wanted != "" {
		rules = slices.DeleteFunc(rules, func(r *sigma.Rule) bool {
			return r.ID != wanted && !strings.EqualFold(r.Title, wanted) && !strings.Contains(r.File, wanted)
		})
		if len(rules) == 0 {
			return frame.Usagef("--rule: no rule %q among those loaded; `detect rules list` names them", wanted)
		}
	}
	x, err := detect.NewExplainer(rules, all.Fields)
	if err != nil {
		return err
	}
	found, err := x.Explain(&e)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.App.Writer, "log sources of the event: %s\n", x.Sources(&e))
	shown := 0
	for i := range found {
		if wanted != "" || found[i].Raises(on) {
			found[i].Write(c.App.Writer, on)
			shown++
		}
	}
	if shown == 0 {
		fmt.Fprintf(c.App.Writer, "none of %d rules matches; name one with --rule to see why not\n", len(rules))
	}
	return nil
}

// eventText returns the first JSON value of what arg names, on one line.
func eventText(arg string) ([]byte, error) {
	in := io.Reader(strings.NewReader(arg))
	switch {
	case arg == "-":
		in = os.Stdin
	case strings.HasPrefix(arg, "@"):
		f, err := os.Open(arg[1:])
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	var raw json.RawMessage
	if err := json.NewDecoder(io.LimitReader(in, maxEvent)).Decode(&raw); err != nil {
		return nil, fmt.Errorf("read the event: %w", err)
	}
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return nil, fmt.Errorf("read the event: %w", err)
	}
	return b.Bytes(), nil
}
