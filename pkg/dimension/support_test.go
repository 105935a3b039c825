package dimension

import (
	"encoding/csv"
	"strings"
	"testing"
)

// templates reads key columns.
func templates(t testing.TB, keys ...string) []Template {
	t.Helper()
	var out []Template
	for _, k := range keys {
		tpl, err := ParseTemplate(k)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, tpl)
	}
	return out
}

// tableOf makes a table of text cells from CSV with a header line.
func tableOf(t testing.TB, text string) *Table {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	b := NewBuilder(Limits{}, rows[0]...)
	for _, row := range rows[1:] {
		for i, cell := range row {
			if err := b.SetString(i, cell); err != nil {
				t.Fatal(err)
			}
		}
		if err := b.EndRow(); err != nil {
			t.Fatal(err)
		}
	}
	return b.Table()
}

// build makes a dimension of CSV.
func build(t testing.TB, text string, shape Shape, keys ...string) (*Dimension, error) {
	t.Helper()
	shape.Keys = templates(t, keys...)
	return Build(tableOf(t, text), shape)
}

// buildObjects makes a dimension of JSON objects.
func buildObjects(t testing.TB, shape Shape, rows ...string) (*Dimension, error) {
	t.Helper()
	b := NewBuilder(Limits{})
	for _, row := range rows {
		if err := b.Object([]byte(row)); err != nil {
			t.Fatal(err)
		}
	}
	return Build(b.Table(), shape)
}
