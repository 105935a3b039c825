package enrich

import (
	"strings"
	"time"

	"leat/pkg/event"
)

// parseHold reads hold(30s): the longest time that the stream waits.
func parseHold(word string) (time.Duration, bool) {
	inner, ok := strings.CutPrefix(word, "hold(")
	if !ok {
		return 0, false
	}
	inner, ok = strings.CutSuffix(inner, ")")
	if !ok {
		return 0, false
	}
	d, err := time.ParseDuration(inner)
	return d, err == nil && d > 0
}

// holds returns how long the stream waits for a better answer than st.
func (r *rule) holds(st Status) time.Duration {
	switch st {
	case Miss:
		return r.policy.holdMiss
	case Stale:
		return r.policy.holdStale
	case Error:
		return r.policy.holdError
	}
	return 0
}

// holdPause is how often a held event looks whether there is something new.
const holdPause = 10 * time.Millisecond

// hold waits, with an event for which rule i has no good answer, until there is a newer generation or the rule's patience is
// over; then it goes on without. It waits once for each generation, so that a stream of unknown keys does not stand still.
// The event is looked up again, in what is newest then, also within two marks.
func (s *Stage) hold(i int, e *event.Event, now time.Time) (Status, bool) {
	r := s.gen.rules[i]
	st, failed, held := s.worker.apply(r, e, now, r.spent.Load())
	if !held {
		return st, failed
	}
	end := time.Now().Add(r.holds(st))
	for s.shared.next.Load() == s.from && time.Now().Before(end) {
		time.Sleep(holdPause)
	}
	if s.shared.next.Load() == s.from {
		r.spent.Store(true)
		s.shared.opt.Log.Warn("held as long as was asked; going on", "rule", r.name, "status", st.String())
		st, failed, _ = s.worker.apply(r, e, now, true)
		return st, failed
	}
	s.shared.current.Store(s.shared.next.Load())
	s.adopt()
	if i >= len(s.gen.rules) {
		return st, false
	}
	return s.hold(i, e, s.shared.opt.Now())
}
