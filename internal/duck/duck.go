package duck

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"runtime"
	"strconv"
	"strings"

	duckdb "github.com/marcboeker/go-duckdb/v2"
)

// Config says what a database may use.
type Config struct {
	// MemoryLimit in bytes (0 = 1 GiB); beyond it DuckDB spills to TempDir.
	MemoryLimit int64
	// Threads that work on one statement (0 = one a core, at most 4).
	Threads int
	// TempDir is where DuckDB spills. Empty: it never spills, and what does not fit fails.
	TempDir string
	// Dirs are folders that statements may read and write, with all that lies below them.
	Dirs []string
	// Files are single files that statements may read and write. Nothing else on disk can be reached.
	Files []string
	// Optimizers, if given, are the only ones that work on statements.
	Optimizers []string
}

// DB is an in-memory database. It is safe for concurrent use.
type DB struct {
	sql *sql.DB
}

// Open opens a database. Whatever statement comes later can't change what cfg allows.
func Open(ctx context.Context, cfg Config) (*DB, error) {
	if cfg.MemoryLimit == 0 {
		cfg.MemoryLimit = 1 << 30
	}
	if cfg.Threads == 0 {
		cfg.Threads = min(runtime.NumCPU(), 4)
	}
	opts := url.Values{
		"autoinstall_known_extensions": {"false"},
		"autoload_known_extensions":    {"false"},
		"memory_limit":                 {strconv.FormatInt(cfg.MemoryLimit, 10) + "B"},
		"threads":                      {strconv.Itoa(cfg.Threads)},
		// Left alone it is `.tmp` in the working folder.
		"temp_directory": {cfg.TempDir},
	}
	c, err := duckdb.NewConnector(":memory:?"+opts.Encode(), nil)
	if err != nil {
		return nil, fmt.Errorf("open DuckDB: %w", err)
	}
	db := &DB{sql: sql.OpenDB(c)}
	if err := db.restrict(ctx, cfg); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("open DuckDB: %w", err)
	}
	return db, nil
}

func (db *DB) restrict(ctx context.Context, cfg Config) error {
	if len(cfg.Optimizers) > 0 {
		if err := db.optimizeOnly(ctx, cfg.Optimizers); err != nil {
			return err
		}
	}
	for _, stmt := range []string{
		"SET GLOBAL TimeZone = 'UTC'",
		"SET allowed_directories = " + List(cfg.Dirs),
		"SET allowed_paths = " + List(cfg.Files),
		"SET enable_external_access = false",
		"SET lock_configuration = true",
	} {
		if _, err := db.sql.ExecContext(ctx, stmt); err != nil {
			return err
		}
	}
	return nil
}

// Close frees the database.
func (db *DB) Close() error { return db.sql.Close() }

// Exec runs one statement and returns the number of rows that it changed or copied. args are the values of its parameters.
func (db *DB) Exec(ctx context.Context, stmt string, args ...any) (rows int64, err error) {
	res, err := db.sql.ExecContext(ctx, stmt, args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// Query runs one statement and returns its rows, which the caller closes. args are the values of its parameters.
func (db *DB) Query(ctx context.Context, stmt string, args ...any) (*sql.Rows, error) {
	return db.sql.QueryContext(ctx, stmt, args...)
}

// Text returns s as an SQL string.
func Text(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// Name returns s as an SQL name.
func Name(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

// List returns items as an SQL list of strings.
func List(items []string) string {
	var b strings.Builder
	b.WriteByte('[')
	for i, s := range items {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(Text(s))
	}
	b.WriteByte(']')
	return b.String()
}
