package alert

import (
	"math"
	"strconv"

	"leat/pkg/event"
)

// Correlation is what an alert says that several events raised together.
type Correlation struct {
	Type string // event_count ...
	// Key is what the group is known by, whatever its bytes.
	Key string
	// Group is the fields of the group with their values, in the rule's order.
	Group []Clause
	// Start and End are the times of the window's first and last event, Timespan the rule's, all in nanoseconds.
	Start, End, Timespan int64
	Count                int64    // events in the window
	Value                float64  // what the condition was about
	Events               [][]byte // ids of events, as many as are known
	// Revision is 1, or how many times this alert was told by now: with more events, under the same id.
	Revision int
}

// CorrelationID returns the id of the alert that this rule raises for a group and the window that begins at start.
func (w *Writer) CorrelationID(key string, start int64) string {
	return event.DeriveID(w.rule.ID, key, strconv.FormatInt(start, 10))
}

// AppendCorrelation appends an alert that several events raised. s is the one that completed it, whose entities the alert
// takes over.
func (w *Writer) AppendCorrelation(dst []byte, s *Subject, c *Correlation, matched []Clause) []byte {
	dst = append(dst, `{"@timestamp":"`...)
	dst = event.AppendTime(dst, c.End)
	dst = append(dst, `",`...)
	dst = w.appendHead(dst, s, w.CorrelationID(c.Key, c.Start), matched)
	dst = append(dst, `,"events":[`...)
	for i, id := range c.Events {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(event.AppendString(append(dst, `{"id":`...), id), '}')
	}
	dst = event.AppendString(append(dst, `],"correlation":{"type":`...), c.Type)
	dst = append(dst, `,"group":[`...)
	for i, g := range c.Group {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = event.AppendString(append(dst, `{"field":`...), g.Field)
		dst = append(event.AppendString(append(dst, `,"value":`...), g.Value), '}')
	}
	dst = append(dst, `],"revision":`...)
	dst = strconv.AppendInt(dst, int64(max(c.Revision, 1)), 10)
	dst = append(dst, `,"start":"`...)
	dst = event.AppendTime(dst, c.Start)
	dst = append(dst, `","end":"`...)
	dst = event.AppendTime(dst, c.End)
	dst = append(dst, `","timespan":`...)
	dst = strconv.AppendInt(dst, c.Timespan/1_000_000_000, 10)
	dst = append(dst, `,"count":`...)
	dst = strconv.AppendInt(dst, c.Count, 10)
	dst = append(dst, `,"value":`...)
	// A sum of hostile numbers may be beyond what JSON can write.
	dst = strconv.AppendFloat(dst, max(-math.MaxFloat64, min(c.Value, math.MaxFloat64)), 'f', -1, 64)
	dst = append(dst, '}')
	return w.appendTail(dst, matched)
}
