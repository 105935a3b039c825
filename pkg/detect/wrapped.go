package detect

import (
	"bytes"

	"leat/pkg/event"
)

var (
	pathOriginal = event.MustPath("event.original")
	pathEventID  = event.MustPath("event.id")
	pathDataset  = event.MustPath("event.dataset")
	pathKind     = event.MustPath("event.kind")
	pathEscaped  = event.MustPath("leat.escaped")
)

// unwrapper lets rules see into records that ingest wrapped and nobody normalised, where they are JSON objects: such as those
// of a Windows event log. The events themselves go on as they are.
type unwrapper struct {
	batch event.Batch // of the objects
	outer []*event.Event
	at    []int
}

// open puts, for each event of b that is such a record, the object in its place.
func (u *unwrapper) open(b *event.Batch) {
	u.batch.Reset()
	u.outer, u.at = u.outer[:0], u.at[:0]
	for i, e := range b.Events {
		if in := u.inside(e); in != nil {
			u.outer, u.at = append(u.outer, e), append(u.at, i)
			b.Events[i] = in
		}
	}
}

// close puts the events back, with the alerts that were raised behind them.
func (u *unwrapper) close(b *event.Batch, alertsOnly bool) {
	for k, i := range u.at {
		u.outer[k].TakeAfter(b.Events[i])
		if b.Events[i] = u.outer[k]; alertsOnly {
			u.outer[k].Drop()
		}
	}
}

// inside returns the object within e, with e's id, or nil.
func (u *unwrapper) inside(e *event.Event) *event.Event {
	if e.Failed() || e.Parse() != nil || !wrapped(e) || e.Get(pathEscaped).Exists() {
		return nil
	}
	v := e.Get(pathOriginal)
	if v.Kind != event.String || !bytes.HasPrefix(v.Raw, []byte(`"{`)) {
		return nil
	}
	in := u.batch.Push(u.batch.End(v.Text(u.batch.Begin(len(v.Raw)))))
	if in.Parse() != nil {
		return nil
	}
	// What it says of itself to the stages is a sender's word.
	in.Delete(pathKind)
	for _, p := range []event.Path{pathEventID, pathDataset} {
		if v := e.Get(p); v.Exists() && in.Set(p, v.Raw) != nil {
			return nil
		}
	}
	return in
}

// wrapped tells whether e has nothing but what ingest writes.
func wrapped(e *event.Event) bool {
	root := e.Root()
	for n := e.First(root); n != event.None; n = e.Next(n) {
		switch string(e.RawKey(n)) {
		case "log", "leat":
		case "event":
			if e.KindAt(n) != event.Object {
				return false
			}
			for m := e.First(n); m != event.None; m = e.Next(m) {
				switch string(e.RawKey(m)) {
				case "id", "dataset", "original":
				default:
					return false
				}
			}
		default:
			return false
		}
	}
	return e.First(root) != event.None
}
