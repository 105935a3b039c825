package correlate

import "sort"

// Status is what a group's window has come to.
type Status struct {
	// Start and End are the times of its first and last event; until Until others may join it.
	Start, End, Until int64
	Count             int64
	Value             float64 // what the condition is about
	Revision          int     // of its match; 0: none was raised
	Told              int64   // events when that was raised
	// Due is, for a closing condition, the stream's time after which it is decided; else 0.
	Due int64
}

// Status returns the window of a group that an event at time at is in: the one that was raised, or else what led up to the event. ok
// is false where the group holds nothing of that time. It changes nothing.
func (e *Engine) Status(rule int, key []byte, at int64) (s Status, ok bool) {
	r := e.rules[rule]
	i, ok := r.byKey[string(key)]
	if !ok {
		return Status{}, false
	}
	at = sane(at)
	g := r.groups.at(i)
	if c := g.covered(r, at); c != nil {
		return Status{Start: c.start, End: c.end, Until: c.start + r.span, Count: c.count, Value: c.value, Revision: int(c.revision), Told: c.told}, true
	}
	behind := func(at int64) int {
		return sort.Search(len(g.entries), func(i int) bool { return g.entries[i].at > at })
	}
	lo, hi := behind(at-r.span-1), behind(at)
	var lost, due int64
	if g.more != nil && len(g.entries) > 0 {
		lo, hi = 0, behind(g.entries[0].at+r.span)
		lost, due = g.more.lost, g.more.due
		for hi < len(g.entries) && at > g.entries[lo].at+r.span { // of a window that follows
			lo, hi = hi, behind(g.entries[hi].at+r.span)
			lost, due = 0, g.entries[lo].at+r.horizon
		}
	}
	if lo >= hi || at < g.entries[lo].at {
		return Status{}, false
	}
	list := g.entries[lo:hi]
	s = Status{Start: list[0].at, End: list[len(list)-1].at, Until: list[0].at + r.span, Count: lost}
	for _, x := range list {
		s.Count += int64(x.n)
	}
	_, s.Value = e.decide(r, list, lost)
	s.Due = due
	return s, true
}
