package tuicmd

import (
	"context"
	"fmt"
	"strings"
	"time"

	"leat/pkg/event"
	"leat/pkg/lake"
	"leat/pkg/query"
	"leat/pkg/tui"
)

// lakeDays is how far back the first look into a lake goes.
const lakeDays = 7

// history polls the lake's log and reads the alerts of the files that were added since.
func history(dir string) (tui.History, error) {
	l, err := lake.Open(dir)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, cursor int64) ([][]byte, int64, error) {
		s, err := l.State()
		if err != nil || s.N == cursor {
			return nil, cursor, err
		}
		q, err := query.Open(ctx, l, query.Config{Memory: 256 << 20, Threads: 1})
		if err != nil {
			return nil, cursor, err
		}
		defer q.Close()
		lines, err := added(ctx, l, q, cursor)
		return lines, q.State().N, err
	}, nil
}

// added returns the alerts of the files that came behind the log entry after.
func added(ctx context.Context, l *lake.Lake, q *query.DB, after int64) (lines [][]byte, err error) {
	var paths []string
	for _, f := range q.State().Sorted() {
		recent := after > 0 || f.AddedAt > time.Now().AddDate(0, 0, -lakeDays).UnixNano()
		if f.Added > after && recent && f.Kinds["alert"] > 0 {
			p, err := l.Abs(f.Path)
			if err != nil {
				return nil, err
			}
			paths = append(paths, "'"+strings.ReplaceAll(p, "'", "''")+"'")
		}
	}
	if len(paths) == 0 {
		return nil, nil
	}
	stmt := "SELECT event_json(r) FROM read_parquet([" + strings.Join(paths, ", ") + "], hive_partitioning = true, " +
		"hive_types = {'dataset': VARCHAR, 'date': DATE}) AS r WHERE r.event.kind = 'alert' ORDER BY r.\"@timestamp\""
	rows, err := q.Select(ctx, stmt)
	if err != nil {
		return nil, fmt.Errorf("read alerts: %w", err)
	}
	defer rows.Close()
	var cells []string
	for {
		var ok bool
		if cells, ok, err = rows.Next(cells); err != nil || !ok {
			return lines, err
		}
		lines = append(lines, []byte(event.ValueOf([]byte(cells[0])).String()))
	}
}
