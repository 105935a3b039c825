package persist

import (
	"time"

	"leat/pkg/event"
	"leat/pkg/row"
)

// confess makes the pipeline_error that stands for a bad row: the event as text, or the row's bytes where they say none.
func confess(b *event.Batch, cols *row.Columns, bad badRow, now time.Time) *event.Event {
	text := bad.row
	if line, err := cols.AppendJSON(nil, bad.row); err == nil {
		if whole, err := row.NewDecoder(cols).Append(nil, line); err == nil {
			text = whole
		}
	}
	line := append([]byte(nil), `{"@timestamp":"`...)
	line = event.AppendTime(line, now.UnixNano())
	line = append(line, `","event":{`...)
	line, escaped := event.AppendRecord(line, text)
	line = append(line, '}')
	if escaped {
		line = append(line, `,"leat":{"escaped":true}`...)
	}
	e := b.Push(append(line, '}'))
	b.Fail(e, "persist", "row", bad.err.Error())
	return e
}
