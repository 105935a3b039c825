package learn

import (
	"fmt"

	"github.com/VictoriaMetrics/metrics"
)

// counters are the table's metrics; those that count are told once a batch or a mark, by Report.
type counters struct {
	set  *metrics.Set
	name string
	told Stats
}

// Report brings the metrics up to date; call it between batches.
func (t *Table) Report() {
	c := &t.counters
	if c.set == nil {
		return
	}
	now := t.Stats()
	gauge := func(name string, v float64) {
		c.set.GetOrCreateGauge(fmt.Sprintf("leat_enrich_learned_%s{dimension=%q}", name, c.name), nil).Set(v)
	}
	count := func(name string, v, told int64) {
		if v > told {
			c.set.GetOrCreateCounter(fmt.Sprintf("leat_enrich_learned_%s_total{dimension=%q}", name, c.name)).AddInt64(v - told)
		}
	}
	gauge("keys", float64(now.Keys))
	gauge("runs", float64(now.Facts))
	gauge("bytes", float64(now.Bytes))
	count("facts", now.Taught, c.told.Taught)
	count("late_facts", now.Late, c.told.Late)
	count("old_facts", now.Old, c.told.Old)
	count("future_facts", now.Future, c.told.Future)
	count("refused_keys", now.Refused, c.told.Refused)
	count("evicted_keys", now.EvictedKeys, c.told.EvictedKeys)
	count("evicted_facts", now.EvictedFacts, c.told.EvictedFacts)
	c.told = now
}
