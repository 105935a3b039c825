package remote

import (
	"fmt"
	"time"

	"github.com/VictoriaMetrics/metrics"
)

// counters are what /metrics says of a Cache.
type counters struct {
	set                         *metrics.Set
	name                        string
	cached, asked, late, opened *metrics.Counter
	seconds                     *metrics.Histogram
}

func newCounters(set *metrics.Set, name string, c *Cache) counters {
	label := fmt.Sprintf(`{dimension=%q}`, name)
	gauge := func(metric string, f func() float64) { set.GetOrCreateGauge("leat_enrich_remote_"+metric+label, f) }
	gauge("remembered_keys", func() float64 { return float64(c.len()) })
	gauge("keys_in_flight", func() float64 {
		c.mu.RLock()
		defer c.mu.RUnlock()
		return float64(len(c.flights))
	})
	gauge("breaker_state", func() float64 { // 0 closed, 1 half open, 2 open
		c.mu.RLock()
		defer c.mu.RUnlock()
		return float64(c.breaker.state(c.opt.Now()))
	})
	keys := func(from string) *metrics.Counter {
		return set.GetOrCreateCounter(fmt.Sprintf(`leat_enrich_remote_keys_total{dimension=%q,from=%q}`, name, from))
	}
	return counters{
		set: set, name: name, cached: keys("cache"), asked: keys("backend"),
		late:    set.GetOrCreateCounter("leat_enrich_remote_waits_given_up_total" + label),
		opened:  set.GetOrCreateCounter("leat_enrich_remote_breaker_opened_total" + label),
		seconds: set.GetOrCreateHistogram("leat_enrich_remote_call_seconds" + label),
	}
}

// refused counts keys that were not asked for: the breaker is open, the queue is full, the cache closes.
func (m *counters) refused(why string) *metrics.Counter {
	return m.set.GetOrCreateCounter(fmt.Sprintf(`leat_enrich_remote_refused_keys_total{dimension=%q,reason=%q}`, m.name, why))
}

func (m *counters) call(took time.Duration, err error, late bool) {
	result := "ok"
	switch {
	case err != nil && late:
		result = "timeout"
	case err != nil:
		result = "error"
	}
	m.set.GetOrCreateCounter(fmt.Sprintf(`leat_enrich_remote_calls_total{dimension=%q,result=%q}`, m.name, result)).Inc()
	m.seconds.Update(took.Seconds())
}
