package enrich

import (
	"bytes"
	"errors"
	"fmt"

	"leat/pkg/event"
)

// jsonLoader reads rows that are JSON objects: one a line, or all in one array. A nested member is a column with dots
// (office.city). The columns are those of all rows together; null is no value.
type jsonLoader struct{}

func (jsonLoader) load(data []byte, d *DimensionConfig) (*table, error) {
	data = bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\ufeff")))
	b := rowBuilder{at: map[string]int{}, t: &table{}, max: d.MaxRows}
	if len(data) > 0 && data[0] == '[' {
		all, err := parseValue(data)
		if err != nil {
			return nil, errors.New("not a JSON array (a torn file?)")
		}
		for el := range all.Elements {
			if err := b.row(el.Raw); err != nil {
				return nil, fmt.Errorf("row %d: %w", len(b.rows)+1, err)
			}
		}
		return b.table()
	}
	line := 0
	for raw := range bytes.Lines(data) {
		line++
		if raw = bytes.TrimSpace(raw); len(raw) == 0 {
			continue
		}
		if err := b.row(raw); err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
	}
	return b.table()
}

// maxColumns keeps a table of hostile or mistaken JSON from growing a column for every value.
const maxColumns = 4096

// rowBuilder collects rows whose columns are not known before.
type rowBuilder struct {
	t    *table
	at   map[string]int
	rows [][]jsonCell
	ev   event.Event
	max  int
}

type jsonCell struct {
	col int
	raw []byte
}

func (b *rowBuilder) row(raw []byte) error {
	if len(b.rows) == b.max {
		return fmt.Errorf("more than max_rows (%d) rows", b.max)
	}
	b.ev.Reset(raw)
	if err := b.ev.Parse(); err != nil {
		return errors.New("not a JSON object (a torn file?)")
	}
	b.rows = append(b.rows, nil)
	return b.members(b.ev.Root(), "")
}

func (b *rowBuilder) members(n event.Node, prefix string) error {
	for m := b.ev.First(n); m != event.None; m = b.ev.Next(m) {
		name := prefix + string(b.ev.Key(m))
		switch b.ev.KindAt(m) {
		case event.Object:
			if err := b.members(m, name+"."); err != nil {
				return err
			}
			continue
		case event.Null:
			continue
		}
		col, ok := b.at[name]
		if !ok {
			if len(b.t.columns) == maxColumns {
				return fmt.Errorf("more than %d columns", maxColumns)
			}
			col = len(b.t.columns)
			b.at[name] = col
			b.t.columns = append(b.t.columns, name)
		}
		last := len(b.rows) - 1
		b.rows[last] = append(b.rows[last], jsonCell{col, b.ev.ValueAt(m).Raw})
	}
	return nil
}

func (b *rowBuilder) table() (*table, error) {
	row := make([][]byte, len(b.t.columns))
	for _, cells := range b.rows {
		clear(row)
		for _, c := range cells {
			if row[c.col] == nil {
				row[c.col] = c.raw
			}
		}
		for _, raw := range row {
			b.t.cells = append(b.t.cells, raw...)
			if err := b.t.add(); err != nil {
				return nil, err
			}
		}
	}
	return b.t, nil
}
