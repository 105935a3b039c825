package detect

import (
	"errors"
	"fmt"
	"log/slog"

	"leat/pkg/alert"
	"leat/pkg/event"
	"leat/pkg/sigma"
	"leat/pkg/stage"
)

// Config says what to detect and how.
type Config struct {
	Rules      []string // files and folders; none: the starter rules
	Strict     bool     // a faulty rule in a folder is an error too
	AlertsOnly bool     // drop the events
	Routing    bool     // a rule sees only events of its log source
	Log        *slog.Logger
}

// Stage is the stage. It is a stage.Cloner and a stage.Reloader.
type Stage struct {
	cfg Config
	set *ruleSet
	m   *sigma.Matcher
}

// ruleSet is rules ready to work, shared by clones.
type ruleSet struct {
	ix      *sigma.Index
	writers []*alert.Writer
}

// New loads the rules. Faults in folders are logged, unless Strict.
func New(cfg Config) (*Stage, error) {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	set, err := load(cfg)
	if err != nil {
		return nil, err
	}
	return &Stage{cfg: cfg, set: set, m: set.ix.NewMatcher()}, nil
}

func load(cfg Config) (*ruleSet, error) {
	l, err := Load(cfg.Rules, sigma.Options{})
	if err != nil {
		return nil, err
	}
	fatal := l.Fatal
	if cfg.Strict {
		fatal = append(fatal, l.Faults...)
	}
	if len(fatal) > 0 {
		var errs []error
		for _, f := range fatal {
			errs = append(errs, f)
		}
		return nil, errors.Join(errs...)
	}
	for _, f := range l.Faults {
		cfg.Log.Warn("rule left out", "file", f.File, "line", f.Line, "key", f.Key, "reason", f.Reason, "rule", f.Rule)
	}
	if len(l.Rules) == 0 {
		return nil, errors.New("no rule to work with")
	}
	set := &ruleSet{}
	if set.ix, err = sigma.NewIndex(l.Rules, nil); err != nil {
		return nil, err
	}
	for _, r := range l.Rules {
		w, err := alert.NewWriter(ruleOf(r))
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", r.File, r.Line, err)
		}
		set.writers = append(set.writers, w)
	}
	cfg.Log.Info("rules loaded", "rules", len(l.Rules), "left_out", len(l.Faults))
	return set, nil
}

func ruleOf(r *sigma.Rule) alert.Rule {
	id := r.ID
	if id == "" {
		id = event.DeriveID("rule", r.Title, r.LogSource.String())
	}
	return alert.Rule{
		ID: id, Name: r.Title, Description: r.Description, Version: r.Version(), Author: r.Author, License: r.License,
		References: r.References, Tags: r.Tags, Actions: r.Actions, Level: r.Level.String(), Message: r.Message,
	}
}

// Clone returns a stage with the same rules and memory of its own.
func (s *Stage) Clone() stage.Stage {
	return &Stage{cfg: s.cfg, set: s.set, m: s.set.ix.NewMatcher()}
}

// Process puts the alerts of each event behind it.
func (s *Stage) Process(b *event.Batch) error {
	for _, e := range b.Events {
		if stage.Passes(e) || e.Get(pathKind).Is(alert.Kind) {
			continue
		}
		for _, i := range s.m.Match(e) {
			s.raise(b, e, i)
		}
		if s.cfg.AlertsOnly {
			e.Drop()
		}
	}
	return nil
}

var pathKind = event.MustPath("event.kind")

func (s *Stage) raise(b *event.Batch, e *event.Event, i int32) {
	var matched []alert.Clause
	for _, c := range s.m.Matched(i) {
		matched = append(matched, alert.Clause{Field: c.Field, Modifiers: c.Modifiers, Want: c.Want, Value: c.Have})
	}
	line := s.set.writers[i].Append(b.Begin(4<<10), e, matched)
	b.After(e, b.End(line))
}
