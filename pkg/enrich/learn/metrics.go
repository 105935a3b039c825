package learn

import (
	"fmt"

	"github.com/VictoriaMetrics/metrics"
)

// reportEvery is after how many events the metrics are brought up to date.
const reportEvery = 1024

// counters are the table's metrics.
type counters struct {
	gauges [3]*metrics.Gauge
	counts [7]*metrics.Counter
	told   [7]int64
}

func newCounters(set *metrics.Set, dimension string) *counters {
	if set == nil {
		return nil
	}
	c := &counters{}
	for i, name := range []string{"keys", "runs", "bytes"} {
		c.gauges[i] = set.GetOrCreateGauge(fmt.Sprintf("leat_enrich_learned_%s{dimension=%q}", name, dimension), nil)
	}
	for i, name := range []string{"facts", "late_facts", "old_facts", "future_facts", "refused_keys", "evicted_keys", "evicted_facts"} {
		c.counts[i] = set.GetOrCreateCounter(fmt.Sprintf("leat_enrich_learned_%s_total{dimension=%q}", name, dimension))
	}
	return c
}

// Report brings the metrics up to date. Learn does it now and then, and Changes and Base do.
func (t *Table) Report() {
	c := t.counters
	if c == nil {
		return
	}
	s := t.Stats()
	for i, v := range [...]float64{float64(s.Keys), float64(s.Facts), float64(s.Bytes)} {
		c.gauges[i].Set(v)
	}
	for i, v := range [...]int64{s.Taught, s.Late, s.Old, s.Future, s.Refused, s.EvictedKeys, s.EvictedFacts} {
		// Restore begins the counts anew.
		if v > c.told[i] {
			c.counts[i].AddInt64(v - c.told[i])
		}
		c.told[i] = v
	}
}
