package alert

import (
	"encoding/json"
	"strings"
	"testing"
)

// An alert of several events is that of the one that completed it, and says what the group, the window and the number were.
func TestAppendCorrelation(t *testing.T) {
	w := writer(t, Rule{ID: "r1", Name: "Many", Level: "high", Actions: []string{"Look"}})
	c := &Correlation{
		Type: "event_count", Key: "\x00\x01a\xff", Group: []Clause{{Field: "source.ip", Want: "192.0.2.1", Value: "192.0.2.1"}},
		Start: 1_800_000_000_000_000_000, End: 1_800_000_060_500_000_000, Timespan: 600_000_000_000, Count: 12, Value: 12.5,
		Events: [][]byte{[]byte("e1"), []byte(`e"2`)},
	}
	line := w.AppendCorrelation(nil, subject(t, `{"@timestamp":"2020-01-01T00:00:00Z","event":{"id":"e9","outcome":"failure"},"user":{"name":"anna"}}`), c,
		[]Clause{{Field: "number of events within 10m", Modifiers: "gte", Want: "10", Value: "12.5"}})
	if !json.Valid(line) {
		t.Fatalf("no JSON: %s", line)
	}
	for _, want := range []string{
		`{"@timestamp":"2027-01-15T08:01:00.500Z","event":{"kind":"alert","id":"` + w.CorrelationID(c.Key, c.Start) + `"`, `"outcome":"failure"`,
		`"user":{"name":"anna"}`, `"events":[{"id":"e1"},{"id":"e\"2"}]`, `"correlation":{"type":"event_count","group":[{"field":"source.ip","value":"192.0.2.1"}]`,
		`"revision":1,"start":"2027-01-15T08:00:00.000Z","end":"2027-01-15T08:01:00.500Z","timespan":600,"count":12,"value":12.5}`,
		`because number of events within 10m is at least 10`, `"actions":["Look"]`,
	} {
		if !strings.Contains(string(line), want) {
			t.Errorf("no %s in %s", want, line)
		}
	}
	if w.CorrelationID("a", 1) == w.CorrelationID("a", 2) || w.CorrelationID("a", 1) == w.CorrelationID("b", 1) || w.CorrelationID("a", 1) == writer(t, Rule{ID: "r2"}).CorrelationID("a", 1) {
		t.Error("rule, group and window make the id")
	}
}
