package enrich

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"

	"leat/pkg/dimension"
	"leat/pkg/event"
)

// loadCSV reads CSV (RFC 4180, also with another separator) whose first line names the columns. A byte-order mark is
// skipped. An empty cell is no value.
func loadCSV(data []byte, d *DimensionConfig) (*dimension.Table, error) {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	r.Comma = []rune(d.Separator)[0]
	r.ReuseRecord = true
	header, err := r.Read()
	if err != nil {
		return nil, csvError(err)
	}
	columns := slices.Clone(header)
	for i, c := range columns {
		if c == "" || slices.Contains(columns[:i], c) {
			return nil, fmt.Errorf("line 1: column %d has no name of its own (%q); expected a header line", i+1, c)
		}
	}
	types := make([]string, len(columns))
	for col, typ := range d.Types {
		i := slices.Index(columns, col)
		if i < 0 {
			return nil, fmt.Errorf("types: no column %q; the file has %q", col, columns)
		}
		types[i] = typ
	}
	b := dimension.NewBuilder(d.limits(), columns...)
	var cell []byte
	for {
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			return b.Table(), nil
		}
		if err != nil {
			return nil, csvError(err)
		}
		for i, v := range rec {
			if cell, err = appendCell(cell[:0], v, types[i]); err == nil {
				err = b.Set(i, cell)
			}
			if err != nil {
				line, _ := r.FieldPos(i)
				return nil, fmt.Errorf("line %d, column %q: %w", line, columns[i], err)
			}
		}
		if err := b.EndRow(); err != nil {
			return nil, err
		}
	}
}

// csvError says what a broken file looks like to the one who must mend it.
func csvError(err error) error {
	var p *csv.ParseError
	if errors.As(err, &p) {
		switch {
		case errors.Is(p.Err, csv.ErrFieldCount):
			return fmt.Errorf("line %d has more or fewer columns than the header line (a torn file?)", p.Line)
		case errors.Is(p.Err, csv.ErrQuote), errors.Is(p.Err, csv.ErrBareQuote):
			return fmt.Errorf("line %d: a quoted value that begins in line %d is broken off or badly quoted (a torn file?)", p.Line, p.StartLine)
		}
	}
	if errors.Is(err, io.EOF) {
		return errors.New("the file has no header line")
	}
	return err
}

func appendCell(dst []byte, v, typ string) ([]byte, error) {
	if v == "" {
		return dst, nil
	}
	if typ == "" || typ == "string" {
		return event.AppendString(dst, v), nil
	}
	val, err := parseValue([]byte(v))
	if err != nil {
		return dst, fmt.Errorf("a value that is no %s", typ)
	}
	switch {
	case typ == "number" && val.Kind != event.Number, typ == "bool" && val.Kind != event.True && val.Kind != event.False:
		return dst, fmt.Errorf("a value that is no %s", typ)
	case val.Kind == event.Null:
		return dst, nil
	}
	return append(dst, val.Raw...), nil
}

// parseValue checks one JSON value.
func parseValue(raw []byte) (event.Value, error) {
	var e event.Event
	line := make([]byte, 0, len(raw)+6)
	line = append(append(append(line, `{"v":`...), raw...), '}')
	e.Reset(line)
	if err := e.Parse(); err != nil {
		return event.Value{}, errors.New("not a JSON value")
	}
	n := e.First(e.Root())
	if e.Next(n) != event.None {
		return event.Value{}, errors.New("not a JSON value")
	}
	return e.ValueAt(n), nil
}
