package duck

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	duckdb "github.com/marcboeker/go-duckdb/v2"
)

// Named makes arguments of the values of a statement's $names.
func Named(params map[string]string) []any {
	var args []any
	for name, value := range params {
		args = append(args, sql.Named(name, value))
	}
	return args
}

// Params returns the names of a statement's parameters ("1" for one that is only a number or a question mark), sorted, without running it.
func (db *DB) Params(ctx context.Context, stmt string) ([]string, error) {
	conn, err := db.sql.Conn(ctx)
	if err != nil {
		return nil, fmt.Errorf("connect to DuckDB: %w", err)
	}
	defer conn.Close()
	var names []string
	err = conn.Raw(func(dc any) error {
		p, err := dc.(*duckdb.Conn).Prepare(stmt)
		if err != nil {
			return err
		}
		defer p.Close()
		s := p.(*duckdb.Stmt)
		for i := range s.NumInput() {
			name, err := s.ParamName(i + 1)
			if err != nil {
				return err
			}
			if name == "" {
				name = fmt.Sprint(i + 1)
			}
			names = append(names, name)
		}
		return nil
	})
	slices.Sort(names)
	return slices.Compact(names), err
}

// optimizeOnly switches off every optimizer but those in keep.
func (db *DB) optimizeOnly(ctx context.Context, keep []string) error {
	rows, err := db.sql.QueryContext(ctx, "SELECT name FROM duckdb_optimizers()")
	if err != nil {
		return err
	}
	defer rows.Close()
	var off []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return err
		}
		if !slices.Contains(keep, name) {
			off = append(off, name)
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	_, err = db.sql.ExecContext(ctx, "SET disabled_optimizers = "+Text(strings.Join(off, ",")))
	return err
}
