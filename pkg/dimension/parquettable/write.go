package parquettable

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"

	"leat/pkg/dimension"
	"leat/pkg/event"
)

// rowGroup is how many rows a row group has.
const rowGroup = 1 << 18

// Write writes a table as a Parquet file, zstd: each column is an optional one of JSON, for cells are JSON values. The columns
// that times names are timestamps (nanoseconds, UTC) instead; each of their cells is a time as RFC 3339, which Load gives back
// in UTC.
func Write(w io.Writer, t *dimension.Table, times ...string) error {
	names := t.Columns()
	root := parquet.Group{}
	for _, n := range names {
		leaf := parquet.JSON()
		if slices.Contains(times, n) {
			leaf = parquet.Timestamp(parquet.Nanosecond)
		}
		root[n] = parquet.Optional(parquet.Compressed(leaf, &zstd.Codec{Level: zstd.SpeedDefault}))
	}
	for _, n := range times {
		if !slices.Contains(names, n) {
			return fmt.Errorf("write Parquet: no column %q of times", n)
		}
	}
	if len(names) == 0 {
		return errors.New("write Parquet: a table without columns")
	}
	order, err := json.Marshal(names)
	if err != nil {
		return fmt.Errorf("write Parquet: %w", err)
	}
	// The schema has its columns sorted by name.
	sorted := slices.Sorted(slices.Values(names))
	from := make([]int, len(sorted))
	isTime := make([]bool, len(sorted))
	for i, n := range sorted {
		from[i], isTime[i] = t.Column(n), slices.Contains(times, n)
	}
	pw := parquet.NewWriter(w, parquet.NewSchema("dimension", root), parquet.KeyValueMetadata(orderKey, string(order)), parquet.DataPageStatistics(false))
	rows := make([]parquet.Row, 0, rowsAtOnce)
	flush := func() error {
		_, err := pw.WriteRows(rows)
		rows = rows[:0]
		return err
	}
	for row := range t.Rows() {
		r := make(parquet.Row, len(sorted))
		for i, col := range from {
			cell := t.Cell(row, col)
			switch {
			case len(cell) == 0:
				r[i] = parquet.NullValue().Level(0, 0, i)
			case isTime[i]:
				v := event.ValueOf(cell)
				ns, ok := event.ParseTime(v.Text(nil))
				if v.Kind != event.String || !ok {
					return fmt.Errorf("write Parquet: row %d, column %q: a value that is no time; expected RFC 3339", row+1, sorted[i])
				}
				r[i] = parquet.Int64Value(ns).Level(0, 1, i)
			default:
				r[i] = parquet.ByteArrayValue(cell).Level(0, 1, i)
			}
		}
		if rows = append(rows, r); len(rows) == cap(rows) {
			if err := flush(); err != nil {
				return fmt.Errorf("write Parquet: %w", err)
			}
		}
		if (row+1)%rowGroup == 0 {
			if err := errors.Join(flush(), pw.Flush()); err != nil {
				return fmt.Errorf("write Parquet: %w", err)
			}
		}
	}
	if err := errors.Join(flush(), pw.Close()); err != nil {
		return fmt.Errorf("write Parquet: %w", err)
	}
	return nil
}
