package enrich

import (
	"bytes"
	"time"

	"leat/internal/address"
	"leat/pkg/dimension"
	"leat/pkg/event"
)

// Status is what a look-up came to.
type Status uint8

// The statuses. None: the event has no key to look up.
const (
	None Status = iota
	Hit
	Miss
	Stale // found, in a snapshot that is older than max_age
	Error // the dimension is not there, or broken at that place
	statuses
)

// String returns the word that is written to leat.enrich.<name>.
func (s Status) String() string {
	return [statuses]string{"none", "hit", "miss", "stale", "error"}[s]
}

// worker enriches events one after the other; its buffers are reused, so that it does not allocate.
type worker struct {
	key, text, value []byte
	asking           asking
	asked            []byte // what was looked up last; valid until the event changes
	at               int64  // the event's time, in nanoseconds since 1970, where a dimension's rows have times
}

// apply enriches e by r. With failed the event must become a pipeline_error. With held nothing was written: the stream is
// to wait for a better answer, unless its patience is over.
func (w *worker) apply(r *rule, e *event.Event, now time.Time, over bool) (st Status, failed, held bool) {
	if r.unless != nil && e.Lookup(*r.unless) != event.None {
		return None, false, false
	}
	if r.policy.indicators {
		if r.matcher == nil && !over && r.holds(Error) > 0 {
			return Error, false, true
		}
		st, failed = r.match(e, now)
		return st, failed, false
	}
	st, row := w.find(r, e)
	if st == Hit && r.maxAge > 0 && r.snap != nil && now.Sub(r.snap.seen()) > r.maxAge {
		st = Stale
	}
	if !over && r.holds(st) > 0 {
		return st, false, true
	}
	switch st {
	case None:
		return st, false, false
	case Hit:
		w.write(r, e, r.set, row)
	case Miss:
		if r.policy.OnMiss.value == "default" {
			w.write(r, e, r.defaults, row)
		}
		failed = r.policy.OnMiss.value == "error"
	case Stale:
		switch r.policy.OnStale.value {
		case "error":
			failed = true
		case "default":
			w.write(r, e, r.defaults, row)
		default:
			w.write(r, e, r.set, row)
		}
	case Error:
		if r.policy.OnError.value == "default" {
			w.write(r, e, r.defaults, row)
		}
		failed = r.policy.OnError.value == "error"
	}
	r.note(e, st)
	return st, failed, false
}

// match looks for indicators in e.
func (r *rule) match(e *event.Event, now time.Time) (st Status, failed bool) {
	if r.matcher == nil {
		r.note(e, Error)
		return Error, r.policy.OnError.value == "error"
	}
	stale := r.maxAge > 0 && now.Sub(r.snap.seen()) > r.maxAge
	if stale && r.policy.OnStale.value == "error" {
		if len(r.matcher.Match(e)) > 0 {
			r.note(e, Stale)
			return Stale, true
		}
		return Miss, false
	}
	st = Miss
	switch n, err := r.matcher.Enrich(e); {
	case n > 0 && stale:
		st = Stale
	case n > 0 && err == nil:
		st = Hit
	case n > 0:
		// What the sender calls threat is in the way.
		st = Error
		failed = r.policy.OnError.value == "error"
	}
	r.note(e, st)
	return st, failed
}

// note writes what became of the look-up. Where a sender's own leat is no object, Set fails and what the sender said stays.
func (r *rule) note(e *event.Event, st Status) {
	if r.status != nil {
		_ = e.SetString(*r.status, st.String())
	}
	if r.version != nil && r.snap != nil {
		_ = e.SetString(*r.version, r.snap.Version)
	}
}

// find looks the event's keys up, in the rule's order, until one is known.
func (w *worker) find(r *rule, e *event.Event) (st Status, row int) {
	for i := range r.keys {
		k := &r.keys[i]
		if !k.Plain() {
			if w.join(k, e) {
				if st, row = w.lookup(r, w.text); st != Miss {
					return st, row
				}
			}
			continue
		}
		v := e.Get(k.paths[0])
		switch v.Kind {
		case event.Missing, event.Null, event.Object:
		case event.Array:
			// host.ip and the like: the first address that is known.
			for el := range v.Elements {
				if got, at := w.lookup(r, w.decode(el)); got != None {
					if st, row = got, at; st != Miss {
						return st, row
					}
				}
			}
		default:
			if got, at := w.lookup(r, w.decode(v)); got != None {
				if st, row = got, at; st != Miss {
					return st, row
				}
			}
		}
	}
	return st, row
}

// decode returns the text of v, in w.value where it has escapes.
func (w *worker) decode(v event.Value) []byte {
	if !v.Escaped() {
		return v.Text(nil)
	}
	w.value = v.Text(w.value)
	return w.value
}

// join writes the key of several fields to w.text; it is false where one of them is not there.
func (w *worker) join(k *keyFields, e *event.Event) bool {
	w.text = w.text[:0]
	for i, p := range k.paths {
		v := e.Get(p)
		if v.Kind < event.False || v.Kind > event.String {
			return false
		}
		w.text = append(w.text, k.Texts[i]...)
		if v.Escaped() {
			w.text = event.AppendUnquoted(w.text, v.Raw[1:len(v.Raw)-1])
		} else {
			w.text = append(w.text, v.Text(nil)...)
		}
	}
	w.text = append(w.text, k.Texts[len(k.paths)]...)
	return true
}

// lookup asks the dimension. Text that is empty but for space is no key.
func (w *worker) lookup(r *rule, text []byte) (Status, int) {
	if text = bytes.TrimSpace(text); len(text) == 0 {
		return None, -1
	}
	w.asked = text
	switch {
	case r.learned != nil:
		if row := r.learned.Find(text, w.at); row >= 0 {
			return Hit, row
		}
		return Miss, -1
	case r.remote != nil:
		w.key = dimension.AppendKey(w.key[:0], text, r.fold)
		return w.ask(r, w.key)
	case r.snap == nil:
		return Error, -1
	case r.geo == nil:
		w.key = r.snap.dim.AppendKey(w.key[:0], text)
		if row := r.snap.dim.Find(w.key, w.at); row >= 0 {
			return Hit, row
		}
		return Miss, -1
	}
	a, ok := address.Parse(text)
	if !ok {
		return Miss, -1
	}
	row, err := r.geo.find(a.Unmap())
	switch {
	case err != nil:
		return Error, -1
	case row < 0:
		return Miss, -1
	}
	return Hit, row
}

// write sets fields of e from a row, or from constants. What the event says stays, unless overwrite is on; so does a value
// that is in the way of a field (user is a text, user.name to be set).
func (w *worker) write(r *rule, e *event.Event, set []assignment, row int) {
	for i := range set {
		a := &set[i]
		raw := a.raw
		switch {
		case raw != nil:
		case r.remote != nil:
			raw = w.asking.row.Get(a.from).Raw
		case r.learned != nil:
			raw = r.learned.Cell(row, a.col)
		case r.geo != nil:
			raw = r.geo.cells[row+a.col]
		default:
			raw = r.snap.dim.Cell(row, a.col)
		}
		if len(raw) == 0 {
			continue
		}
		// What is in the way of a field, and is no object, stays.
		if r.policy.Overwrite {
			_ = e.Set(a.path, raw)
		} else {
			_, _ = e.SetNew(a.path, raw)
		}
	}
}
