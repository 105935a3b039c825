package query

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"leat/pkg/event"
)

// Rows is the result of a query, every value as JSON.
type Rows struct {
	// Names of the columns; of two with one name the second has a number.
	Names []string
	// Types are the columns' SQL types.
	Types []string

	rows  *sql.Rows
	plain bool // values are text, not JSON
	vals  []sql.NullString
}

// Select runs one statement that only reads (ErrNotSelect else). The caller closes the rows.
func (q *DB) Select(ctx context.Context, stmt string) (*Rows, error) {
	stmt = strings.TrimRight(stmt, "; \t\r\n")
	explains, err := q.duck.Reads(ctx, stmt)
	if err != nil {
		return nil, err
	}
	if explains {
		r, err := q.duck.Query(ctx, stmt)
		if err != nil {
			return nil, err
		}
		return &Rows{Names: []string{"part", "plan"}, Types: []string{"VARCHAR", "VARCHAR"}, rows: r, plain: true}, nil
	}
	out := &Rows{}
	if err := q.describe(ctx, stmt, out); err != nil {
		return nil, err
	}
	// DuckDB says nested values as JSON itself, in their own order; names of ours keep two columns of one name apart.
	var names, values []string
	for i, t := range out.Types {
		c := fmt.Sprintf("c%d", i)
		names = append(names, c)
		if t == "TIMESTAMP" || t == "TIMESTAMPTZ" {
			c = `strftime(CAST(` + c + ` AS TIMESTAMP), '"%Y-%m-%dT%H:%M:%S.%fZ"')`
		} else {
			c = "CAST(to_json(" + c + ") AS VARCHAR)"
		}
		values = append(values, c)
	}
	out.rows, err = q.duck.Query(ctx, "SELECT "+strings.Join(values, ", ")+" FROM (\n"+stmt+"\n) AS leat_result("+strings.Join(names, ", ")+")")
	return out, err
}

func (q *DB) describe(ctx context.Context, stmt string, out *Rows) error {
	r, err := q.duck.Query(ctx, "SELECT * FROM (\n"+stmt+"\n) LIMIT 0")
	if err != nil {
		return err
	}
	defer r.Close()
	types, err := r.ColumnTypes()
	if err != nil {
		return err
	}
	for _, t := range types {
		out.Names = append(out.Names, t.Name())
		out.Types = append(out.Types, t.DatabaseTypeName())
	}
	return r.Err()
}

// Next reads the next row into dst, which it returns: one JSON text for each column, "" for NULL. ok is false at the end.
func (r *Rows) Next(dst []string) (row []string, ok bool, err error) {
	if !r.rows.Next() {
		return dst, false, r.rows.Err()
	}
	if r.vals == nil {
		r.vals = make([]sql.NullString, len(r.Names))
	}
	targets := make([]any, len(r.vals))
	for i := range r.vals {
		targets[i] = &r.vals[i]
	}
	if err := r.rows.Scan(targets...); err != nil {
		return dst, false, err
	}
	dst = dst[:0]
	for _, v := range r.vals {
		dst = append(dst, r.value(v))
	}
	return dst, true, nil
}

func (r *Rows) value(v sql.NullString) string {
	switch {
	case !v.Valid:
		return ""
	case r.plain, v.String == "NaN", v.String == "Infinity", v.String == "-Infinity":
		return string(event.AppendString(nil, v.String))
	}
	return v.String
}

// Close ends the query.
func (r *Rows) Close() error { return r.rows.Close() }

// AsEvents returns the statement that gives, for each row of stmt, the event that it was, as text in the only column. The rows must be
// whole ones of a view.
func AsEvents(stmt string) string {
	return "SELECT event_json(leat_row) FROM (\n" + strings.TrimRight(stmt, "; \t\r\n") + "\n) AS leat_row"
}
