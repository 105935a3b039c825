package enrich

import (
	"bytes"
	"fmt"
	"time"

	"leat/pkg/dimension"
	"leat/pkg/event"
)

// HistoryConfig keeps, of a dimension whose source only says how things are now, how they were: each row gets the times
// between which a fetch saw it so.
type HistoryConfig struct {
	// Key names the column that tells which rows are of one thing; default is the dimension's first key column.
	Key string `yaml:"key"`
	// Keep is how long rows that ended are kept; 0 = 400 days.
	Keep time.Duration `yaml:"keep"`
}

// Columns of a remembered table.
const (
	validFrom = "valid_from"
	validTo   = "valid_to"
)

const defaultKeep = 400 * 24 * time.Hour

// remember joins what a source says now to what it said before: a row that is as it was goes on, one that changed or
// vanished ends at the time of the fetch, and one that is new begins there; at the very first fetch rows are valid since
// ever.
func (k *keeper) remember(past *dimension.Table, now *dimension.Fetched) (*dimension.Table, error) {
	h := k.cfg.History
	t := now.Table
	id := t.Column(h.Key)
	if id < 0 {
		return nil, fmt.Errorf("history: no column %q; the table has %q", h.Key, t.Columns())
	}
	m := merger{b: dimension.NewBuilder(k.cfg.limits(), append(t.Columns(), validFrom, validTo)...), now: t, id: id,
		at: quoteTime(now.AsOf), seen: make(map[string]int, t.Rows())}
	for row := range t.Rows() {
		if key := t.Cell(row, id); len(key) > 0 {
			m.seen[string(key)] = row
		}
	}
	if past != nil {
		m.old = past
		if err := m.past(now.AsOf.Add(-h.Keep)); err != nil {
			return nil, err
		}
	}
	for row := range t.Rows() {
		if m.same != nil && m.same[row] {
			continue
		}
		from := m.at
		if past == nil {
			from = nil
		}
		if err := m.add(t, row, nil, from, nil); err != nil {
			return nil, err
		}
	}
	return m.b.Table(), nil
}

// begins is the time at which what was fetched begins to hold: that of its source, but where that lies before something that
// is remembered (a file was put back with its old time) the time of the clock.
func begins(past *dimension.Table, asOf, now time.Time) time.Time {
	if past == nil {
		return asOf
	}
	newest := asOf
	for _, name := range []string{validFrom, validTo} {
		col := past.Column(name)
		for row := 0; col >= 0 && row < past.Rows(); row++ {
			cell := past.Cell(row, col)
			if len(cell) == 0 {
				continue
			}
			if ns, ok := event.ParseTime(event.ValueOf(cell).Text(nil)); ok && ns > newest.UnixNano() {
				newest = time.Unix(0, ns)
			}
		}
	}
	if newest.After(asOf) && now.After(newest) {
		return now
	}
	return newest
}

// merger makes a remembered table.
type merger struct {
	b    *dimension.Builder
	now  *dimension.Table
	old  *dimension.Table
	id   int
	at   []byte         // the time of the fetch, as JSON
	seen map[string]int // row of now by key
	same []bool         // rows of now that go on as they were
}

// past takes over the old rows, but for those that ended before the limit.
func (m *merger) past(limit time.Time) error {
	cols := make([]int, len(m.now.Columns()))
	for i, name := range m.now.Columns() {
		cols[i] = m.old.Column(name)
	}
	id, from, to := cols[m.id], m.old.Column(validFrom), m.old.Column(validTo)
	if id < 0 || from < 0 || to < 0 {
		return nil
	}
	m.same = make([]bool, m.now.Rows())
	for row := range m.old.Rows() {
		end := m.old.Cell(row, to)
		if len(end) > 0 {
			if ns, ok := event.ParseTime(event.ValueOf(end).Text(nil)); ok && ns < limit.UnixNano() {
				continue
			}
		} else if at, ok := m.seen[string(m.old.Cell(row, id))]; ok && m.equal(at, row, cols) {
			m.same[at] = true
		} else {
			end = m.at
		}
		if err := m.add(m.old, row, cols, m.old.Cell(row, from), end); err != nil {
			return err
		}
	}
	return nil
}

// equal tells whether a row of now says what a row of old said.
func (m *merger) equal(now, old int, cols []int) bool {
	for i, col := range cols {
		var was []byte
		if col >= 0 {
			was = m.old.Cell(old, col)
		}
		if !bytes.Equal(m.now.Cell(now, i), was) {
			return false
		}
	}
	return true
}

func (m *merger) add(t *dimension.Table, row int, cols []int, from, to []byte) error {
	n := len(m.now.Columns())
	for i := range n {
		col := i
		if cols != nil {
			col = cols[i]
		}
		if col < 0 {
			continue
		}
		if err := m.b.Set(i, t.Cell(row, col)); err != nil {
			return err
		}
	}
	if err := m.b.Set(n, from); err != nil {
		return err
	}
	if err := m.b.Set(n+1, to); err != nil {
		return err
	}
	return m.b.EndRow()
}

func quoteTime(t time.Time) []byte {
	return append(event.AppendTime([]byte{'"'}, t.UnixNano()), '"')
}
