package enrich

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"leat/pkg/event"
	"leat/pkg/intel"
)

// Hindsight enriches events that passed before their indicators were known. It is for one goroutine.
type Hindsight struct {
	rules   []*rule
	since   []time.Time // of each rule, from when on indicators count as new
	related bool
	now     time.Time
}

// Hindsight returns what the stage's rules about indicators would write today. since says which indicators count as new: all (""), or
// those that came later than a time, or than a version of the table (see intel.NewSince).
func (s *Stage) Hindsight(since string) (*Hindsight, error) {
	h := &Hindsight{now: s.shared.opt.Now()}
	cfg := s.shared.cfg.Load()
	for _, r := range s.gen.fork().rules {
		if r.matcher == nil {
			continue
		}
		var from time.Time
		if since != "" {
			var err error
			dir := filepath.Join(cacheDir(cfg, &s.shared.opt), r.policy.Dimension.value)
			if from, err = intel.NewSince(dir, since); err != nil {
				return nil, fmt.Errorf("dimension %q: %w", r.policy.Dimension.value, err)
			}
		}
		h.rules, h.since = append(h.rules, r), append(h.since, from)
		h.related = h.related || r.policy.Related
	}
	if len(h.rules) == 0 {
		return nil, errors.New("no rule is about indicators; expected one such as {dimension: ioc}, whose dimension is one of feeds (intel)")
	}
	return h, nil
}

// Fields returns the names of the fields that Match reads.
func (h *Hindsight) Fields() []string {
	out := intel.MatchFields(h.related)
	for _, r := range h.rules {
		if r.unless != nil && !slices.Contains(out, r.unless.String()) {
			out = append(out, r.unless.String())
		}
	}
	return out
}

// Match tells whether an event, of which only Fields need be there, has a new indicator.
func (h *Hindsight) Match(e *event.Event) bool {
	for i, r := range h.rules {
		if r.unless != nil && e.Lookup(*r.unless) != event.None {
			continue
		}
		for _, hit := range r.matcher.Match(e) {
			if h.since[i].IsZero() || r.snap.set.AddedSince(hit.Row, h.since[i]) {
				return true
			}
		}
	}
	return false
}

// Enrich writes to a whole event what the rules about indicators write to one that comes by now, and tells whether it has an indicator. Other
// rules are left alone: they had their say when the event came.
func (h *Hindsight) Enrich(e *event.Event) bool {
	hit := false
	for _, r := range h.rules {
		if r.unless != nil && e.Lookup(*r.unless) != event.None {
			continue
		}
		st, _ := r.match(e, h.now)
		hit = hit || st == Hit || st == Stale
	}
	return hit
}
