package redact

import (
	"slices"

	"leat/pkg/event"
	"leat/pkg/stage"
)

// Stage redacts events. It is a [stage.Cloner].
type Stage struct{ run run }

// New makes the stage.
func New(cfg *Config) *Stage {
	return &Stage{run: run{cfg: cfg, keyed: newKeyed(cfg.secret), rules: verdicts{cfg: cfg, seen: map[string]verdict{}}}}
}

// Clone returns a stage that shares the rules.
func (s *Stage) Clone() stage.Stage { return New(s.run.cfg) }

var pathRedacted = event.MustPath("leat.redacted")

// tell notes on e which rules did something to it.
func (s *Stage) tell(e *event.Event) {
	slices.Sort(s.run.names)
	list := append(s.run.fresh[:0], '[')
	for i, n := range s.run.names {
		if i > 0 {
			list = append(list, ',')
		}
		list = event.AppendString(list, n)
	}
	s.run.fresh = append(list, ']')
	// Where leat is no object, a hostile source wrote it: there is no place for a note.
	_ = e.Set(pathRedacted, s.run.fresh)
}

// Process redacts each event of b, and pipeline_errors too: their text is what nobody could read.
func (s *Stage) Process(b *event.Batch) error {
	for _, e := range b.Events {
		if e.Dropped() || e.Root() == event.None {
			continue
		}
		line := e.Append(s.run.line[:0])
		s.run.line = line
		if out, changed := s.run.event(line, b.Begin(len(line)+256)); changed {
			e.Replace(b.End(out))
			s.tell(e)
		}
	}
	return nil
}
