package query

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"leat/internal/duck"
	"leat/pkg/event"
)

// ErrParam says that the parameters given are not those of the statement.
var ErrParam = errors.New("parameters do not fit")

// StatementError says that a statement is no good one. Nothing was read.
type StatementError struct{ Err error }

func (e *StatementError) Error() string { return e.Err.Error() }
func (e *StatementError) Unwrap() error { return e.Err }

// Rows is the result of a query, every value as JSON.
type Rows struct {
	// Names of the columns; of two with one name the second has a number.
	Names []string
	// Types are the columns' SQL types.
	Types []string
	// Plan: the statement was an EXPLAIN; the second column is a drawing.
	Plan bool

	ctx  context.Context
	duck *duck.DB
	rows *sql.Rows
	vals []sql.NullString

	// The result waits in a table, whose memory DuckDB bounds and spills; the driver alone would hold all of it in memory.
	from, chunk int64
	got, bytes  int64 // of this chunk
}

const (
	firstChunk = 256
	chunkBytes = 16 << 20 // about so much of the result is in memory
)

// Select runs one statement that only reads (ErrNotSelect else). The caller closes the rows.
func (q *DB) Select(ctx context.Context, stmt string) (*Rows, error) {
	return q.SelectWith(ctx, stmt, nil)
}

// SelectWith is Select with values for the statement's parameters ($name): all of them and no others (ErrParam else).
func (q *DB) SelectWith(ctx context.Context, stmt string, params map[string]string) (*Rows, error) {
	s, err := q.check(ctx, stmt, params)
	if err != nil {
		return nil, err
	}
	out := &Rows{ctx: ctx, Names: s.names, Types: s.types}
	if out.duck, err = q.prepare(ctx, s); err != nil {
		return nil, err
	}
	if s.explains {
		out.Names, out.Types, out.Plan = []string{"part", "plan"}, []string{"VARCHAR", "VARCHAR"}, true
		out.rows, err = out.duck.Query(ctx, s.sql, duck.Named(params)...)
	} else {
		err = out.run(s)
	}
	if err != nil {
		return nil, errors.Join(err, out.duck.Close())
	}
	return out, nil
}

func (r *Rows) run(s *statement) error {
	// DuckDB says nested values as JSON itself, in their own order; names of ours keep two columns of one name apart.
	var names, values []string
	for i, t := range r.Types {
		c := fmt.Sprintf("c%d", i)
		names = append(names, c)
		switch {
		case t == "TIMESTAMP", t == "TIMESTAMPTZ":
			c = `strftime(CAST(` + c + ` AS TIMESTAMP), '"%Y-%m-%dT%H:%M:%S.%fZ"') AS ` + c
		case strings.HasPrefix(t, "DECIMAL"):
			// to_json makes a double of it.
			c = "CAST(" + c + " AS VARCHAR) AS " + c
		case t == "JSON":
			// As it stands, with the digits of its numbers, but on one line: between tokens a line feed says what a space says.
			c = "translate(CAST(" + c + " AS VARCHAR), chr(10) || chr(13), '  ') AS " + c
		default:
			c = "CAST(to_json(" + c + ") AS VARCHAR) AS " + c
		}
		values = append(values, c)
	}
	_, err := r.duck.Exec(r.ctx, "CREATE TABLE leat_result AS SELECT "+strings.Join(values, ", ")+
		" FROM (\n"+s.sql+"\n) AS leat_rows("+strings.Join(names, ", ")+")", duck.Named(s.params)...)
	if err != nil {
		return err
	}
	return r.next(firstChunk)
}

// next opens the next chunk of rows.
func (r *Rows) next(rows int64) (err error) {
	r.chunk, r.got, r.bytes = rows, 0, 0
	r.rows, err = r.duck.Query(r.ctx, fmt.Sprintf("SELECT * FROM leat_result WHERE rowid >= %d AND rowid < %d ORDER BY rowid", r.from, r.from+rows))
	r.from += rows
	return err
}

// Next reads the next row into dst, which it returns: one JSON text for each column, "" for NULL. ok is false at the end.
func (r *Rows) Next(dst []string) (row []string, ok bool, err error) {
	for !r.rows.Next() {
		if err := r.rows.Err(); err != nil || r.Plan || r.got < r.chunk {
			return dst, false, err
		}
		if err := r.rows.Close(); err != nil {
			return dst, false, err
		}
		if err := r.next(max(firstChunk/8, chunkBytes/(r.bytes/r.got+1))); err != nil {
			return dst, false, err
		}
	}
	r.got++
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
		r.bytes += int64(len(v.String)) + 16
		dst = append(dst, r.value(v))
	}
	return dst, true, nil
}

func (r *Rows) value(v sql.NullString) string {
	switch {
	case !v.Valid:
		return ""
	case r.Plan || endless(v.String):
		return string(event.AppendString(nil, v.String))
	}
	return v.String
}

// endless tells whether DuckDB's text of a number or a time is none that JSON has.
func endless(s string) bool {
	switch s {
	case "NaN", "Infinity", "-Infinity", "infinity", "-infinity":
		return true
	}
	return false
}

// Close ends the query.
func (r *Rows) Close() error { return errors.Join(r.rows.Close(), r.duck.Close()) }

// AsEvents returns the statement that gives, for each row of stmt, the event that it was, as text in the only column. The rows must be
// whole ones of a view.
func AsEvents(stmt string) string {
	return "SELECT event_json(leat_row) FROM (\n" + body(stmt) + "\n) AS leat_row"
}
