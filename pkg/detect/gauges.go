package detect

import (
	"fmt"
	"io"
	"sync/atomic"
)

// gauge is what the metrics tell of one correlation. The stage's goroutine writes it, the metrics' one reads it.
type gauge struct {
	id                                        string
	groups, events, late, forgotten, unplaced atomic.Int64
}

func newGauges(c *correlator) []*gauge {
	if c == nil {
		return nil
	}
	var out []*gauge
	for _, r := range c.rules {
		out = append(out, &gauge{id: correlationID(r.Correlation)})
	}
	return out
}

// gauge writes down what the engine says.
func (c *correlator) gauge(list []*gauge) {
	for i, g := range list {
		s := c.eng.Stats(i)
		g.groups.Store(s.Keys)
		g.events.Store(s.Events)
		g.late.Store(s.Late)
		g.forgotten.Store(s.Evicted)
		g.unplaced.Store(c.skipped[i])
	}
}

// writeCorrelations writes the gauges in Prometheus' text format.
func (s *Stage) writeCorrelations(w io.Writer) {
	list := s.shared.gauges.Load()
	if list == nil {
		return
	}
	for _, g := range *list {
		fmt.Fprintf(w, "leat_correlation_groups{rule=%q} %d\n", g.id, g.groups.Load())
		fmt.Fprintf(w, "leat_correlation_events{rule=%q} %d\n", g.id, g.events.Load())
		fmt.Fprintf(w, "leat_correlation_late_total{rule=%q} %d\n", g.id, g.late.Load())
		fmt.Fprintf(w, "leat_correlation_forgotten_total{rule=%q} %d\n", g.id, g.forgotten.Load())
		fmt.Fprintf(w, "leat_correlation_unplaced_total{rule=%q} %d\n", g.id, g.unplaced.Load())
	}
}
