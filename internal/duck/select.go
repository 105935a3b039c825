package duck

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"regexp"

	duckdb "github.com/marcboeker/go-duckdb/v2"
)

// ErrNotSelect says that a statement does more than read.
var ErrNotSelect = errors.New("only one SELECT, WITH, FROM, VALUES, DESCRIBE, SUMMARIZE, SHOW or EXPLAIN is allowed")

var (
	// blank is what may stand before a statement: space and comments.
	blank = regexp.MustCompile(`^(?:\s+|--[^\n]*(?:\n|$)|(?s:/\*.*?\*/))*`)
	// reading begins every statement that only reads.
	reading = regexp.MustCompile(`(?i)^(?:\(|(?:SELECT|WITH|FROM|VALUES|TABLE|DESCRIBE|DESC|SUMMARIZE|SHOW|PIVOT|UNPIVOT)\b)`)
	explain = regexp.MustCompile(`(?i)^EXPLAIN\b\s*(?:ANALYZE\b\s*|ANALYSE\b\s*)?(?:\([^()]*\)\s*)?`)
)

// CutExplain returns a statement without what stands before it, and whether that was EXPLAIN.
func CutExplain(stmt string) (explains bool, body string) {
	stmt = stmt[len(blank.FindString(stmt)):]
	head := explain.FindString(stmt)
	stmt = stmt[len(head):]
	return head != "", stmt[len(blank.FindString(stmt)):]
}

// Reads checks, without running any of it, that stmt is one statement that only reads: ErrNotSelect else. explains tells that it
// is an EXPLAIN.
func (db *DB) Reads(ctx context.Context, stmt string) (explains bool, err error) {
	// EXPLAIN ANALYZE runs what it explains.
	explains, stmt = CutExplain(stmt)
	// Preparing alone can write: EXPORT DATABASE makes its folder. So the first word is looked at before.
	if !reading.MatchString(stmt) {
		return false, ErrNotSelect
	}
	conn, err := db.sql.Conn(ctx)
	if err != nil {
		return false, err
	}
	defer conn.Close()
	err = conn.Raw(func(dc any) error {
		kind, err := kindOf(dc.(*duckdb.Conn), stmt)
		if err == nil && kind != duckdb.STATEMENT_TYPE_SELECT {
			err = ErrNotSelect
		}
		return err
	})
	return explains, err
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
