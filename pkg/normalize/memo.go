package normalize

import "leat/pkg/event"

// writtenTime remembers the minute of the time that was written last, as JSON text: the next one is mostly of the same, and only
// its seconds are other.
type writtenTime struct {
	start int64
	text  []byte // `"2026-11-24T08:12:03.000Z"`; empty = none
}

// Where the seconds stand in the text, and how far a minute goes.
const (
	secondsAt = len(`"2026-11-24T08:12:`)
	minute    = int64(60e9)
)

// append appends the time ns as a JSON string.
func (w *writtenTime) append(dst []byte, ns int64) []byte {
	in := ns - w.start
	if uint64(in) < uint64(minute) && in%1e9 == 0 && len(w.text) > 0 {
		sec := byte(in / 1e9)
		w.text[secondsAt], w.text[secondsAt+1] = '0'+sec/10, '0'+sec%10
		return append(dst, w.text...)
	}
	at := len(dst)
	dst = append(event.AppendTime(append(dst, '"'), ns), '"')
	if ns > 0 && ns%1e9 == 0 {
		w.start = ns - ns%minute
		w.text = append(w.text[:0], dst[at:]...)
	}
	return dst
}

// tried tells which signs a record was asked for already: several literals of a text may lead to the same one.
type tried struct {
	round uint32
	last  []uint32 // the round in which it was, by the sign's number
}

// next begins with another record.
func (t *tried) next(signs int) {
	if len(t.last) < signs {
		t.last = append(t.last, make([]uint32, signs-len(t.last))...)
	}
	if t.round++; t.round == 0 {
		clear(t.last)
		t.round = 1
	}
}

// again tells whether n was asked for in this round; from now on it was.
func (t *tried) again(n int32) bool {
	if t.last[n] == t.round {
		return true
	}
	t.last[n] = t.round
	return false
}
