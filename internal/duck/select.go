package duck

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"regexp"

	duckdb "github.com/marcboeker/go-duckdb/v2"
)

// ErrNotSelect says that a statement does more than read.
var ErrNotSelect = errors.New("only one SELECT, WITH, FROM, VALUES, DESCRIBE, SUMMARIZE, SHOW or EXPLAIN is allowed")

var explain = regexp.MustCompile(`(?is)^\s*EXPLAIN\s+(ANALYZE\s+)?(\([^)]*\)\s*)?`)

// Select runs stmt if it is one statement that only reads; ErrNotSelect else. The caller closes the rows.
func (db *DB) Select(ctx context.Context, stmt string) (*sql.Rows, error) {
	if err := db.reads(ctx, stmt); err != nil {
		return nil, err
	}
	return db.sql.QueryContext(ctx, stmt)
}

// reads checks stmt without running any of it.
func (db *DB) reads(ctx context.Context, stmt string) error {
	conn, err := db.sql.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Raw(func(dc any) error {
		kind, err := kindOf(dc.(*duckdb.Conn), stmt)
		if err != nil {
			return err
		}
		if kind == duckdb.STATEMENT_TYPE_EXPLAIN {
			// EXPLAIN ANALYZE runs what it explains.
			at := explain.FindStringIndex(stmt)
			if at == nil {
				return fmt.Errorf("%w; EXPLAIN must come first, before any comment", ErrNotSelect)
			}
			if kind, err = kindOf(dc.(*duckdb.Conn), stmt[at[1]:]); err != nil {
				return err
			}
		}
		if kind != duckdb.STATEMENT_TYPE_SELECT {
			return ErrNotSelect
		}
		return nil
	})
}

// kindOf prepares stmt. Conn.Prepare, unlike PrepareContext, refuses several statements instead of running all but the last.
func kindOf(c *duckdb.Conn, stmt string) (duckdb.StmtType, error) {
	s, err := c.Prepare(stmt)
	if err != nil {
		var e *duckdb.Error
		if errors.As(err, &e) {
			return 0, err
		}
		return 0, fmt.Errorf("%w (%w)", ErrNotSelect, err)
	}
	defer s.Close()
	return s.(*duckdb.Stmt).StatementType()
}

// textFunc is an SQL function from VARCHAR to VARCHAR.
type textFunc struct {
	text duckdb.TypeInfo
	f    func(string) (string, error)
}

func (t *textFunc) Config() duckdb.ScalarFuncConfig {
	return duckdb.ScalarFuncConfig{InputTypeInfos: []duckdb.TypeInfo{t.text}, ResultTypeInfo: t.text}
}

func (t *textFunc) Executor() duckdb.ScalarFuncExecutor {
	return duckdb.ScalarFuncExecutor{RowExecutor: func(v []driver.Value) (any, error) { return t.f(v[0].(string)) }}
}

// Function makes f callable in SQL under name. NULL gives NULL. f may be called from several threads at once.
func (db *DB) Function(ctx context.Context, name string, f func(string) (string, error)) error {
	text, err := duckdb.NewTypeInfo(duckdb.TYPE_VARCHAR)
	if err != nil {
		return fmt.Errorf("SQL function %s: %w", name, err)
	}
	conn, err := db.sql.Conn(ctx)
	if err != nil {
		return fmt.Errorf("SQL function %s: %w", name, err)
	}
	defer conn.Close()
	if err := duckdb.RegisterScalarUDF(conn, name, &textFunc{text, f}); err != nil {
		return fmt.Errorf("SQL function %s: %w", name, err)
	}
	return nil
}
