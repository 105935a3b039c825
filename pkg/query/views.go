package query

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"leat/internal/duck"
	"leat/pkg/lake"
	"leat/pkg/row"
)

// functions makes event_json, which gives a whole row of a view back as the event that it was.
func functions(ctx context.Context, db *duck.DB, cols *row.Columns) error {
	decoders := sync.Pool{New: func() any { return row.NewDecoder(cols) }}
	err := db.Function(ctx, "leat_event", func(text string) (string, error) {
		d := decoders.Get().(*row.Decoder)
		defer decoders.Put(d)
		line, err := d.Append(nil, []byte(text))
		return string(line), err
	})
	if err != nil {
		return err
	}
	_, err = db.Exec(ctx, "CREATE MACRO event_json(r) AS leat_event(CAST(to_json(r) AS VARCHAR))")
	return err
}

// view is a name, the kinds of event that it holds, and the condition that says so in SQL.
type view struct {
	name  string
	holds func(kind string) bool
	where string
}

func views() []view {
	isAlert := func(k string) bool { return k == "alert" }
	isError := func(k string) bool { return k == "pipeline_error" }
	return []view{
		{"everything", func(string) bool { return true }, ""},
		{"alerts", isAlert, "event.kind = 'alert'"},
		{"errors", isError, "event.kind = 'pipeline_error'"},
		{"events", func(k string) bool { return !isAlert(k) && !isError(k) }, "(event.kind IS NULL OR event.kind NOT IN ('alert', 'pipeline_error'))"},
	}
}

// rowsIn returns how many rows of the view a file has: the log knows the kinds, so that nothing is asked of files that have none.
func (v *view) rowsIn(f *lake.File) int64 {
	var of, counted int64
	for kind, n := range f.Kinds {
		counted += n
		if v.holds(kind) {
			of += n
		}
	}
	if counted < f.Rows && v.holds("") {
		// Rows without a kind, or of one that was not counted, are events.
		of += f.Rows - counted
	}
	return of
}

// create returns the statement that makes the view of these files.
func (q *DB) create(v *view, files []int) string {
	var pure, mixed []int
	for _, i := range files {
		if v.rowsIn(&q.files[i]) == q.files[i].Rows {
			pure = append(pure, i)
		} else {
			mixed = append(mixed, i)
		}
	}
	var parts []string
	add := func(from string, conditions ...string) {
		conditions = append(conditions, q.period())
		where := ""
		for _, c := range conditions {
			if c != "" {
				where += map[bool]string{true: " WHERE ", false: " AND "}[where == ""] + c
			}
		}
		parts = append(parts, from+where)
	}
	for _, s := range q.scan(pure) {
		add(s)
	}
	for _, s := range q.scan(mixed) {
		add(s, v.where)
	}
	if len(q.hot) > 0 {
		add("SELECT * FROM ("+hotSQL(q.cols, q.hot)+")", v.where)
	}
	if len(parts) == 0 {
		parts = []string{empty(q.cols)}
	}
	return "CREATE VIEW " + v.name + " AS " + strings.Join(parts, " UNION ALL ")
}

// period is the condition of Config.Since and Until, or "".
func (q *DB) period() string {
	var parts []string
	stamp := func(t time.Time) string {
		return "TIMESTAMP " + duck.Text(t.UTC().Format("2006-01-02 15:04:05.000000"))
	}
	if !q.cfg.Since.IsZero() {
		parts = append(parts, `"@timestamp" >= `+stamp(q.cfg.Since))
	}
	if !q.cfg.Until.IsZero() {
		parts = append(parts, `"@timestamp" < `+stamp(q.cfg.Until))
	}
	return strings.Join(parts, " AND ")
}

// inPeriod tells whether a file may have rows of the period.
func (q *DB) inPeriod(b *bounds) bool {
	return (q.cfg.Since.IsZero() || b.max >= q.cfg.Since.UnixMicro()) && (q.cfg.Until.IsZero() || b.min <= q.cfg.Until.UnixMicro())
}

// scan returns a SELECT of the files of each version of the columns, with all columns of the newest.
func (q *DB) scan(files []int) []string {
	byVersion := map[int][]string{}
	for _, i := range files {
		byVersion[q.files[i].Columns] = append(byVersion[q.files[i].Columns], q.paths[i])
	}
	var out, newest []string
	for _, version := range slices.Sorted(maps.Keys(byVersion)) {
		if old := q.older[version]; old != nil {
			// A level of its own, so that conditions see these columns and not those of the files.
			out = append(out, "SELECT * FROM ("+scan(q.cols.Reading(old), byVersion[version])+")")
		} else {
			newest = append(newest, byVersion[version]...)
		}
	}
	if len(newest) > 0 {
		out = append(out, scan(q.cols.Reading(q.cols), newest))
	}
	return out
}

// scan reads files of one set of columns. The columns are named, because a folder above the lake whose name is of the form key=value would
// become one. As the files have one schema, DuckDB opens one of them to plan, not all (union_by_name: 840 files took 0.7 s of CPU for each view).
func scan(columns []row.Expr, paths []string) string {
	var b strings.Builder
	b.WriteString("SELECT ")
	for _, c := range columns {
		b.WriteString(c.SQL + " AS " + duck.Name(c.Name) + ", ")
	}
	return b.String() + "t.dataset, t.date FROM read_parquet(" + duck.List(paths) + ", hive_partitioning = true, " +
		"hive_types = {'dataset': VARCHAR, 'date': DATE}) AS t"
}

// empty is a table without rows that has every column.
func empty(cols *row.Columns) string {
	var b strings.Builder
	b.WriteString("SELECT ")
	for _, c := range cols.Table() {
		fmt.Fprintf(&b, "CAST(NULL AS %s) AS %s, ", c.SQL, duck.Name(c.Name))
	}
	b.WriteString("CAST(NULL AS VARCHAR) AS dataset, CAST(NULL AS DATE) AS date WHERE false")
	return b.String()
}
