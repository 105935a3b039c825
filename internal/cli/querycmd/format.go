package querycmd

import (
	"bufio"
	"encoding/csv"

	"leat/pkg/event"
	"leat/pkg/query"
)

// each calls f for every row.
func each(rows *query.Rows, f func(row []string) error) error {
	var row []string
	for {
		var ok bool
		var err error
		if row, ok, err = rows.Next(row); err != nil || !ok {
			return err
		}
		if err := f(row); err != nil {
			return err
		}
	}
}

// writeJSON writes an object a line.
func writeJSON(out *bufio.Writer, rows *query.Rows) error {
	keys := make([][]byte, len(rows.Names))
	for i, n := range rows.Names {
		keys[i] = append(event.AppendString(nil, n), ':')
	}
	var line []byte
	return each(rows, func(row []string) error {
		line = append(line[:0], '{')
		for i, v := range row {
			if i > 0 {
				line = append(line, ',')
			}
			if v == "" {
				v = "null"
			}
			line = append(append(line, keys[i]...), v...)
		}
		_, err := out.Write(append(line, '}', '\n'))
		return err
	})
}

// writeCSV writes a header and the rows (RFC 4180). NULL is an empty field, an empty text too.
func writeCSV(out *bufio.Writer, rows *query.Rows) error {
	w := csv.NewWriter(out)
	if err := w.Write(rows.Names); err != nil {
		return err
	}
	fields := make([]string, len(rows.Names))
	err := each(rows, func(row []string) error {
		for i, v := range row {
			fields[i] = text(v)
		}
		return w.Write(fields)
	})
	if err != nil {
		return err
	}
	w.Flush()
	return w.Error()
}

// writeEvents writes the first column, which is a JSON string of an event.
func writeEvents(out *bufio.Writer, rows *query.Rows) error {
	return each(rows, func(row []string) error {
		_, err := out.WriteString(text(row[0]) + "\n")
		return err
	})
}

// text is what a JSON value says: a string without quotes and escapes.
func text(v string) string {
	if v == "" {
		return ""
	}
	return event.ValueOf([]byte(v)).String()
}
