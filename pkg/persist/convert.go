package persist

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"leat/internal/duck"
	"leat/pkg/lake"
	"leat/pkg/row"
)

// converter turns spills into Parquet files in the staging folder.
type converter struct {
	db      *duck.DB
	dir     string
	columns string // of read_json
	number  int
}

func newConverter(ctx context.Context, cfg *Config, cols *row.Columns, dir string) (*converter, error) {
	tmp := dir + "/tmp"
	if err := os.MkdirAll(tmp, 0o700); err != nil {
		return nil, fmt.Errorf("staging: %w", err)
	}
	db, err := duck.Open(ctx, duck.Config{
		MemoryLimit: cfg.Memory, Threads: cfg.Threads, TempDir: tmp, Dirs: []string{dir},
	})
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	for i, c := range cols.Table() {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(duck.Text(c.Name) + ": " + duck.Text(c.SQL))
	}
	return &converter{db: db, dir: dir, columns: "{" + b.String() + "}"}, nil
}

// copy writes the rows of the NDJSON file from, whose longest line is given, to a new Parquet file and checks it.
func (c *converter) copy(ctx context.Context, from, name string, rows int64, longest int, sorted bool) error {
	order := ""
	if !sorted {
		order = ` ORDER BY "@timestamp"`
	}
	to := c.dir + "/" + name
	// DuckDB takes a few buffers of twice the longest line for each thread.
	stmt := fmt.Sprintf("COPY (SELECT * FROM read_json(%s, columns = %s, format = 'newline_delimited', "+
		"compression = 'uncompressed', maximum_object_size = %d)%s) TO %s (FORMAT parquet, COMPRESSION zstd)",
		duck.Text(from), c.columns, max(longest, bigLine)+64, order, duck.Text(to))
	n, err := c.db.Exec(ctx, stmt)
	if err != nil {
		return fmt.Errorf("write Parquet: %w", err)
	}
	written, err := c.footerRows(ctx, to)
	if err != nil {
		return fmt.Errorf("read the footer of %s: %w", name, err)
	}
	if n != rows || written != rows {
		return &countError{rows: rows, copied: n, written: written}
	}
	return nil
}

// countError says that DuckDB wrote another number of rows than it was given lines.
type countError struct{ rows, copied, written int64 }

func (e *countError) Error() string {
	return fmt.Sprintf("DuckDB made %d rows of %d lines and wrote %d", e.copied, e.rows, e.written)
}

func (c *converter) footerRows(ctx context.Context, path string) (int64, error) {
	r, err := c.db.Query(ctx, "SELECT num_rows FROM parquet_file_metadata("+duck.Text(path)+")")
	if err != nil {
		return 0, err
	}
	defer r.Close()
	var n int64
	if r.Next() {
		err = r.Scan(&n)
	}
	if err == nil {
		err = r.Err()
	}
	return n, err
}

func (c *converter) name() string {
	c.number++
	return "part-" + strconv.Itoa(c.number) + ".parquet"
}

// convert makes the files of one spill, and removes it.
func (c *converter) convert(ctx context.Context, s *spill) ([]lake.Staged, error) {
	if err := s.flush(); err != nil {
		return nil, err
	}
	name := c.name()
	if err := c.copy(ctx, s.path, name, s.rows, s.longest, s.sorted); err != nil {
		return nil, err
	}
	if err := os.Remove(s.path); err != nil {
		return nil, fmt.Errorf("spill: %w", err)
	}
	return []lake.Staged{{Name: name, File: lake.File{
		Dataset: s.dataset, Date: s.date(), Rows: s.rows, MinTime: s.min, MaxTime: s.max, Kinds: s.kinds,
	}}}, nil
}
