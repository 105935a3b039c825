package persist

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"leat/internal/duck"
	"leat/internal/parquet"
	"leat/pkg/lake"
	"leat/pkg/row"
)

// converter turns spills into Parquet files in the staging folder.
type converter struct {
	db     *duck.DB
	dir    string
	cols   *row.Columns
	schema *parquet.Footer // of a file with every column
}

func newConverter(ctx context.Context, cfg *Config, cols *row.Columns, dir string) (*converter, error) {
	tmp := filepath.Join(dir, "tmp")
	if err := os.MkdirAll(tmp, 0o700); err != nil {
		return nil, fmt.Errorf("staging: %w", err)
	}
	db, err := duck.Open(ctx, duck.Config{
		MemoryLimit: cfg.Memory, Threads: cfg.Threads, TempDir: tmp, Dirs: []string{dir},
	})
	if err != nil {
		return nil, err
	}
	c := &converter{db: db, dir: dir, cols: cols}
	if c.schema, err = c.wholeSchema(ctx); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("schema: %w", err)
	}
	return c, nil
}

// wholeSchema lets DuckDB write an empty file with every column.
func (c *converter) wholeSchema(ctx context.Context) (*parquet.Footer, error) {
	var list []string
	for _, t := range c.cols.Table() {
		list = append(list, "CAST(NULL AS "+t.SQL+") AS "+duck.Name(t.Name))
	}
	path := filepath.Join(c.dir, "schema.parquet")
	_, err := c.db.Exec(ctx, "COPY (SELECT "+strings.Join(list, ", ")+" WHERE false) TO "+duck.Text(path)+" (FORMAT parquet)")
	if err != nil {
		return nil, err
	}
	defer os.Remove(path)
	return parquet.ReadFooter(path)
}

// source is a file of rows.
type source struct {
	path    string
	rows    int64
	longest int // length of the longest line
	sorted  bool
	used    row.Set
}

// copy writes the rows of from to a new Parquet file and checks it. Columns that no row fills are left out of DuckDB's work and put in
// afterwards: two thirds of its time would go into their NULLs.
func (c *converter) copy(ctx context.Context, from *source, name string) error {
	var types, exprs []string
	order := ""
	for _, t := range c.cols.Only(from.used) {
		types = append(types, duck.Text(t.Name)+": "+duck.Text(t.SQL))
		exprs = append(exprs, t.Expr+" AS "+duck.Name(t.Name))
		if t.Name == "@timestamp" && !from.sorted {
			order = ` ORDER BY t."@timestamp"`
		}
	}
	to := filepath.Join(c.dir, name)
	// DuckDB takes a few buffers of twice the longest line for each thread.
	n, err := c.db.Exec(ctx, fmt.Sprintf("COPY (SELECT %s FROM read_json(%s, columns = {%s}, format = 'newline_delimited', "+
		"compression = 'uncompressed', maximum_object_size = %d) AS t%s) TO %s (FORMAT parquet, COMPRESSION zstd)",
		strings.Join(exprs, ", "), duck.Text(from.path), strings.Join(types, ", "), max(from.longest, bigLine)+64, order, duck.Text(to)))
	if err != nil {
		return fmt.Errorf("write Parquet: %w", err)
	}
	if err := parquet.Graft(to, c.schema); err != nil {
		return err
	}
	footer, err := parquet.ReadFooter(to)
	if err != nil {
		return fmt.Errorf("check: %w", err)
	}
	if n != from.rows || footer.Rows != from.rows {
		return &countError{rows: from.rows, copied: n, written: footer.Rows}
	}
	return nil
}

// countError says that DuckDB wrote another number of rows than it was given lines.
type countError struct{ rows, copied, written int64 }

func (e *countError) Error() string {
	return fmt.Sprintf("DuckDB made %d rows of %d lines and wrote %d", e.copied, e.rows, e.written)
}

// partName is the name of the Parquet file that comes of a spill.
func partName(spill string) string { return filepath.Base(spill) + ".parquet" }

// convert makes the files of one spill, which stays until they are committed. Rows that DuckDB does not take are handed back.
func (c *converter) convert(ctx context.Context, s *spill) ([]lake.Staged, []badRow, error) {
	if err := s.flush(); err != nil {
		return nil, nil, err
	}
	from := source{path: s.path, rows: s.rows, longest: s.longest, sorted: s.sorted, used: s.used}
	name := partName(s.path)
	err := c.copy(ctx, &from, name)
	if err != nil && blamesInput(err) {
		return c.bisect(ctx, from, s.partition)
	}
	if err != nil {
		return nil, nil, err
	}
	return []lake.Staged{{Name: name, File: lake.File{
		Dataset: s.dataset, Date: s.date(), Rows: s.rows, MinTime: s.min, MaxTime: s.max, Kinds: s.counts(),
	}}}, nil, nil
}

// convertAll converts every spill of a generation, a few side by side: a small file is mostly waiting and planning.
func (c *converter) convertAll(ctx context.Context, g *generation) (files []lake.Staged, bad []badRow, err error) {
	type result struct {
		files []lake.Staged
		bad   []badRow
		err   error
	}
	results := make([]result, len(g.order))
	slots := make(chan struct{}, sideBySide)
	var failed atomic.Bool
	var wg sync.WaitGroup
	for i, s := range g.order {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			if failed.Load() {
				return
			}
			r := &results[i]
			if r.files, r.bad, r.err = c.convert(ctx, s); r.err != nil {
				r.err = fmt.Errorf("dataset %s, date %s: %w", s.dataset, s.date(), r.err)
				failed.Store(true)
			}
		})
	}
	wg.Wait()
	for _, r := range results {
		if r.err != nil {
			return nil, nil, r.err
		}
		files, bad = append(files, r.files...), append(bad, r.bad...)
	}
	return files, bad, nil
}

// sideBySide is how many files are written at once; each has threads and memory of the same DuckDB.
const sideBySide = 2
