package enrich

import (
	"fmt"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// counters are the stage's own beside those of every stage.
type counters struct {
	set *metrics.Set
}

func newCounters(set *metrics.Set) *counters { return &counters{set: set} }

// add counts look-ups by rule and outcome, and clears n.
func (c *counters) add(rule string, n *[statuses]int) {
	for st := Hit; st < statuses; st++ {
		if n[st] > 0 {
			c.set.GetOrCreateCounter(fmt.Sprintf(`leat_enrich_lookups_total{rule=%q,status=%q}`, rule, st)).Add(n[st])
		}
		n[st] = 0
	}
	n[None] = 0
}

// loaded tells the gauges of a snapshot that is now in use.
func (c *counters) loaded(s *Snapshot) {
	c.set.GetOrCreateGauge(fmt.Sprintf(`leat_enrich_rows{dimension=%q}`, s.Name), nil).Set(float64(s.Rows))
	c.set.GetOrCreateGauge(fmt.Sprintf(`leat_enrich_duplicate_keys{dimension=%q}`, s.Name), nil).Set(float64(s.Duplicates))
	c.set.GetOrCreateGauge(fmt.Sprintf(`leat_enrich_modified_seconds{dimension=%q}`, s.Name), nil).Set(float64(s.AsOf.Unix()))
	c.set.GetOrCreateCounter(fmt.Sprintf(`leat_enrich_loads_total{dimension=%q}`, s.Name)).Inc()
}

// aged tells how old a snapshot's answers are.
func (c *counters) aged(s *Snapshot, now time.Time) {
	c.set.GetOrCreateGauge(fmt.Sprintf(`leat_enrich_age_seconds{dimension=%q}`, s.Name), nil).Set(now.Sub(s.seen()).Seconds())
}

// failed counts a load that was refused.
func (c *counters) failed(dimension string) {
	c.set.GetOrCreateCounter(fmt.Sprintf(`leat_enrich_load_failures_total{dimension=%q}`, dimension)).Inc()
}
