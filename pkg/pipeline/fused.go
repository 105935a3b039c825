package pipeline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"leat/pkg/detect"
	"leat/pkg/enrich"
	"leat/pkg/ingest"
	"leat/pkg/normalize"
	"leat/pkg/normalize/drift"
	"leat/pkg/persist"
	"leat/pkg/redact"
	"leat/pkg/respond"
	"leat/pkg/stage"
	"leat/pkg/tap"
)

// Built is a pipeline whose stages share this process.
type Built struct {
	Source *ingest.Source
	Stages []stage.Stage

	cfg     *Config
	closers []io.Closer
}

// Build makes the stages that the file names, from ingest to respond. parseSize reads the sizes of the file. An error is
// one of configuration.
func (c *Config) Build(log *slog.Logger, count *stage.Counters, parseSize func(string) (int64, error)) (*Built, error) {
	b := &Built{cfg: c}
	if err := b.build(log, count, parseSize); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

func (b *Built) build(log *slog.Logger, count *stage.Counters, parseSize func(string) (int64, error)) error {
	c := b.cfg
	in := ingest.Config{
		Sources: c.Ingest.Sources, Dataset: c.Ingest.Dataset, Follow: c.Ingest.Follow, Resume: c.Lake, Pipeline: c.Name,
		MarkEvery: ingest.DefaultMarkEvery(), State: c.State, Spool: filepath.Join(c.State, "spool"), Stdin: os.Stdin,
		Counters: count, Log: log.With("stage", "ingest"),
	}
	var err error
	if c.Ingest.MarkEvery != "" {
		if in.MarkEvery, err = ingest.ParseMarkEvery(c.Ingest.MarkEvery, parseSize); err != nil {
			return fmt.Errorf("ingest.mark_every: %w", err)
		}
	}
	if c.Ingest.JournalMax != "" {
		if in.JournalMax, err = parseSize(c.Ingest.JournalMax); err != nil {
			return fmt.Errorf("ingest.journal_max: %w", err)
		}
	}
	if c.Ingest.Config != "" {
		if in.Inputs, err = ingest.LoadInputs(c.Ingest.Config); err != nil {
			return err
		}
	}
	if b.Source, err = ingest.New(in); err != nil {
		return err
	}
	if err := b.normalize(count); err != nil {
		return err
	}
	if c.Enrich.Config != "" {
		cfg, err := enrich.Load(c.Enrich.Config)
		if err != nil {
			return err
		}
		opt := enrich.Under(c.State)
		opt.Log, opt.Metrics, opt.StateMissing = log.With("stage", "enrich"), count.Set(), c.Enrich.StateMissing == "empty"
		s, err := enrich.New(cfg, opt)
		if err := b.add(s, err); err != nil {
			return err
		}
	}
	d, err := detect.New(detect.Config{
		File: c.Detect.Config, Count: c.MetricsAddr != "", Metrics: count.Set(), Watch: true,
		Rules: c.Detect.Rules, Lookups: c.Detect.Lookups, Routing: c.Detect.Routing != "off", State: c.State,
		StateMissing: c.Detect.StateMissing == "empty", Log: log.With("stage", "detect"),
	})
	if err := b.add(d, err); err != nil {
		return err
	}
	return b.respond(log)
}

func (b *Built) normalize(count *stage.Counters) error {
	c := b.cfg.Normalize
	m, err := normalize.Load(c.Mappings...)
	if err != nil {
		return err
	}
	cfg := normalize.Config{Mappings: m, Original: normalize.Original(c.Original), Counters: count.Set()}
	if c.TZ != "" {
		if cfg.Zone, err = time.LoadLocation(c.TZ); err != nil {
			return fmt.Errorf("normalize.tz: %w", err)
		}
	}
	var first stage.Stage = normalize.New(cfg)
	switch c.Join {
	case "":
	case "auditd":
		first = normalize.NewAuditJoin(first)
	default:
		return fmt.Errorf("normalize.join: %q is none of auditd", c.Join)
	}
	if err := b.add(first, nil); err != nil {
		return err
	}
	if c.Redact != "" {
		rules, err := redact.Load(c.Redact, os.Getenv)
		if err != nil {
			return err
		}
		if err := b.add(redact.New(rules), nil); err != nil {
			return err
		}
	}
	if c.Drift {
		return b.add(drift.New(drift.Config{State: c.state(b.cfg.State)}), nil)
	}
	return nil
}

func (b *Built) respond(log *slog.Logger) error {
	c := b.cfg
	if c.Respond.Config != "" {
		load := func() (*respond.Playbook, error) { return respond.LoadPlaybook(c.Respond.Config) }
		book, err := load()
		if err != nil {
			return err
		}
		s, err := respond.New(respond.Config{
			Playbook: book, Load: load, Enforce: c.Respond.Enforce, State: c.State, StateMissing: c.Respond.StateMissing == "empty",
			Log: log.With("stage", "respond"),
		})
		if err := b.add(s, err); err != nil {
			return err
		}
	}
	return nil
}

// Listen adds the socket of the alerts behind the stages.
func (b *Built) Listen() error {
	t, err := tap.New(tap.Config{Socket: b.cfg.Alerts.Socket})
	return b.add(t, err)
}

func (b *Built) add(s stage.Stage, err error) error {
	if err != nil {
		return err
	}
	b.Stages = append(b.Stages, s)
	if c, ok := s.(io.Closer); ok {
		b.closers = append(b.closers, c)
	}
	return nil
}

// Reload asks every stage that can to take its configuration anew.
func (b *Built) Reload() {
	for _, s := range b.Stages {
		if r, ok := s.(stage.Reloader); ok {
			r.Reload()
		}
	}
}

// Close releases what the stages hold.
func (b *Built) Close() error {
	var errs []error
	for _, c := range b.closers {
		errs = append(errs, c.Close())
	}
	b.closers = nil
	return errors.Join(errs...)
}

// Run runs the pipeline into next until its sources end or ctx is done.
func (b *Built) Run(ctx context.Context, next stage.Sink) error {
	return stage.Pump(ctx, b.Source, stage.NewChain(next, b.Stages...))
}

// PersistSink makes the sink for a pipeline that is one process in all.
func (c *Config) PersistSink(ctx context.Context, log *slog.Logger) (stage.Sink, error) {
	return persist.New(ctx, persist.Config{
		Dir: c.Lake, MaxRows: int64(c.Persist.MaxRows), MaxAge: c.Persist.MaxAge, Log: log.With("stage", "persist"),
	})
}
