package persist

import (
	"fmt"
	"strings"

	"leat/internal/parquet"
	"leat/pkg/lake"
	"leat/pkg/row"
)

// table writes rows of spills to Parquet files, one after the other. Its memory is kept from file to file.
type table struct {
	cols  *row.Columns
	kind  int // the column event.kind
	out   *parquet.Writer
	cells []row.Cell
	rows  rowReader

	// What the lake's log wants to know of the file's rows.
	timed    bool
	min, max int64
	kinds    map[string]*int64
}

// schemaOf returns the schema of the lake's files: field i is column i of cols, the last is rest.
func schemaOf(cols *row.Columns) (*parquet.Schema, error) {
	kinds := map[row.Type]parquet.Kind{
		row.Text: parquet.Text, row.Texts: parquet.Texts, row.Int: parquet.Int, row.Float: parquet.Float, row.Bool: parquet.Bool, row.Time: parquet.Time,
	}
	var fields []parquet.Field
	for _, c := range cols.List() {
		fields = append(fields, parquet.Field{Path: strings.Split(c.Field, "."), Kind: kinds[c.Type]})
	}
	return parquet.NewSchema(append(fields, parquet.Field{Path: []string{row.Rest}, Kind: parquet.Text}))
}

func newTable(cols *row.Columns, schema *parquet.Schema) (*table, error) {
	w, err := parquet.NewWriter(schema)
	if err != nil {
		return nil, err
	}
	t := &table{cols: cols, kind: -1, out: w}
	for i, c := range cols.List() {
		if c.Field == "event.kind" {
			t.kind = i
		}
	}
	return t, nil
}

// begin forgets the file before.
func (t *table) begin() {
	t.timed, t.min, t.max, t.kinds = false, 0, 0, map[string]*int64{}
}

// read takes a row apart; what it refuses would make a file that no reader takes.
func (t *table) read(body []byte) error {
	t.cells = t.cells[:0]
	var seen [4]uint64
	for len(body) > 0 {
		cell, rest, err := t.cols.NextCell(body)
		if err != nil {
			return err
		}
		word, bit := &seen[cell.Column>>6], uint64(1)<<(cell.Column&63)
		if *word&bit != 0 {
			return fmt.Errorf("damaged row: column %d is there twice", cell.Column)
		}
		*word |= bit
		t.cells = append(t.cells, cell)
		body = rest
	}
	return nil
}

// add writes the row that was read last; at is its time in ns, or noTime.
func (t *table) add(at int64) error {
	for i := range t.cells {
		c := &t.cells[i]
		switch c.Type {
		case row.Text:
			t.out.Text(c.Column, c.Bytes)
			if c.Column == t.kind {
				t.count(c.Bytes)
			}
		case row.Texts:
			t.out.List(c.Column, c.Count)
			texts := c.Bytes
			for range c.Count {
				var text []byte
				text, texts, _ = row.NextText(texts) // read has checked them
				t.out.Item(c.Column, text)
			}
		default:
			t.out.Bits(c.Column, c.Bits)
		}
	}
	if at != noTime {
		if !t.timed {
			t.min, t.max, t.timed = at, at, true
		}
		t.min, t.max = min(t.min, at), max(t.max, at)
	}
	return t.out.EndRow()
}

// maxKinds bounds the table of kinds: ECS knows eight, and anything may stand in a log.
const (
	maxKinds    = 32
	maxKindName = 64
)

func (t *table) count(kind []byte) {
	// By pointers: an assignment to the map would need the name as a string of its own, each time.
	if n, ok := t.kinds[string(kind)]; ok {
		*n++
	} else if len(t.kinds) < maxKinds && len(kind) <= maxKindName {
		n := int64(1)
		t.kinds[string(kind)] = &n
	}
}

func (t *table) file(p partition, rows int64) lake.File {
	kinds := make(map[string]int64, len(t.kinds))
	for k, n := range t.kinds {
		kinds[k] = *n
	}
	return lake.File{Dataset: p.dataset, Date: p.date(), Rows: rows, MinTime: t.min, MaxTime: t.max, Kinds: kinds, Columns: row.Version}
}
