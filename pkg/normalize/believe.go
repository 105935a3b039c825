package normalize

import (
	"time"

	"github.com/VictoriaMetrics/metrics"

	"leat/pkg/event"
)

// What a record says of its time is not always to be believed. A device without a clock says 1970; one with a wrong year says
// next year. An event of 1970 would be deleted by retain before anybody saw it, one of the future would stand in front of every
// list and never be deleted. Such a time is passed over: the next source of the mapping, the syslog header, the time at which
// ingest took the record, and the clock are asked in turn. leat.time keeps what the record said.

const (
	// earliest is what a clock that was never set can't reach: it begins in 1970, or, as the FAT file system's, in 1980.
	earliest = 315532801 * int64(time.Second) // 1980-01-01T00:00:01Z
	// ahead is how far clocks and zones may lie in front of ours.
	ahead = int64(36 * time.Hour)
)

// times counts what times the records of a batch had.
type times struct {
	yearless, unset, future, missing int

	told     int64 // by the record in hand, not believed
	doubted  bool
	counters timeCounters
}

// believes tells whether a record's time is taken.
func (r *runner) believes(ns int64) bool {
	switch {
	case ns < earliest:
		r.times.unset++
	case ns-r.clock.Now.UnixNano() > ahead:
		r.times.future++
	default:
		return true
	}
	if !r.times.doubted {
		r.times.told, r.times.doubted = ns, true
	}
	return false
}

var pathIngested, pathCreated = event.MustPath("event.ingested"), event.MustPath("event.created")

// received is the time at which ingest took the record, or that of the clock.
func (r *runner) received() int64 {
	if r.outer != nil {
		for _, p := range []event.Path{pathIngested, pathCreated} {
			if ns, ok := event.ParseTime(r.outer.Get(p).Text(nil)); ok {
				return ns
			}
		}
	}
	return r.clock.Now.UnixNano()
}

// timeCounters are the times' counters, over all batches and workers.
type timeCounters struct{ yearless, unset, future, missing *metrics.Counter }

func newTimeCounters(s *metrics.Set) timeCounters {
	return timeCounters{
		yearless: s.GetOrCreateCounter(`leat_times_total{what="yearless"}`),
		unset:    s.GetOrCreateCounter(`leat_times_total{what="unset"}`),
		future:   s.GetOrCreateCounter(`leat_times_total{what="future"}`),
		missing:  s.GetOrCreateCounter(`leat_times_total{what="missing"}`),
	}
}

// count adds what was counted to the counters, and begins anew.
func (t *times) count() {
	if c := &t.counters; c.missing != nil {
		c.yearless.Add(t.yearless)
		c.unset.Add(t.unset)
		c.future.Add(t.future)
		c.missing.Add(t.missing)
	}
	t.yearless, t.unset, t.future, t.missing = 0, 0, 0, 0
}
