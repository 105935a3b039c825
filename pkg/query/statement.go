package query

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"leat/internal/duck"
)

// statement is one that was checked and planned, with the files that it has to read.
type statement struct {
	sql      string
	params   map[string]string
	explains bool
	// namesFiles: it reads files of the lake by their paths, as leat files lists them.
	namesFiles bool
	scans      scans
	names      []string // of the result's columns
	types      []string
	pruned     []pruned
}

// pruned is which of its files a view is read from.
type pruned struct {
	view  *view
	files []int
	scans []viewScan // none: the plan does not tell
}

// wants tells whether some place of the statement may want rows of these bounds.
func (p *pruned) wants(b *bounds) bool {
	return len(p.scans) == 0 || slices.ContainsFunc(p.scans, func(s viewScan) bool { return s.may(b) })
}

// check lets DuckDB judge a statement before anything is read, and finds out what it has to read. The error is a StatementError.
func (q *DB) check(ctx context.Context, sql string, params map[string]string) (*statement, error) {
	s, err := q.judge(ctx, sql, params)
	if err != nil && ctx.Err() == nil {
		err = &StatementError{err}
	}
	return s, err
}

func (q *DB) judge(ctx context.Context, sql string, params map[string]string) (*statement, error) {
	s := &statement{sql: body(sql), params: params}
	plan := q.plan
	if s.namesFiles = strings.Contains(strings.ToLower(sql), "parquet"); s.namesFiles {
		var err error
		if plan, err = newPlanner(ctx, q.cols, q.paths); err != nil {
			return nil, err
		}
		defer plan.duck.Close()
	}
	var err error
	if s.explains, err = plan.duck.Reads(ctx, s.sql); err != nil {
		return nil, err
	}
	names, err := plan.duck.Params(ctx, s.sql)
	if err != nil {
		return nil, err
	}
	for _, n := range names {
		if n[0]-'0' < 10 {
			return nil, fmt.Errorf("%w: write $name, with a name that begins with a letter, for ? and $%s", ErrParam, n)
		}
		if _, given := params[n]; !given {
			return nil, fmt.Errorf("%w: the statement has the parameter $%s", ErrParam, n)
		}
	}
	for n := range params {
		if !slices.Contains(names, n) {
			return nil, fmt.Errorf("%w: the statement has no $%s", ErrParam, n)
		}
	}
	_, body := duck.CutExplain(s.sql)
	if text, found := literal(body, params); slices.Equal(found, names) {
		s.scans = plan.plan(ctx, text)
	}
	if !s.explains {
		if err := s.describe(ctx, plan); err != nil {
			return nil, err
		}
	}
	for _, v := range views() {
		s.pruned = append(s.pruned, q.prune(&v, s))
	}
	return s, nil
}

// describe finds the names and types of the result's columns.
func (s *statement) describe(ctx context.Context, p *planner) error {
	r, err := p.duck.Query(ctx, "SELECT * FROM (\n"+s.sql+"\n) LIMIT 0", duck.Named(s.params)...)
	if err != nil {
		return err
	}
	defer r.Close()
	types, err := r.ColumnTypes()
	if err != nil {
		return err
	}
	for _, t := range types {
		s.names = append(s.names, t.Name())
		s.types = append(s.types, t.DatabaseTypeName())
	}
	return r.Err()
}

// files returns the files of a view that have to be read.
func (s *statement) files(view string) []int {
	for _, p := range s.pruned {
		if p.view.name == view {
			return p.files
		}
	}
	return nil
}

// prune returns the files that may have rows of v for a statement.
func (q *DB) prune(v *view, s *statement) pruned {
	scans := s.scans[v.name]
	p := pruned{view: v, scans: scans}
	if !s.mentions(v.name) {
		return p
	}
	for i := range q.files {
		f := &q.files[i]
		b := boundsOf(f)
		if v.rowsIn(f) > 0 && q.inPeriod(&b) && p.wants(&b) {
			p.files = append(p.files, i)
		}
	}
	return p
}

// mentions tells whether a statement may read a view: it has its name, or makes names (query, query_table).
func (s *statement) mentions(view string) bool {
	low := strings.ToLower(s.sql)
	return len(s.scans[view]) > 0 || strings.Contains(low, view) || strings.Contains(low, "query") || strings.Contains(low, `u&"`)
}

// prepare opens a database for a statement that has the views.
func (q *DB) prepare(ctx context.Context, s *statement) (*duck.DB, error) {
	db, err := q.database(ctx, s.reads(len(q.files)))
	if err != nil {
		return nil, err
	}
	for i := range s.pruned {
		p := &s.pruned[i]
		if _, err := db.Exec(ctx, q.create(p.view, p.files)); err != nil {
			return nil, errors.Join(fmt.Errorf("view %s: %w", p.view.name, err), db.Close())
		}
	}
	return db, nil
}

// reads returns the files that a statement needs, in order: those of its views, or all n where it names files itself.
func (s *statement) reads(n int) []int {
	var out []int
	if s.namesFiles {
		for i := range n {
			out = append(out, i)
		}
		return out
	}
	for _, p := range s.pruned {
		out = append(out, p.files...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
