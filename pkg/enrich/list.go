package enrich

import (
	"bytes"

	"leat/pkg/dimension"
)

// listColumn is the only column of a list.
const listColumn = "value"

// loadList reads one value a line; blank lines and lines that begin with # are skipped.
func loadList(data []byte, d *DimensionConfig) (*dimension.Table, error) {
	b := dimension.NewBuilder(d.limits(), listColumn)
	for line := range bytes.Lines(bytes.TrimPrefix(data, []byte("\ufeff"))) {
		line = bytes.TrimSpace(line)
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		if err := b.SetString(0, string(line)); err != nil {
			return nil, err
		}
		if err := b.EndRow(); err != nil {
			return nil, err
		}
	}
	return b.Table(), nil
}
