package sigma

import (
	"sync/atomic"
	"time"
)

// RuleCount is what matching cost for one rule. It may be read while matchers count.
type RuleCount struct {
	// Evaluated is how often the index could not rule out that the rule matches, and its condition was evaluated.
	Evaluated atomic.Uint64
	Matched   atomic.Uint64
	// Nanos is how long the evaluations took, extrapolated from those of every 64th event. The scan, which all rules
	// share, is in none.
	Nanos atomic.Uint64
}

// sampled is of how many events one is timed.
const sampled = 64

// Count makes m count into counts, one for each rule of the index in their order; several may be the same.
func (m *Matcher) Count(counts []*RuleCount) { m.counts = counts }

// counted evaluates the candidates as Match does, and counts.
func (m *Matcher) counted() {
	timed := m.now/2%sampled == 0
	var last time.Time
	if timed {
		last = time.Now()
	}
	for _, rule := range m.cands {
		c := m.counts[rule]
		c.Evaluated.Add(1)
		if m.run(m.ix.fastStarts[rule]) {
			m.hits = append(m.hits, rule)
			c.Matched.Add(1)
		}
		if timed {
			now := time.Now()
			c.Nanos.Add(uint64(now.Sub(last)) * sampled)
			last = now
		}
	}
}
