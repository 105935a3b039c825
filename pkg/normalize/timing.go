package normalize

import (
	"time"

	"leat/pkg/event"
	"leat/pkg/normalize/parse"
)

// timestamp sets @timestamp from the record, else from its syslog header, else from what ingest noted, else from the clock.
func (r *runner) timestamp() {
	r.times.doubted = false
	r.chooseTime()
	if r.times.doubted {
		r.put(r.plan.auto.told, r.time(r.times.told))
	}
}

func (r *runner) chooseTime() {
	if t := r.plan.timing; t != nil {
		clock := r.clock
		if t.zone != nil {
			if z, _ := r.read(t.zone); !z.empty() {
				clock.Zone = parse.Zone(string(r.textOf(z)), clock.Zone)
			}
		}
		for _, s := range t.sources {
			v, cell := r.read(s)
			if v.kind == event.Missing {
				continue
			}
			if ns, ok := readTime(clock, t.layouts, r.textOf(v)); ok && r.believes(ns) {
				r.put(r.plan.auto.timestamp, r.time(ns))
				if cell != parse.None {
					r.rec.Cells[cell].Used = true
				}
				return
			}
		}
	}
	if r.hasHead && len(r.head.Time) > 0 {
		clock := r.clock
		if len(r.head.Zone) > 0 {
			clock.Zone = parse.Zone(string(r.head.Zone), clock.Zone)
		}
		ns, ok := r.minute.Time(clock, r.head.Time)
		if len(r.head.Time) == len(time.Stamp) {
			r.times.yearless++
		}
		if ok && r.believes(ns) {
			r.put(r.plan.auto.timestamp, r.time(ns))
			return
		}
	}
	if !r.times.doubted {
		r.times.missing++
	}
	r.put(r.plan.auto.timestamp, r.time(r.received()))
}

func readTime(c parse.Clock, layouts []string, t []byte) (int64, bool) {
	for _, l := range layouts {
		if ns, ok := c.Layout(t, l); ok {
			return ns, true
		}
	}
	return c.Time(t)
}

// headerZone is the zone in which the syslog header's time was read, where it does not say one itself (ECS event.timezone).
func (r *runner) headerZone() value {
	if len(r.head.Time) == 0 || len(r.head.Zone) > 0 {
		return text(r.head.Zone)
	}
	if _, says := event.ParseTime(r.head.Time); says {
		return value{}
	}
	if r.clock.Zone == nil {
		return text(utcText)
	}
	return text([]byte(r.clock.Zone.String()))
}

var utcText = []byte("UTC")
