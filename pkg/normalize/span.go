package normalize

import (
	"strconv"

	"leat/pkg/event"
)

// span is the leaves of event.start, event.end and event.duration: of any two, the third follows.
type span struct{ start, end, duration int }

// addSpan enters the third of them where the mapping has the duration and one of the others. A duration of -1 = it has not.
func (p *plan) addSpan(leaf, have func(string) int) {
	a := &p.auto.span
	a.duration = -1
	if d := have("event.duration"); d >= 0 && (have("event.start") >= 0 || have("event.end") >= 0) {
		a.duration, a.start, a.end = d, leaf("event.start"), leaf("event.end")
	}
}

// complete sets the start or the end that the other and the duration tell.
func (r *runner) complete(s *span) {
	if s.duration < 0 || !r.has(s.duration) || r.has(s.start) == r.has(s.end) {
		return
	}
	from, to, sign := s.start, s.end, int64(1)
	if r.has(s.end) {
		from, to, sign = s.end, s.start, -1
	}
	ns, ok := event.ParseTime(r.textOf(r.leaves[from][0]))
	d, err := strconv.ParseInt(string(r.leaves[s.duration][0].b), 10, 64)
	if !ok || err != nil || d < 0 || sign > 0 && ns > 1<<62 || sign < 0 && ns < d-1<<62 {
		return
	}
	r.put(to, r.time(ns+sign*d))
}
