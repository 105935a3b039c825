package enrich

import (
	"fmt"

	"leat/pkg/event"
)

// keyColumn is a compiled key of a dimension: one column, or several joined with text.
type keyColumn struct {
	template
	cols []int
}

func (s *Snapshot) keyColumns(d *DimensionConfig) ([]keyColumn, error) {
	var out []keyColumn
	for _, k := range d.Key {
		t, err := parseTemplate(k.value)
		if err != nil {
			return nil, err
		}
		kc := keyColumn{template: t}
		for _, name := range t.names {
			col := s.tab.column(name)
			if col < 0 {
				return nil, fmt.Errorf("no key column %q; the file has %q", name, s.tab.columns)
			}
			kc.cols = append(kc.cols, col)
		}
		out = append(out, kc)
	}
	return out, nil
}

// indexExact indexes every alias of every row. First all rows by their first key column, then by the second, and so on:
// where one row's alias is another's first key, the latter wins.
func (s *Snapshot) indexExact(d *DimensionConfig) (*exact, error) {
	keys, err := s.keyColumns(d)
	if err != nil {
		return nil, err
	}
	x := newExact(s.Rows * len(keys))
	var raw, folded []byte
	for _, k := range keys {
		for row := range s.Rows {
			add := func(text []byte) error {
				folded = appendKey(folded[:0], text, d.Fold)
				if len(folded) == 0 {
					return nil
				}
				switch had := x.insert(folded, row); {
				case had < 0:
					s.Keys++
				case had != row:
					s.Duplicates++
					if d.Duplicates == "error" {
						return fmt.Errorf("rows %d and %d have the same key %v", had+1, row+1, k.names)
					}
				}
				return nil
			}
			if k.plain() {
				// An array has several aliases.
				for el := range event.ValueOf(s.tab.cell(row, k.cols[0])).Elements {
					if err := add(el.Text(nil)); err != nil {
						return nil, err
					}
				}
				continue
			}
			if raw = k.join(raw[:0], s.tab, row); raw != nil {
				if err := add(raw); err != nil {
					return nil, err
				}
			}
		}
	}
	return x, nil
}

// join appends the key of a row; it returns nil where a column has no value.
func (k keyColumn) join(dst []byte, t *table, row int) []byte {
	for i, col := range k.cols {
		v := event.ValueOf(t.cell(row, col))
		if !v.Exists() {
			return nil
		}
		dst = append(dst, k.texts[i]...)
		dst = append(dst, v.Text(nil)...)
	}
	return append(dst, k.texts[len(k.cols)]...)
}
