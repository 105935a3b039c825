package enrich

import (
	"bytes"
	"fmt"

	"leat/pkg/event"
)

// listColumn is the only column of a list.
const listColumn = "value"

// listLoader reads one value a line; blank lines and lines that begin with # are skipped.
type listLoader struct{}

func (listLoader) load(data []byte, d *DimensionConfig) (*table, error) {
	t := &table{columns: []string{listColumn}}
	for line := range bytes.Lines(bytes.TrimPrefix(data, []byte("\ufeff"))) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		if t.rows() == d.MaxRows {
			return nil, fmt.Errorf("more than max_rows (%d) rows", d.MaxRows)
		}
		t.cells = event.AppendString(t.cells, line)
		if err := t.add(); err != nil {
			return nil, err
		}
	}
	return t, nil
}
