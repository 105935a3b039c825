// Package enrichcmd is the command `enrich`.
package enrichcmd

import (
	"github.com/urfave/cli/v2"

	frame "leat/internal/cli"
	"leat/pkg/enrich"
	"leat/pkg/stage"
)

// Command returns the command.
func Command() *cli.Command {
	config := &cli.StringFlag{Name: "config", Aliases: []string{"c"}, Usage: "dimensions and rules: `FILE` (docs/04-enrich.md)"}
	return &cli.Command{
		Name:      "enrich",
		Usage:     "add to each event what your tables, directory and feeds know of its users, hosts and addresses",
		UsageText: "enrich -c enrich.yaml [--state DIR] < events > events\n   enrich check | lookup | misses | retro",
		Description: `A dimension is a table in memory: a file (CSV, JSON, list, Parquet, MaxMind), Active Directory or LDAP (ldap:), a query
(sql:), a web service (http:), indicators of compromise (intel:), or what the stream itself says (learn: who had an address,
at that time). remote: asks for single keys instead. A rule joins a field of the event to it, by exact key, CIDR block, range
or domain suffix, and writes columns to fields. What an event already says stays, unless overwrite: true.

   ... | normalize | enrich -c enrich.yaml --state state | detect
   enrich check -c enrich.yaml                       loads all; rows, keys, empty cells, age
   enrich lookup -c enrich.yaml users jkovacs        one row as JSON; --at TIME as of then
   enrich misses --state state                       the keys that no row has, the most frequent first

An enrich.yaml:

   dimensions:
     users:    {file: users.csv, key: [id, sam, email], fold: true, max_age: 48h, history: {}}
     networks: {file: networks.csv, key: cidr, join: cidr}
     city:     {file: GeoLite2-City.mmdb}
     leases:   {learn: {preset: [dhcp, vpn]}}
     ioc:      {intel: {feeds: [{name: own, file: iocs.txt}]}}
   rules:
     - {field: source.ip, dimension: leases, set: {source.user.name: user.name, source.domain: host.name}}
     - {field: [user.id, user.name], dimension: users, status: true,
        set: {user.full_name: name, user.email: email, user.department: department}}
     - {field: destination.ip, dimension: networks, set: {host.office.country: country}}
     - {field: source.ip, dimension: city}           # without set: source.geo.* of ECS
     - {dimension: ioc}                              # threat.enrichments

Rows with times (valid_from, valid_to, history) answer as of the event's own time. What changes is loaded beside the work,
checked, and replaces the old at the next mark (in an unmarked pipe: between two batches). SIGHUP reads enrich.yaml again too.
What is broken, or has lost more than 30 % of its rows, is refused: the old snapshot stays in use, stderr says why, and an
event of the dataset leat.enrich does, of which detect makes an alert. With --state a restart has every table at once, also
while its source is away.`,
		Flags: append([]cli.Flag{
			config,
			stateFlag(),
			&cli.BoolFlag{Name: "force", Usage: "take, at the start, tables that lost more of their rows than max_shrink allows"},
			&cli.StringFlag{Name: "state-missing", Usage: "empty: go on where the state knows nothing of the mark; what was learned is forgotten (`WORD`)"},
		}, frame.CommonFlags()...),
		Action:      run,
		Subcommands: []*cli.Command{checkCommand(), lookupCommand(), missesCommand(), retroCommand()},
	}
}

func load(c *cli.Context) (*enrich.Config, error) {
	path := c.String("config")
	if path == "" {
		return nil, frame.Usagef("no -c enrich.yaml: which dimensions, which rules? See enrich --help for an example")
	}
	cfg, err := enrich.Load(path)
	return cfg, frame.Usage(err)
}

func run(c *cli.Context) error {
	err := frame.RunFilter(c, enrich.Name, false, func(env *frame.Env) (stage.Stage, error) {
		cfg, err := load(c)
		if err != nil {
			return nil, err
		}
		opt := options(c)
		opt.Log, opt.Metrics, opt.Force = env.Log, env.Counters.Set(), c.Bool("force")
		switch word := c.String("state-missing"); word {
		case "":
		case "empty":
			opt.StateMissing = true
		default:
			return nil, frame.Usagef("--state-missing %q; expected empty", word)
		}
		return enrich.New(cfg, opt)
	})
	return frame.Remembered(err, enrich.ErrNoState)
}

func stateFlag() cli.Flag {
	return &cli.StringFlag{Name: "state", Usage: "`DIR` for snapshots of dimensions (a warm start), what is learned, and the versions in use at each mark"}
}

// options are what the flags say.
func options(c *cli.Context) enrich.Options {
	var opt enrich.Options
	if dir := c.String("state"); dir != "" {
		opt = enrich.Under(dir)
	}
	return opt
}
