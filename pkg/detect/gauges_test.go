package detect

import (
	"bytes"
	"strings"
	"testing"

	"github.com/VictoriaMetrics/metrics"
)

func TestCorrelationMetrics(t *testing.T) {
	set := metrics.NewSet()
	s := correlating(t, corr("type: event_count, rules: [a], group-by: [u], timespan: 1h, condition: {gte: 5}")+one("a"), Config{Metrics: set})
	alertsOf(t, s, 1, ev("1", "a", 0, `"u":"x"`), ev("2", "a", 1, `"u":"x"`), ev("3", "a", 2, `"u":"y"`), ev("4", "a", 3, ""))
	var b bytes.Buffer
	set.WritePrometheus(&b)
	for _, want := range []string{
		`leat_correlation_groups{rule="cc"} 2`, `leat_correlation_events{rule="cc"} 3`, `leat_correlation_late_total{rule="cc"} 0`,
		`leat_correlation_forgotten_total{rule="cc"} 0`, `leat_correlation_unplaced_total{rule="cc"} 1`,
	} {
		if !strings.Contains(b.String(), want+"\n") {
			t.Errorf("no %s in %s", want, b.String())
		}
	}
	plain := newStage(t, Config{Rules: []string{folder(t, map[string]string{"r.yml": one("a")})}})
	b.Reset()
	if plain.writeCorrelations(&b); b.Len() > 0 {
		t.Errorf("%s", b.String())
	}
}
