package query

import (
	"context"
	"fmt"
	"iter"

	"leat/internal/duck"
	"leat/pkg/lake"
	"leat/pkg/row"
)

// Events returns the lake's events for which the SQL condition where holds ("" = all), each as the JSON line that it was, without line
// feed. where may name the columns of the views. A line is valid until the next. After an error the sequence ends.
// Memory is bounded by the selected events of one file.
func Events(ctx context.Context, l *lake.Lake, where string) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		q, err := Open(ctx, l, Config{})
		if err != nil {
			yield(nil, err)
			return
		}
		defer q.Close()
		for line, err := range q.Events(ctx, where) {
			if !yield(line, err) {
				return
			}
		}
	}
}

// Events is the function Events on the state that q has pinned.
func (q *DB) Events(ctx context.Context, where string) iter.Seq2[[]byte, error] {
	if where == "" {
		where = "true"
	}
	return func(yield func([]byte, error) bool) {
		s, err := q.check(ctx, "SELECT * FROM everything AS leat_row WHERE (\n"+where+"\n)", nil)
		if err != nil {
			yield(nil, fmt.Errorf("events: %w", err))
			return
		}
		files := s.files("everything")
		db, err := q.database(ctx, files)
		if err != nil {
			yield(nil, err)
			return
		}
		defer db.Close()
		dec := row.NewDecoder(q.cols)
		for _, i := range files {
			if !q.source(ctx, db, q.paths[i], q.scan([]int{i})[0], where, dec, yield) {
				return
			}
		}
		for i := range q.hot {
			if !q.source(ctx, db, q.hot[i].Path, hotSQL(q.cols, q.hot[i:i+1]), where, dec, yield) {
				return
			}
		}
	}
}

// source yields the events of one file, which the SELECT from reads, and tells whether to go on.
func (q *DB) source(ctx context.Context, db *duck.DB, path, from, where string, dec *row.Decoder, yield func([]byte, error) bool) bool {
	stop := func(err error) bool {
		yield(nil, fmt.Errorf("events of %q: %w", path, err))
		return false
	}
	if p := q.period(); p != "" {
		from = "SELECT * FROM (" + from + ") WHERE " + p
	}
	stmt := "SELECT CAST(to_json(leat_row) AS VARCHAR) FROM (" + from + ") AS leat_row WHERE (\n" + where + "\n)"
	if _, err := db.Reads(ctx, stmt); err != nil {
		return stop(err)
	}
	r, err := db.Query(ctx, stmt)
	if err != nil {
		return stop(err)
	}
	defer r.Close()
	var text, line []byte
	for r.Next() {
		if err := r.Scan(&text); err != nil {
			return stop(err)
		}
		if line, err = dec.Append(line[:0], text); err != nil {
			return stop(err)
		}
		if !yield(line, nil) {
			return false
		}
	}
	if err := r.Err(); err != nil {
		return stop(err)
	}
	return true
}
