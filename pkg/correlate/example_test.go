package correlate_test

import (
	"fmt"
	"time"

	"leat/pkg/correlate"
	"leat/pkg/sigma"
)

// Three failed log-ins of one user within a minute, of which the second comes last.
func Example() {
	set := sigma.Parse("rules.yml", []byte(`title: Many Failures
correlation: {type: event_count, rules: [failed], group-by: [user], timespan: 1m, condition: {gte: 3}}
---
title: Failure
name: failed
logsource: {product: x}
detection: {s: {outcome: failure}, condition: s}
`), sigma.Options{})
	set.Link()
	e, err := correlate.New([]correlate.Rule{{ID: "many", Correlation: set.Correlations[0]}}, correlate.Limits{})
	if err != nil {
		panic(err)
	}
	for _, sec := range []int64{10, 50, 30} {
		at := sec * int64(time.Second)
		e.Advance(at, nil)
		if m, ok := e.Observe(0, &correlate.Observation{Key: []byte("anna"), At: at, ID: fmt.Appendf(nil, "e%d", sec)}); ok {
			fmt.Printf("%s: %d events from second %d: %s\n", m.Key, m.Count, m.Start/int64(time.Second), m.IDs)
		}
	}
	// Output: anna: 3 events from second 10: [e10 e30 e50]
}
