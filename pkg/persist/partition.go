package persist

import (
	"time"

	"leat/pkg/event"
	"leat/pkg/lake"
	"leat/pkg/row"
)

// The datasets that persist names itself. A name that an event brings never begins with '_'.
const (
	errorDataset = "_errors" // event.kind: pipeline_error
	alertDataset = "_alerts" // event.kind: alert
)

// maxPartitions is how many partitions one commit may have; events of further ones go to lake.OtherDataset.
const maxPartitions = 256

// bigLine is the length of a row above which it goes to a file of its own kind: a reader takes memory by the longest value that it meets.
const bigLine = 1 << 20

// partition is what one spill is for.
type partition struct {
	dataset string
	day     int64 // days since 1970
	big     bool
}

func (p partition) date() string {
	return time.Unix(p.day*86400, 0).UTC().Format(time.DateOnly)
}

// dayOf returns the day on which an event is filed: that of its @timestamp if it lies within 30 days before and one after today.
// Anything may stand in a log; a folder for each day of the millennium must not come of it.
func dayOf(x *row.Encoder, today int64) int64 {
	if !x.HasTime {
		return today
	}
	day := x.Time / (86400 * 1e9)
	if x.Time < 0 || day < today-30 || day > today+1 {
		return today
	}
	return day
}

// datasetOf returns the dataset under which an event is filed, as a span of x's event or in scratch. A name that begins with '_' is
// none of an event's to give.
func datasetOf(x *row.Encoder, scratch []byte) []byte {
	switch {
	case x.Kind.Is(event.KindError):
		return append(scratch[:0], errorDataset...)
	case x.Kind.Is("alert"):
		return append(scratch[:0], alertDataset...)
	case x.Dataset.Kind == event.String:
		if name := x.Dataset.Text(scratch); len(name) > 0 && name[0] != '_' {
			return name
		}
	}
	return append(scratch[:0], lake.OtherDataset...)
}
