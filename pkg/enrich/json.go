package enrich

import (
	"bytes"
	"errors"
	"fmt"

	"leat/pkg/dimension"
)

// loadJSON reads rows that are JSON objects: one a line, or all in one array. A nested member is a column with dots
// (office.city). The columns are those of all rows together; null is no value.
func loadJSON(data []byte, d *DimensionConfig) (*dimension.Table, error) {
	data = bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\ufeff")))
	b := dimension.NewBuilder(d.limits())
	if len(data) > 0 && data[0] == '[' {
		all, err := parseValue(data)
		if err != nil {
			return nil, errors.New("not a JSON array (a torn file?)")
		}
		for el := range all.Elements {
			if err := b.Object(el.Raw); err != nil {
				return nil, fmt.Errorf("row %d: %w", b.Rows()+1, err)
			}
		}
		return b.Table(), nil
	}
	line := 0
	for raw := range bytes.Lines(data) {
		line++
		if raw = bytes.TrimSpace(raw); len(raw) == 0 {
			continue
		}
		if err := b.Object(raw); err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
	}
	return b.Table(), nil
}
