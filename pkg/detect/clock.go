package detect

import (
	"time"

	"leat/pkg/event"
)

// noTime stands for an event that says no time, skipTime for one that is not looked at.
const (
	noTime   = int64(-1 << 63)
	skipTime = noTime + 1
)

// maxAhead is how far the time of an event may be ahead of the clock: one event dated 2099 must not blind detect.
const maxAhead = 5 * time.Minute

// timeFields are the places of an event's time, best first. Those behind @timestamp are of Windows events that nobody normalised; the
// last are when the event was taken in.
var timeFields = event.MustFields(
	"@timestamp", "SystemTime", "TimeCreated", "UtcTime", "winlog.time_created", "Event.System.TimeCreated.#attributes.SystemTime",
	"Event.System.TimeCreated.@SystemTime", "event.ingested", "event.created",
)

// utcTimeAt is where UtcTime stands in timeFields.
const utcTimeAt = 3

// timeReader reads the times of events. It is for one goroutine.
type timeReader struct{ vals []event.Value }

func (r *timeReader) read(e *event.Event, kind string) int64 {
	if kind != "" {
		return skipTime
	}
	if r.vals == nil {
		r.vals = make([]event.Value, timeFields.Len())
	}
	timeFields.Read(e, r.vals)
	for i, v := range r.vals {
		if v.Kind != event.String || v.Escaped() {
			continue
		}
		parse := event.ParseTime
		if i == utcTimeAt {
			parse = event.ParseUTC // it says no zone
		}
		if ns, ok := parse(v.Raw[1 : len(v.Raw)-1]); ok {
			return ns
		}
	}
	return noTime
}

// streamClock says what time an event counts as having, and how far time goes on while nothing comes in. In a marked pipe
// it runs on ingest's marks, so that a replay gives the same, and else on ticks and now.
type streamClock struct {
	marked bool
	timed  bool  // an event has come that said its time
	mark   int64 // ingest's time at the last mark, 0: none yet
	now    func() time.Time
	busy   bool  // an event has come since the last mark or tick
	tick   int64 // time of the last tick
	idle   int64 // time that has gone on since the last event, not yet told
}

// at returns the time that an event counts as having: its own, or where it says none, or one in the future, the stream's.
// A stream of which no event says a time has that of its arrival. now is the process's time.
func (c *streamClock) at(own, stream, now int64) int64 {
	c.busy = true
	switch {
	case own != noTime && own <= now+int64(maxAhead):
		c.timed = true
		return own
	case c.timed:
		return stream
	case c.marked && c.mark != 0:
		return max(c.mark, stream)
	}
	return max(now, stream)
}

// marks takes the time of a mark, ticks that of the process. A whole interval without an event lets the stream's time go
// on by as much.
func (c *streamClock) marks(text string) {
	ns, ok := event.ParseTime([]byte(text))
	if !ok {
		return
	}
	if c.mark != 0 && !c.busy && ns > c.mark {
		c.idle += ns - c.mark
	}
	c.mark, c.busy = ns, false
}

func (c *streamClock) ticks(now time.Time) {
	if c.marked {
		return
	}
	ns := now.UnixNano()
	if c.tick != 0 && !c.busy && ns > c.tick {
		c.idle += ns - c.tick
	}
	c.tick, c.busy = ns, false
}
