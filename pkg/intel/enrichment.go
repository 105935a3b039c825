package intel

import (
	"bytes"

	"leat/pkg/dimension"
	"leat/pkg/event"
)

// appendEnrichment appends the element of threat.enrichments for a hit: what the indicator is, and that the event's field had this value.
// It is the same for the same row, field and value.
func appendEnrichment(dst []byte, t *dimension.Table, row int, field string, value []byte) []byte {
	dst = append(dst, `{"indicator":{`...)
	for _, m := range [...]struct {
		name string
		col  int
	}{
		{`"type":`, numType}, {`"name":`, numIndicator}, {`"confidence":`, numLevel}, {`"provider":`, numProvider}, {`"reference":`, numReference},
		{`"description":`, numDescription}, {`"first_seen":`, numFirstSeen}, {`"last_seen":`, numLastSeen},
	} {
		if cell := t.Cell(row, m.col); len(cell) > 0 {
			dst = append(append(comma(dst), m.name...), cell...)
		}
	}
	if cell := t.Cell(row, numTLP); len(cell) > 0 {
		dst = append(append(append(comma(dst), `"marking":{"tlp":`...), cell...), '}')
	}
	dst = appendObservable(dst, t, row)
	dst = append(dst, `},"matched":{"atomic":`...)
	dst = append(event.AppendString(dst, value), `,"field":`...)
	dst = event.AppendString(dst, field)
	if cell := t.Cell(row, numID); len(cell) > 0 {
		dst = append(append(dst, `,"id":`...), cell...)
	}
	dst = append(dst, `,"type":"indicator_match_rule"},"feed":{"name":`...)
	return append(append(dst, t.Cell(row, numFeed)...), "}}"...)
}

// appendObservable writes the value where ECS has it for its type.
func appendObservable(dst []byte, t *dimension.Table, row int) []byte {
	open, closing := "", "}"
	switch kindOfCell(t.Cell(row, numKind)) {
	case IPv4, IPv6:
		open, closing = `"ip":`, ""
	case Domain:
		open = `"url":{"domain":`
	case URL:
		open = `"url":{"full":`
	case Email:
		open = `"email":{"address":`
	case MD5:
		open, closing = `"file":{"hash":{"md5":`, "}}"
	case SHA1:
		open, closing = `"file":{"hash":{"sha1":`, "}}"
	case SHA256:
		open, closing = `"file":{"hash":{"sha256":`, "}}"
	case SHA512:
		open, closing = `"file":{"hash":{"sha512":`, "}}"
	default:
		return dst
	}
	dst = append(append(comma(dst), open...), t.Cell(row, numIndicator)...)
	return append(dst, closing...)
}

// comma separates from the member before. A value never ends in '{'.
func comma(dst []byte) []byte {
	if dst[len(dst)-1] == '{' {
		return dst
	}
	return append(dst, ',')
}

// writer writes hits to events.
type writer struct {
	enrichments event.Path
	indicator   event.Path
	paths       []event.Path // of Fields
	cols        []int
	list, one   []byte
}

func newWriter() writer {
	w := writer{enrichments: event.MustPath("threat.enrichments"), indicator: event.MustPath("threat.indicator")}
	at := map[string]int{}
	for i, c := range Columns() {
		at[c] = i
	}
	for _, f := range Fields() {
		w.paths = append(w.paths, event.MustPath(f[0]))
		w.cols = append(w.cols, at[f[1]])
	}
	return w
}

// Enrich matches e and writes what was found: an element of threat.enrichments for each indicator, behind those that are there, and, where
// the event has no threat.indicator of its own, the most confident one's fields (see Fields). An element that is there already is not
// written again: an event can be enriched twice. It returns the number of indicators. Where threat is not an object, what the sender said
// stays and the error says so.
func (m *Matcher) Enrich(e *event.Event) (int, error) {
	hits := m.Match(e)
	if len(hits) == 0 {
		return 0, nil
	}
	w, t := &m.out, m.set.table
	w.list = append(w.list[:0], '[')
	was := e.Get(w.enrichments)
	for el := range was.Elements {
		if el.Kind != event.Null {
			w.list = append(commaInList(w.list), el.Raw...)
		}
	}
	had := len(w.list)
	best := hits[0]
	for _, h := range hits {
		w.one = appendEnrichment(w.one[:0], t, h.Row, h.Field, m.Value(h))
		if !holds(was, w.one) {
			w.list = append(commaInList(w.list), w.one...)
		}
		if number(t.Cell(h.Row, numConfidence)) > number(t.Cell(best.Row, numConfidence)) {
			best = h
		}
	}
	if len(w.list) == had {
		return len(hits), nil
	}
	w.list = append(w.list, ']')
	fresh := e.Lookup(w.indicator) == event.None
	if err := e.Set(w.enrichments, w.list); err != nil {
		return len(hits), err
	}
	if !fresh {
		return len(hits), nil
	}
	for i, p := range w.paths {
		if cell := t.Cell(best.Row, w.cols[i]); len(cell) > 0 {
			if _, err := e.SetNew(p, cell); err != nil {
				return len(hits), err
			}
		}
	}
	return len(hits), nil
}

// holds tells whether a list has the element.
func holds(list event.Value, element []byte) bool {
	for el := range list.Elements {
		if bytes.Equal(el.Raw, element) {
			return true
		}
	}
	return false
}

func commaInList(dst []byte) []byte {
	if len(dst) > 1 {
		dst = append(dst, ',')
	}
	return dst
}

func number(cell []byte) int {
	n := 0
	for _, c := range cell {
		n = n*10 + int(c-'0')
	}
	return n
}
