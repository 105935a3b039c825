package query

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"leat/internal/duck"
)

// Explanation is what a statement has to read, and how.
type Explanation struct {
	Views []ViewFiles
	// Plan is DuckDB's.
	Plan string
}

// ViewFiles is what is read for one view of a statement. The log tells all but the row groups, before any file is opened.
type ViewFiles struct {
	View string
	// Known: the statement's plan tells under which conditions the view is read. Else all its files are.
	Known bool
	// The lake's files; those with rows of the view's kind; of these, what datasets and dates leave; of these, what the times leave.
	InLake, OfKind, InPartitions, Files int
	AllRows, Rows, AllBytes, Bytes      int64
	// Row groups of Files, and those whose times are asked for; -1 where there are too many files to look.
	RowGroups, RowGroupsLeft int
	// Columns that are read of them, and their bytes in those row groups.
	Columns     []string
	ColumnBytes int64
	// Hot is the number of rows that are not committed yet; they are read in any case.
	Hot int64
}

// footersAtMost is of how many files Explain reads the footers.
const footersAtMost = 2000

// Explain tells what a statement would read. With run it runs it, and the plan tells what each step did.
func (q *DB) Explain(ctx context.Context, stmt string, params map[string]string, run bool) (*Explanation, error) {
	s, err := q.check(ctx, stmt, params)
	if err != nil {
		return nil, err
	}
	if s.explains {
		return nil, &StatementError{fmt.Errorf("the statement is an EXPLAIN already")}
	}
	db, err := q.prepare(ctx, s)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	out := &Explanation{}
	for i := range s.pruned {
		p := &s.pruned[i]
		if !s.mentions(p.view.name) {
			continue
		}
		v := q.count(p)
		if err := q.rowGroups(ctx, db, p, &v); err != nil {
			return nil, err
		}
		out.Views = append(out.Views, v)
	}
	how := "EXPLAIN "
	if run {
		how = "EXPLAIN ANALYZE "
	}
	rows, err := db.Query(ctx, how+s.sql, duck.Named(params)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var part, text string
		if err := rows.Scan(&part, &text); err != nil {
			return nil, err
		}
		out.Plan += text
	}
	return out, rows.Err()
}

// count says what the log leaves of a view's files.
func (q *DB) count(p *pruned) ViewFiles {
	v := ViewFiles{View: p.view.name, Known: len(p.scans) > 0, InLake: len(q.files)}
	for i := range q.files {
		f := &q.files[i]
		v.AllRows, v.AllBytes = v.AllRows+f.Rows, v.AllBytes+f.Bytes
		if p.view.rowsIn(f) == 0 {
			continue
		}
		v.OfKind++
		b := boundsOf(f)
		b.slack = 0
		whole := b
		whole.min, whole.max = math.MinInt64/4, math.MaxInt64/4
		if !p.wants(&whole) {
			continue
		}
		v.InPartitions++
		if q.inPeriod(&b) && p.wants(&b) {
			v.Files++
			v.Rows, v.Bytes = v.Rows+f.Rows, v.Bytes+f.Bytes
		}
	}
	for _, h := range q.hot {
		v.Hot += h.Rows
	}
	for _, s := range p.scans {
		v.Columns = append(v.Columns, s.columns...)
	}
	slices.Sort(v.Columns)
	v.Columns = slices.DeleteFunc(slices.Compact(v.Columns), func(c string) bool { return c == "dataset" || c == "date" })
	return v
}

// rowGroups reads the footers of the files that are left.
func (q *DB) rowGroups(ctx context.Context, db *duck.DB, p *pruned, v *ViewFiles) error {
	if len(p.files) > footersAtMost {
		v.RowGroups, v.RowGroupsLeft = -1, -1
		return nil
	}
	if v.Files == 0 {
		return nil
	}
	at := map[string]int{}
	var paths []string
	for _, i := range p.files {
		at[q.paths[i]] = i
		paths = append(paths, q.paths[i])
	}
	rows, err := db.Query(ctx, "SELECT file_name, row_group_id, min(epoch_us(TRY_CAST(stats_min_value AS TIMESTAMP))) FILTER (path_in_schema = '@timestamp'), "+
		"max(epoch_us(TRY_CAST(stats_max_value AS TIMESTAMP))) FILTER (path_in_schema = '@timestamp'), "+
		"coalesce(sum(total_compressed_size) FILTER (list_contains("+duck.List(v.Columns)+"::VARCHAR[], split_part(path_in_schema, ', ', 1))), 0)::BIGINT "+
		"FROM parquet_metadata("+duck.List(paths)+") GROUP BY ALL")
	if err != nil {
		return fmt.Errorf("read footers: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var file string
		var group, bytes int64
		var lo, hi *int64
		if err := rows.Scan(&file, &group, &lo, &hi, &bytes); err != nil {
			return fmt.Errorf("read footers: %w", err)
		}
		b := boundsOf(&q.files[at[file]])
		b.slack = 0
		if !q.inPeriod(&b) || !p.wants(&b) {
			continue // of the day next to the one that is asked for
		}
		if lo != nil && hi != nil {
			b.min, b.max = *lo, *hi
		}
		v.RowGroups++
		if q.inPeriod(&b) && p.wants(&b) {
			v.RowGroupsLeft++
			v.ColumnBytes += bytes
		}
	}
	return rows.Err()
}

// String is the explanation for people.
func (e *Explanation) String() string {
	var b strings.Builder
	for _, v := range e.Views {
		fmt.Fprintf(&b, "%s\n", v.View)
		line := func(what string, n int, note string) {
			b.WriteString(strings.TrimRight(fmt.Sprintf("  %-44s %8d  %s", what, n, note), " ") + "\n")
		}
		line("files in the lake", v.InLake, fmt.Sprintf("%d rows, %s", v.AllRows, size(v.AllBytes)))
		line("with rows of this view", v.OfKind, "")
		if v.Known {
			line("left by dataset and date", v.InPartitions, "")
		}
		line("left by the times in the log: read", v.Files, fmt.Sprintf("%d rows, %s", v.Rows, size(v.Bytes)))
		switch {
		case v.RowGroups < 0:
			fmt.Fprintf(&b, "  row groups: not counted, too many files\n")
		case v.Files > 0:
			line("row groups in them", v.RowGroups, "")
			line("whose times may match", v.RowGroupsLeft, fmt.Sprintf("%s of the columns that are asked for", size(v.ColumnBytes)))
		}
		if len(v.Columns) > 0 && len(v.Columns) <= 20 {
			fmt.Fprintf(&b, "  columns: %s\n", strings.Join(v.Columns, ", "))
		}
		if v.Hot > 0 {
			line("rows that are not committed yet", int(v.Hot), "read whatever is asked for")
		}
		if !v.Known {
			b.WriteString("  (no condition on \"@timestamp\", date or dataset was found that leaves out a file)\n")
		}
	}
	return b.String() + "\n" + e.Plan
}

func size(n int64) string {
	switch {
	case n >= 1<<30:
		return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
	case n >= 1<<20:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	case n >= 1<<10:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	}
	return fmt.Sprintf("%d B", n)
}
