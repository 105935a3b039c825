// Package respondcmd is the command `respond`.
package respondcmd

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	frame "leat/internal/cli"
	"leat/pkg/respond"
	"leat/pkg/stage"
)

// Command returns the command.
func Command() *cli.Command {
	return &cli.Command{
		Name:      "respond",
		Usage:     "run guarded actions for alerts; by default only tell what would be run",
		UsageText: "respond -c playbook.yaml [--enforce --state DIR] < events > events",
		Description: `Events pass unchanged. For each alert that a play matches, respond runs the play's actions (a program, a webhook) and
tells every step on the stream, behind the alert. Without --enforce nothing is run: the steps say what would be.

   detect -r rules < events.ndjson | respond -c playbook.yaml
   detect -r rules | respond -c playbook.yaml --enforce --state /var/lib/leat | persist --lake ./lake
   respond -c playbook.yaml --check

A playbook:

   plays:
     - name: lock-intruder
       when: {rule: ["payroll-*"], severity: ">= high"}
       target: user.name
       actions:
         - exec: {argv: [/usr/local/sbin/lock-user], timeout: 10s}
         - webhook: {url: "https://hooks.example.com/soc", secret_env: SOC_SECRET}
           notify: true
   allow:  {users: [administrator], groups: [Domain Admins], hosts: [dc*], cidrs: [10.0.0.0/24]}
   budget: {total: {max: 20, per: 1h}, per_action: {max: 5, per: 1h}}

With --enforce each action is journaled in DIR/respond before and after it is run, and never run again for the same
alert, whatever is replayed or restarted. One that a crash cut off is run again with the same key. Who is on the
allow-list is never acted on. Beyond the budget actions halt until --lift-halt; the exit status is then 3.

It believes the alerts on its input: put it right behind detect.

NOT YET: undo and leases (an action that ends by itself), approval by a person, budgets by department, and actors of its
own for directories (AD) and firewalls (nftables): use exec for these.`,
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: "config", Aliases: []string{"c"}, Usage: "playbook `FILE` (docs/06-respond.md)"},
			&cli.BoolFlag{Name: "enforce", Usage: "run the actions; needs --state"},
			&cli.StringFlag{Name: "state", Usage: "`DIR` of the journal"},
			&cli.StringFlag{Name: "state-missing", Value: "fail", Usage: "`WHAT` to do where the journal knows nothing of the mark at which the stream goes on: fail, or empty (begin anew)"},
			&cli.BoolFlag{Name: "lift-halt", Usage: "end the halts that used-up budgets caused in earlier runs"},
			&cli.BoolFlag{Name: "check", Usage: "check the playbook and stop"},
		}, frame.CommonFlags()...),
		Action: run,
	}
}

func run(c *cli.Context) error {
	if c.String("config") == "" {
		return frame.Usagef("no -c playbook.yaml")
	}
	if c.Bool("check") {
		_, err := respond.LoadPlaybook(c.String("config"))
		return frame.Usage(err)
	}
	var s *respond.Stage
	err := frame.RunFilter(c, "respond", false, func(env *frame.Env) (stage.Stage, error) {
		var err error
		s, err = build(c, env)
		return s, err
	})
	return verdict(err, s)
}

func build(c *cli.Context, env *frame.Env) (*respond.Stage, error) {
	load := func() (*respond.Playbook, error) { return respond.LoadPlaybook(c.String("config")) }
	missing := c.String("state-missing")
	if missing != "fail" && missing != "empty" {
		return nil, frame.Usagef("--state-missing: %q is neither fail nor empty", missing)
	}
	if c.Bool("enforce") && c.String("state") == "" {
		return nil, frame.Usagef("--enforce needs --state DIR: without a journal a restart would repeat actions")
	}
	book, err := load()
	if err != nil {
		return nil, err
	}
	return respond.New(respond.Config{
		Playbook: book, Load: load, Enforce: c.Bool("enforce"), State: c.String("state"),
		StateMissing: missing == "empty", LiftHalt: c.Bool("lift-halt"), Log: env.Log,
	})
}

// verdict gives what the run ended with its exit code.
func verdict(err error, s *respond.Stage) error {
	var damage *respond.DamageError
	switch {
	case errors.Is(err, respond.ErrHeld), errors.As(err, &damage):
		return frame.Attention(err)
	case errors.Is(err, respond.ErrOtherLake), errors.Is(err, respond.ErrNoState):
		return frame.Usage(err)
	case err != nil || s == nil:
		return err
	}
	if err := s.Broken(); err != nil {
		return frame.Attention(fmt.Errorf("actions were withheld: %w", err))
	}
	for scope, why := range s.Halted() {
		if scope == "" {
			scope = "all actions"
		}
		return frame.Attention(fmt.Errorf("%s halted: %s; --lift-halt ends that", scope, why))
	}
	return nil
}
