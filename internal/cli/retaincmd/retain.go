// Package retaincmd is the command retain.
package retaincmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/user"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	frame "leat/internal/cli"
	"leat/pkg/lake"
	"leat/pkg/retain"
)

// Command returns the command.
func Command() *cli.Command {
	return &cli.Command{
		Name:      "retain",
		Usage:     "decide what must stay in a lake, and take the rest out",
		UsageText: "retain plan|apply|sweep|hold|verify --lake DIR [-c policy.yaml] [options]",
		Description: `plan says for every file whether it stays and why; apply takes a plan's files out; sweep does both, empties the trash and
clears up behind crashes: run it from cron. It works beside a live pipeline. A legal hold wins over every rule.

   retain plan --lake ./lake -c policy.yaml
   retain plan --lake ./lake -c policy.yaml --json > plan.json && retain apply --lake ./lake plan.json
   retain hold add --lake ./lake --case 2026-17 --dataset 'linux.*' --from 2026-11-01
   */15 * * * *  retain sweep --lake /srv/lake -c /etc/leat/policy.yaml

   # policy.yaml
   rules:
     - {dataset: '*', kind: alert, keep: 7y}
     - {dataset: 'zeek.*', keep: 30d}
     - {dataset: '*', keep: 1y, by: commit}   # by: event (default) or commit
   quota: {total: 200GB, datasets: {'zeek.*': 50GB}}
   free: 10%
   order: ['zeek.*', 'nginx.*']     # what goes first where space is short
   trash: {keep: 1d}

It takes whole files. Not there yet: erase (rows of one person), compact, prove.`,
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return frame.Usagef("no command %q; see retain --help", c.Args().First())
			}
			return frame.Usagef("which command? One of plan, apply, sweep, hold, verify; see retain --help")
		},
		Subcommands: []*cli.Command{
			{Name: "plan", Usage: "say what stays, what goes, and why", Flags: append(common(), jsonFlag()), Action: plan},
			{Name: "apply", Usage: "take out what a plan (a file, or - for standard input) says", ArgsUsage: "PLAN", Flags: common(), Action: apply},
			{Name: "sweep", Usage: "plan, apply, empty the trash, clear up: for cron", Flags: common(), Action: sweep},
			{Name: "verify", Usage: "check the log's chain, read every file and compare it with the log (exit 3 where one differs)", Flags: []cli.Flag{lakeFlag(), partFlag()}, Action: verify},
			{Name: "hold", Usage: "keep files whatever a policy says", Subcommands: []*cli.Command{
				{Name: "add", Usage: "begin a hold", Flags: append(holdFlags(), lakeFlag()), Action: func(c *cli.Context) error { return hold(c, false) }},
				{Name: "release", Usage: "end a hold", Flags: append(holdFlags(), lakeFlag()), Action: func(c *cli.Context) error { return hold(c, true) }},
				{Name: "list", Usage: "list the holds in force", Flags: []cli.Flag{lakeFlag()}, Action: holds},
			}},
		},
	}
}

func lakeFlag() cli.Flag { return &cli.StringFlag{Name: "lake", Usage: "the lake's folder (`DIR`)"} }

func jsonFlag() cli.Flag {
	return &cli.BoolFlag{Name: "json", Usage: "print the plan as JSON, for apply"}
}

func partFlag() cli.Flag {
	return &cli.IntFlag{Name: "days", Value: 1, Usage: "read one part in `N` today and another tomorrow, so that a daily run has read all after N days"}
}

func common() []cli.Flag {
	return []cli.Flag{lakeFlag(), &cli.StringFlag{Name: "config", Aliases: []string{"c"}, Usage: "the policy (`FILE`)"}}
}

func holdFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "case", Usage: "`ID` of the case"},
		&cli.StringSliceFlag{Name: "dataset", Usage: "`GLOB` of datasets; repeatable (default: all)"},
		&cli.StringFlag{Name: "from", Usage: "first `DATE` (2006-01-02)"},
		&cli.StringFlag{Name: "to", Usage: "last `DATE`, inclusive"},
		&cli.StringFlag{Name: "why", Usage: "`WORDS` for the log"},
	}
}

func open(c *cli.Context) (*lake.Lake, error) {
	if c.String("lake") == "" {
		return nil, frame.Usagef("no --lake DIR")
	}
	l, err := lake.Open(c.String("lake"))
	return l, frame.Usage(err)
}

func policy(c *cli.Context) (*retain.Policy, error) {
	if c.String("config") == "" {
		return nil, frame.Usagef("no -c policy.yaml: what must stay, and for how long? See retain --help for an example")
	}
	p, err := retain.LoadPolicy(c.String("config"))
	return p, frame.Usage(err)
}

func planOf(l *lake.Lake, p *retain.Policy) (*retain.Plan, error) {
	s, err := l.State()
	if err != nil {
		return nil, err
	}
	disk, err := retain.DiskOf(l.Dir())
	if err != nil {
		return nil, err
	}
	return retain.Make(s, p, time.Now().UTC(), disk), nil
}

func plan(c *cli.Context) error {
	policy, err := policy(c)
	if err != nil {
		return err
	}
	l, err := open(c)
	if err != nil {
		return err
	}
	p, err := planOf(l, policy)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return json.NewEncoder(c.App.Writer).Encode(p)
	}
	show(c.App.Writer, p)
	return nil
}

