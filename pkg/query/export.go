package query

import (
	"context"
	"fmt"

	"leat/internal/duck"
)

// Parquet runs a statement and writes its rows to the file Config.Write, which must not be there yet or be empty. It returns their number.
func (q *DB) Parquet(ctx context.Context, stmt string, params map[string]string) (rows int64, err error) {
	s, err := q.check(ctx, stmt, params)
	if err != nil {
		return 0, err
	}
	if s.explains {
		return 0, &StatementError{fmt.Errorf("an EXPLAIN has no rows for a Parquet file")}
	}
	db, err := q.prepare(ctx, s)
	if err != nil {
		return 0, err
	}
	defer db.Close()
	from := "(\n" + s.sql + "\n)"
	if len(params) > 0 {
		// A COPY takes no parameters.
		if _, err := db.Exec(ctx, "CREATE TABLE leat_result AS "+from, duck.Named(params)...); err != nil {
			return 0, err
		}
		from = "leat_result"
	}
	return db.Exec(ctx, "COPY "+from+" TO "+duck.Text(q.cfg.Write)+" (FORMAT parquet, COMPRESSION zstd, USE_TMP_FILE false)")
}
