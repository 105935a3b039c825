package ocsf

import (
	"time"

	"leat/pkg/event"
	"leat/pkg/stage"
)

// Stage turns events into OCSF. It is a [stage.Cloner].
type Stage struct{ run run }

// New makes the stage with the tables of this package; now is the clock for events that bear no time (nil = time.Now). The error is a
// fault in the tables, with its place.
func New(now func() time.Time) (*Stage, error) {
	if now == nil {
		now = time.Now
	}
	p, err := builtin()
	if err != nil {
		return nil, err
	}
	return &Stage{run: newRun(p, now)}, nil
}

// Version is that of the schema that the events hold to.
func Version() string {
	s, err := published()
	if err != nil {
		return ""
	}
	return s.version
}

var (
	pathKind  = event.MustPath("event.kind")
	pathClass = event.MustPath("class_uid")
)

// Process turns each event of b into one of OCSF. A pipeline_error, a line that is no event, and what has a class_uid and no event
// object (it is OCSF already) stay as they are.
func (s *Stage) Process(b *event.Batch) error {
	for _, e := range b.Events {
		if e.Dropped() || stage.Passes(e) || e.Get(pathClass).Exists() && !e.Get(pathKind).Exists() {
			continue
		}
		if line, ok := s.run.convert(e, b.Begin(2*len(e.Line())+1024)); ok {
			e.Replace(b.End(line))
		}
	}
	return nil
}

// Clone returns a stage that shares the tables.
func (s *Stage) Clone() stage.Stage { return &Stage{run: newRun(s.run.plan, s.run.now)} }
