package query

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"leat/internal/duck"
	"leat/pkg/lake"
	"leat/pkg/row"
)

// ErrNotSelect says that a statement does more than read.
var ErrNotSelect = duck.ErrNotSelect

// Config says what a DB may use.
type Config struct {
	// Memory is DuckDB's limit in bytes (default 1 GiB); beyond it what is sorted or joined is spilled to TempDir, or fails where that is empty.
	Memory  int64
	Threads int
	TempDir string
}

// DB is one state of a lake, open for reading. It is safe for concurrent use.
type DB struct {
	duck   *duck.DB
	reader *lake.Reader
	lake   *lake.Lake
}

// Open pins the newest state of l and makes the views.
func Open(ctx context.Context, l *lake.Lake, cfg Config) (*DB, error) {
	r, err := l.NewReader()
	if err != nil {
		return nil, err
	}
	q := &DB{reader: r, lake: l}
	if err := q.open(ctx, cfg); err != nil {
		return nil, errors.Join(err, q.Close())
	}
	return q, nil
}

// Close ends the database and the pin.
func (q *DB) Close() error {
	var err error
	if q.duck != nil {
		err = q.duck.Close()
	}
	return errors.Join(err, q.reader.Close())
}

// State is what the DB reads.
func (q *DB) State() *lake.State { return q.reader.State() }

func (q *DB) open(ctx context.Context, cfg Config) error {
	files := q.State().Sorted()
	paths := make([]string, len(files))
	for i, f := range files {
		var err error
		if paths[i], err = q.lake.Abs(f.Path); err != nil {
			return err
		}
	}
	var err error
	q.duck, err = duck.Open(ctx, duck.Config{MemoryLimit: cfg.Memory, Threads: cfg.Threads, TempDir: cfg.TempDir, Files: paths})
	if err != nil {
		return err
	}
	cols := row.Standard()
	for _, v := range views() {
		if _, err := q.duck.Exec(ctx, v.create(cols, files, paths)); err != nil {
			return fmt.Errorf("view %s: %w", v.name, err)
		}
	}
	decoders := sync.Pool{New: func() any { return row.NewDecoder(cols) }}
	err = q.duck.Function(ctx, "leat_event", func(text string) (string, error) {
		d := decoders.Get().(*row.Decoder)
		defer decoders.Put(d)
		line, err := d.Append(nil, []byte(text))
		return string(line), err
	})
	if err != nil {
		return err
	}
	_, err = q.duck.Exec(ctx, "CREATE MACRO event_json(r) AS leat_event(CAST(to_json(r) AS VARCHAR))")
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
		{"everything", func(string) bool { return true }, "true"},
		{"alerts", isAlert, "event.kind = 'alert'"},
		{"errors", isError, "event.kind = 'pipeline_error'"},
		{"events", func(k string) bool { return !isAlert(k) && !isError(k) }, "(event.kind IS NULL OR event.kind NOT IN ('alert', 'pipeline_error'))"},
	}
}

// create returns the statement that makes the view over those files that may have rows of it. The log knows their kinds, so that
// nothing is asked of files that have only such rows.
func (v view) create(cols *row.Columns, files []lake.File, paths []string) string {
	var pure, mixed []string
	for i, f := range files {
		of, counted := int64(0), int64(0)
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
		switch {
		case of == f.Rows:
			pure = append(pure, paths[i])
		case of > 0:
			mixed = append(mixed, paths[i])
		}
	}
	var parts []string
	if len(pure) > 0 {
		parts = append(parts, scan(cols, pure))
	}
	if len(mixed) > 0 {
		parts = append(parts, scan(cols, mixed)+" WHERE "+v.where)
	}
	if len(parts) == 0 {
		parts = []string{empty(cols)}
	}
	return "CREATE VIEW " + v.name + " AS " + strings.Join(parts, " UNION ALL ")
}

// scan reads files. The columns are named, because a folder above the lake whose name is of the form key=value would become one.
// All files have one schema, so that DuckDB opens one of them to plan, not all (union_by_name: 840 files took 0.7 s of CPU for each view).
func scan(cols *row.Columns, paths []string) string {
	var b strings.Builder
	b.WriteString("SELECT ")
	for _, c := range cols.Table() {
		b.WriteString(duck.Name(c.Name) + ", ")
	}
	return b.String() + "dataset, date FROM read_parquet(" + duck.List(paths) + ", hive_partitioning = true, " +
		"hive_types = {'dataset': VARCHAR, 'date': DATE})"
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