func show(out io.Writer, p *retain.Plan) {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "\tDATASET\tDATE\tROWS\tBYTES\tWHY")
	for _, v := range p.Files {
		what := "stays"
		if v.Remove {
			what = "GOES"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%s\n", what, v.Dataset, v.Date, v.Rows, v.Bytes, v.Reason)
	}
	_ = w.Flush()
	gone, bytes := p.Removed()
	fmt.Fprintf(out, "%d of %d files go, %d bytes\n", len(gone), len(p.Files), bytes)
	for _, x := range p.Warnings {
		fmt.Fprintln(out, "warning:", x)
	}
}

func apply(c *cli.Context) error {
	if c.NArg() != 1 {
		return frame.Usagef("expected one plan, as `retain plan --json` prints it; - is standard input")
	}
	in := io.Reader(os.Stdin)
	if name := c.Args().First(); name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return frame.Usage(err)
		}
		defer f.Close()
		in = f
	}
	var p retain.Plan
	if err := json.NewDecoder(in).Decode(&p); err != nil {
		return frame.Usagef("plan: %w", err)
	}
	l, err := open(c)
	if err != nil {
		return err
	}
	k, err := keeper(l)
	if err != nil {
		return err
	}
	defer k.Close()
	gone, err := k.Apply(c.Context, &p)
	if errors.Is(err, retain.ErrChanged) || errors.Is(err, retain.ErrHeldNow) {
		return frame.Attention(err)
	}
	fmt.Fprintf(c.App.Writer, "%d files went to the trash\n", len(gone))
	return err
}

func keeper(l *lake.Lake) (*retain.Keeper, error) {
	k, err := retain.NewKeeper(l, who(), time.Now)
	if errors.Is(err, lake.ErrBusy) {
		return nil, frame.Attention(fmt.Errorf("another retain works on this lake: %w", err))
	}
	return k, err
}

func who() string {
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	host, _ := os.Hostname()
	return name + "@" + host
}

func sweep(c *cli.Context) error {
	p, err := policy(c)
	if err != nil {
		return err
	}
	l, err := open(c)
	if err != nil {
		return err
	}
	k, err := keeper(l)
	if err != nil {
		return err
	}
	defer k.Close()
	plan, err := planOf(l, p)
	if err != nil {
		return err
	}
	var relieved int64
	if plan.Purge {
		// First, because on a full disk nothing else can be written.
		if relieved, err = k.Relieve(c.Context); err != nil {
			return err
		}
	}
	gone, err := k.Apply(c.Context, plan)
	if errors.Is(err, retain.ErrHeldNow) {
		return frame.Attention(err)
	}
	if err != nil {
		return err
	}
	orphans, err := k.Orphans(c.Context)
	if err != nil {
		return err
	}
	keep := time.Duration(p.Trash.Keep)
	if plan.Purge {
		keep = 0
	}
	freed, err := k.Empty(c.Context, keep)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.App.Writer, "%d files went to the trash, %d were left over, %d bytes freed\n", len(gone), orphans, relieved+freed)
	late, err := k.Overdue(keep)
	if err != nil {
		return err
	}
	if late > 0 {
		plan.Warnings = append(plan.Warnings, fmt.Sprintf("%d bytes should be gone from the disk: a reader that is still open pins them", late))
	}
	if err := k.Reserve(); err != nil {
		plan.Warnings = append(plan.Warnings, err.Error())
	}
	if len(plan.Warnings) > 0 {
		return frame.Attention(errors.New(strings.Join(plan.Warnings, "; ")))
	}
	return nil
}

func verify(c *cli.Context) error {
	l, err := open(c)
	if err != nil {
		return err
	}
	days := c.Int("days")
	if days < 1 {
		return frame.Usagef("--days: %d is less than 1", days)
	}
	if _, err := l.VerifyLog(c.Context); errors.Is(err, lake.ErrChain) {
		return frame.Attention(err)
	} else if err != nil {
		return err
	}
	n, damaged, err := retain.Verify(c.Context, l, int(time.Now().Unix()/86400%int64(days)), days)
	if err != nil {
		return err
	}
	for _, d := range damaged {
		fmt.Fprintf(c.App.Writer, "%s: %s\n", d.Path, d.What)
	}
	fmt.Fprintf(c.App.Writer, "%d files, %d damaged\n", n, len(damaged))
	if len(damaged) > 0 {
		return frame.Attention(fmt.Errorf("%d of %d files are not what the log says", len(damaged), n))
	}
	return nil
}

func hold(c *cli.Context, release bool) error {
	l, err := open(c)
	if err != nil {
		return err
	}
	h := lake.Hold{Case: c.String("case"), Datasets: c.StringSlice("dataset"), From: c.String("from"), To: c.String("to"), Released: release}
	if h.Case == "" {
		return frame.Usagef("no --case ID")
	}
	if len(h.Datasets) == 0 {
		h.Datasets = []string{"*"}
	}
	for _, d := range []string{h.From, h.To} {
		if _, err := time.Parse(time.DateOnly, d); d != "" && err != nil {
			return frame.Usagef("%q is no date; expected such as 2026-11-24", d)
		}
	}
	return frame.Usage(retain.SetHold(c.Context, l, h, who(), c.String("why")))
}

func holds(c *cli.Context) error {
	l, err := open(c)
	if err != nil {
		return err
	}
	s, err := l.State()
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(s.Holds)) {
		h := s.Holds[id]
		fmt.Fprintf(c.App.Writer, "%s\t%s\t%s..%s\n", h.Case, strings.Join(h.Datasets, ","), h.From, h.To)
	}
	return nil
}
