package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"modernc.org/sqlite"

	"leat/pkg/dimension"
	"leat/pkg/event"
)

// sqliteCantOpen is SQLite's result code for a file that can't be opened, also one of those beside the database.
const sqliteCantOpen = 14

// sqliteFile is a Conn.
type sqliteFile struct {
	path    string
	timeout time.Duration
	db      *sql.DB
}

func (c *Config) openSQLite(base string) (Conn, error) {
	path, err := filepath.Abs(dimension.Below(base, c.File))
	if err != nil {
		return nil, err
	}
	return &sqliteFile{path: path, timeout: c.Timeout}, nil
}

// uri of the database, opened for reading only. A schema can't call functions with effects.
func (s *sqliteFile) uri(immutable bool) string {
	u := url.URL{Scheme: "file", Path: s.path}
	v := url.Values{"mode": {"ro"}, "_pragma": {"query_only(1)", "trusted_schema(0)", "busy_timeout(5000)", "temp_store(memory)"}}
	if immutable {
		v.Set("immutable", "1")
	}
	u.RawQuery = v.Encode()
	return u.String()
}

func (s *sqliteFile) open(immutable bool) error {
	info, err := os.Stat(s.path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("open %s: not a regular file", s.path)
	}
	if s.db, err = sql.Open("sqlite", s.uri(immutable)); err != nil {
		return err
	}
	s.db.SetMaxOpenConns(1)
	return nil
}

func (s *sqliteFile) Close() error {
	if s.db == nil {
		return nil
	}
	err := s.db.Close()
	s.db = nil
	return err
}

func (s *sqliteFile) Query(ctx context.Context, query string, keys []string, columns func([]string) error, row func([][]byte) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	var args []any
	if keys != nil {
		list := []byte{'['}
		for i, k := range keys {
			if i > 0 {
				list = append(list, ',')
			}
			list = event.AppendString(list, k)
		}
		args = []any{string(append(list, ']'))}
	}
	err := s.ask(ctx, false, query, args, columns, row)
	var e *sqlite.Error
	if errors.As(err, &e) && e.Code()&0xff == sqliteCantOpen && s.quiet() {
		// Write-ahead mode wants files beside the database, and we may not make them: with no writer about, the file alone
		// is the whole.
		err = s.still(ctx, query, args, columns, row)
	}
	if err != nil {
		_ = s.Close()
		if ctx.Err() != nil {
			return fmt.Errorf("query %s: %w", s.path, ctx.Err())
		}
		return fmt.Errorf("query %s: %w", s.path, err)
	}
	return nil
}

// quiet says whether the database has no write-ahead log in use.
func (s *sqliteFile) quiet() bool {
	info, err := os.Stat(s.path + "-wal")
	return errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() == 0
}

// still reads the file as one that nobody changes, and makes sure that nobody did.
func (s *sqliteFile) still(ctx context.Context, query string, args []any, columns func([]string) error, row func([][]byte) error) error {
	if err := s.Close(); err != nil {
		return err
	}
	before, err := os.Stat(s.path)
	if err != nil {
		return err
	}
	err = s.ask(ctx, true, query, args, columns, row)
	if cerr := s.Close(); err == nil {
		err = cerr
	}
	after, serr := os.Stat(s.path)
	switch {
	case err != nil || serr != nil:
		return errors.Join(err, serr)
	case !s.quiet() || !os.SameFile(before, after) || !before.ModTime().Equal(after.ModTime()) || before.Size() != after.Size():
		return errors.New("the database was changed while it was read")
	}
	return nil
}

func (s *sqliteFile) ask(ctx context.Context, immutable bool, query string, args []any, columns func([]string) error, row func([][]byte) error) error {
	if s.db == nil {
		if err := s.open(immutable); err != nil {
			return err
		}
	}
	rows, err := s.db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	if len(names) == 0 {
		return errors.New("the query answers with no columns; expected a select")
	}
	types, err := rows.ColumnTypes()
	if err != nil {
		return err
	}
	if err := errors.Join(distinct(names), columns(names)); err != nil {
		return err
	}
	values, targets := make([]any, len(names)), make([]any, len(names))
	declared := make([]string, len(names))
	for i := range values {
		targets[i] = &values[i]
		declared[i] = strings.ToUpper(types[i].DatabaseTypeName())
	}
	cells, buf := make([][]byte, len(names)), make([][]byte, len(names))
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return err
		}
		for i, v := range values {
			if cells[i], err = appendValue(buf[i][:0], declared[i], v); err != nil {
				return fmt.Errorf("column %q: %w", names[i], err)
			}
			buf[i] = cells[i]
		}
		if err := row(cells); err != nil {
			return err
		}
	}
	return rows.Err()
}

// appendValue appends a value of SQLite, where each value has a type of its own, as a JSON value. The declared type of its
// column tells what SQLite has no types for: truth, JSON, times.
func appendValue(dst []byte, declared string, v any) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return dst, nil
	case int64:
		if (declared == "BOOLEAN" || declared == "BOOL") && (v == 0 || v == 1) {
			return strconv.AppendBool(dst, v == 1), nil
		}
		return strconv.AppendInt(dst, v, 10), nil
	case bool:
		return strconv.AppendBool(dst, v), nil
	case float64:
		return appendFloat(dst, v), nil
	case time.Time:
		if declared == "DATE" {
			return append(v.AppendFormat(append(dst, '"'), time.DateOnly), '"'), nil
		}
		return appendTime(dst, v), nil
	case []byte:
		if len(v) == 0 {
			return dst, nil
		}
		return fmt.Appendf(dst, `"%x"`, v), nil
	case string:
		switch {
		case v == "":
			return dst, nil
		case declared == "JSON":
			if out, err := appendJSON(dst, []byte(v)); err == nil {
				return out, nil
			}
		}
		return event.AppendString(dst, v), nil
	}
	return dst, fmt.Errorf("a value of type %T", v)
}
