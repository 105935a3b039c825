package learn

import (
	"slices"

	"leat/pkg/event"
)

// Interval is a time, From included and To not (ns), within which a key has one answer.
type Interval struct {
	From, To int64
	// Row is a JSON object of the columns that have a value then.
	Row []byte
}

// Intervals returns what is known of a key, oldest first: exactly what Find answers, for every time up to the last at which anything
// holds. It changes nothing, and is not for the path of events.
func (t *Table) Intervals(key []byte) []Interval {
	i, ok := t.byKey[string(appendKey(nil, key))]
	if !ok {
		return nil
	}
	x := &t.items[i]
	var cuts []int64
	for _, e := range x.entries {
		for _, at := range []int64{e.first, e.last, e.last + t.within, e.to} {
			// An end holds from its own nanosecond on, a claim to its last: so both sides are looked at.
			cuts = append(cuts, at, at+1)
		}
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	var out []Interval
	for j, from := range cuts[:len(cuts)-1] {
		if !t.resolve(x, from) {
			continue
		}
		row := t.appendAnswer(nil)
		if n := len(out); n > 0 && out[n-1].To == from && string(out[n-1].Row) == string(row) {
			out[n-1].To = cuts[j+1]
			continue
		}
		out = append(out, Interval{from, cuts[j+1], row})
	}
	return out
}

// appendAnswer appends the row that resolve found, without the columns that tell when it was seen.
func (t *Table) appendAnswer(dst []byte) []byte {
	dst = append(dst, '{')
	first := len(dst)
	for col, w := range t.answer.win {
		if w.cell == "" {
			continue
		}
		if len(dst) > first {
			dst = append(dst, ',')
		}
		dst = append(append(event.AppendString(dst, t.columns[col]), ':'), w.cell...)
	}
	if t.answer.shared {
		if len(dst) > first {
			dst = append(dst, ',')
		}
		dst = append(dst, `"shared":true`...)
	}
	return append(dst, '}')
}

// AppendIntervals appends what is known of a key as JSON objects, one a line: {"from":...,"to":...,"row":{...}}.
func (t *Table) AppendIntervals(dst, key []byte) []byte {
	for _, iv := range t.Intervals(key) {
		dst = event.AppendTime(append(dst, `{"from":"`...), iv.From)
		dst = event.AppendTime(append(dst, `","to":"`...), iv.To)
		dst = append(append(append(dst, `","row":`...), iv.Row...), "}\n"...)
	}
	return dst
}

// Keys calls yield for each key, in alphabetical order.
func (t *Table) Keys(yield func(key string) bool) {
	all := make([]string, 0, len(t.byKey))
	for key := range t.byKey {
		all = append(all, key)
	}
	slices.Sort(all)
	for _, key := range all {
		if !yield(key) {
			return
		}
	}
}
