package enrichcmd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	frame "leat/internal/cli"
	"leat/internal/duration"
	"leat/pkg/enrich"
	"leat/pkg/enrich/retro"
	"leat/pkg/lake"
	"leat/pkg/stage"
)

func retroCommand() *cli.Command {
	return &cli.Command{
		Name:      "retro",
		Usage:     "print the lake's events that have an indicator which became known later, enriched as they would have been",
		UsageText: "enrich retro -c enrich.yaml --lake DIR [--new-since TIME] [--since TIME] [--until TIME] [--state DIR]",
		Description: `The ids of the events, and so of the alerts that detect makes of them, are those of the live stream:

   enrich retro -c enrich.yaml --lake lake --new-since 1d | detect -r rules --alerts-only | persist --lake lake

Only what persist has committed is searched, and only rules about indicators are applied (docs/16-threat-intelligence.md).`,
		Flags: append([]cli.Flag{
			configFlag(),
			stateFlag(),
			&cli.StringFlag{Name: "lake", Usage: "the lake in `DIR`"},
			&cli.StringFlag{Name: "since", Usage: "only events from `TIME` on: 1h, 7d (before now), 2026-11-24, 2026-11-24T08:00:00Z"},
			&cli.StringFlag{Name: "until", Usage: "only events before `TIME`"},
			&cli.StringFlag{Name: "new-since", Usage: "only indicators that came at or after `TIME`, or later than a version of their table"},
		}, frame.CommonFlags()...),
		Action: searchLake,
	}
}

// search is a stage.Source of the lake's events.
type search struct {
	config retro.Config
	stage  *enrich.Stage
}

func (s *search) Run(ctx context.Context, sink stage.Sink) error {
	_, err := retro.Run(ctx, s.config, sink)
	if errors.Is(err, lake.ErrNoLake) || err == nil {
		return frame.Usage(err)
	}
	return frame.Runtime(err)
}

func (s *search) Close() error { return s.stage.Close() }

func searchLake(c *cli.Context) error {
	return frame.RunSource(c, enrich.Name, func(env *frame.Env) (stage.Source, error) {
		cfg, err := load(c)
		if err != nil {
			return nil, err
		}
		if c.Args().Present() {
			return nil, frame.Usagef("unexpected argument %q", c.Args().First())
		}
		now := time.Now()
		s := &search{config: retro.Config{Log: env.Log}}
		for flag, at := range map[string]*time.Time{"since": &s.config.Since, "until": &s.config.Until} {
			if text := c.String(flag); text != "" {
				if *at, err = moment(text, now); err != nil {
					return nil, frame.Usagef("--%s: %w", flag, err)
				}
			}
		}
		if s.config.Lake, err = lake.Open(c.String("lake")); err != nil {
			return nil, fmt.Errorf("--lake: %w", err)
		}
		newSince := c.String("new-since")
		if t, err := moment(newSince, now); err == nil {
			newSince = t.Format(time.RFC3339)
		}
		opt := options(c)
		// What a live process keeps under its marks is not touched; its snapshots are used.
		opt.State, opt.Log, opt.Metrics, opt.Fixed, opt.Fresh = "", env.Log, env.Counters.Set(), true, true
		if s.stage, err = enrich.New(cfg, opt); err != nil {
			return nil, err
		}
		h, err := s.stage.Hindsight(newSince)
		if err != nil {
			return nil, errors.Join(err, s.stage.Close())
		}
		s.config.Fields, s.config.Match, s.config.Enrich = h.Fields(), h.Match, h.Enrich
		return s, nil
	})
}

// moment reads a time, or how long ago it was.
func moment(s string, now time.Time) (time.Time, error) {
	if age, err := duration.Parse(s); err == nil {
		return now.Add(-time.Duration(age)), nil
	}
	for _, layout := range []string{time.DateOnly, "2006-01-02T15:04", "2006-01-02T15:04:05", time.RFC3339} {
		// Times of events are ns since 1970 in 64 bits.
		if t, err := time.Parse(layout, s); err == nil && t.Year() > 1700 && t.Year() < 2200 {
			return t.UTC(), nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time; expected such as 1h, 7d, 2026-11-24 or 2026-11-24T08:00:00Z", s)
}
