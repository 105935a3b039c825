package retro

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/parquet-go/parquet-go"

	"leat/pkg/event"
	"leat/pkg/row"
)

// scanner goes through files; its memory is kept from one to the next.
type scanner struct {
	cfg     *Config
	fields  map[string]bool
	event   event.Event
	cells   []byte
	row     []byte
	line    []byte
	stats   *Stats
	decoder map[int]*row.Decoder // by version of the columns
}

// columns returns the columns of a version and their decoder.
func (s *scanner) columns(version int) (*row.Columns, *row.Decoder, error) {
	cols := row.AsOf(version)
	if cols == nil {
		return nil, nil, errors.New("written by a newer leat than this one")
	}
	if s.decoder[version] == nil {
		s.decoder[version] = row.NewDecoder(cols)
	}
	return cols, s.decoder[version], nil
}

// file yields the file's events that match.
func (s *scanner) file(ctx context.Context, path string, version int, yield func(line []byte) error) (err error) {
	// The library takes a damaged page for a fault of the program.
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("damaged: %v", p)
		}
	}()
	cols, dec, err := s.columns(version)
	if err != nil {
		return err
	}
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	f, err := parquet.OpenFile(in, info.Size(), parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return fmt.Errorf("not a Parquet file: %w", err)
	}
	all, err := leavesOf(f, cols)
	if err != nil {
		return err
	}
	var some []leaf
	for _, l := range all {
		if l.column == cols.RestColumn() || s.fields[cols.List()[l.column].Field] {
			some = append(some, l)
		}
	}
	for _, g := range f.RowGroups() {
		// Which rows: by the columns that are needed to tell. Then these rows, whole.
		var hits []int64
		err := s.group(ctx, g, some, cols, dec, nil, func(n int64, line []byte) error {
			s.stats.Read++
			s.event.Reset(line)
			if s.cfg.matches(&s.event) {
				hits = append(hits, n)
			}
			return nil
		})
		if err == nil && len(hits) > 0 {
			err = s.group(ctx, g, all, cols, dec, hits, func(_ int64, line []byte) error { return yield(line) })
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// group gives the rows of a row group as events that have only the fields of some columns, and those of rest. With rows only these.
func (s *scanner) group(ctx context.Context, g parquet.RowGroup, leaves []leaf, cols *row.Columns, dec *row.Decoder, rows []int64, f func(n int64, line []byte) error) (err error) {
	cursors := make([]*cursor, 0, len(leaves))
	defer func() {
		for _, c := range cursors {
			err = errors.Join(err, c.close())
		}
	}()
	for _, l := range leaves {
		cursors = append(cursors, open(g, l))
	}
	for n := range g.NumRows() {
		if n&1023 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if rows != nil && len(rows) == 0 {
			return nil
		}
		s.cells = s.cells[:0]
		for _, c := range cursors {
			if s.cells, err = c.appendCell(s.cells); err != nil {
				return err
			}
		}
		if rows != nil {
			if rows[0] != n {
				continue
			}
			rows = rows[1:]
		}
		if s.row, err = cols.AppendJSON(s.row[:0], s.cells); err != nil {
			return fmt.Errorf("row %d: %w", n+1, err)
		}
		if s.line, err = dec.Append(s.line[:0], s.row); err != nil {
			return fmt.Errorf("row %d: %w", n+1, err)
		}
		if err = f(n, s.line); err != nil {
			return err
		}
	}
	return nil
}
