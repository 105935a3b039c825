// Package database asks PostgreSQL and SQLite one query and gives each value of the answer as a JSON value with its type:
// numbers to the digit, true and false, times as RFC 3339 in UTC, arrays and JSON as they are. NULL is no value.
//
// It only reads: PostgreSQL in read-only transactions, SQLite from files opened for reading. It is not a pool, not a query
// builder, and not for queries put together from data: keys are bound as parameters.
//
// Delivery: an answer that broke off is an error, never a shorter answer.
package database

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"leat/pkg/dimension"
	"leat/pkg/dimension/secret"
)

// Config says which database.
type Config struct {
	// Driver is postgres or sqlite.
	Driver string `yaml:"driver"`
	// DSN is PostgreSQL's connection string (a URL or key=value words, libpq's). With a password in it, DSNEnv or DSNFile
	// is the place for it.
	DSN     string `yaml:"dsn"`
	DSNEnv  string `yaml:"dsn_env"`
	DSNFile string `yaml:"dsn_file"`
	// File is SQLite's.
	File string `yaml:"file"`
	// Insecure lets a connection over a network go without a verified certificate.
	Insecure bool `yaml:"insecure"`
	// Timeout of a query with its connection; 0 = 30s.
	Timeout time.Duration `yaml:"timeout"`
}

// Check fills in what was left out and returns what is wrong.
func (c *Config) Check() (bad []dimension.Complaint) {
	add := func(key, format string, args ...any) {
		bad = append(bad, dimension.Complaint{Key: key, Message: fmt.Sprintf(format, args...)})
	}
	given := 0
	for _, s := range []string{c.DSN, c.DSNEnv, c.DSNFile} {
		if s != "" {
			given++
		}
	}
	if c.Driver == "" && c.File != "" {
		c.Driver = "sqlite"
	}
	switch c.Driver {
	case "sqlite":
		if c.File == "" {
			add("file", "no file; expected the path of the SQLite database")
		}
		if given > 0 {
			add("dsn", "SQLite has a file; expected no dsn")
		}
	case "postgres":
		if given != 1 {
			add("dsn", "%d connection strings; expected one of dsn, dsn_env and dsn_file", given)
		}
		if c.File != "" {
			add("file", "PostgreSQL has no file; expected dsn, dsn_env or dsn_file")
		}
		if c.DSN != "" {
			if _, err := c.postgres(c.DSN); err != nil {
				add("dsn", "%v", err)
			}
		}
	default:
		add("driver", "driver %q; expected postgres or sqlite", c.Driver)
	}
	if c.Timeout < 0 {
		add("timeout", "timeout %s; expected a duration above 0", c.Timeout)
	}
	if c.Timeout == 0 {
		c.Timeout = 30 * time.Second
	}
	return bad
}

// Conn is an open database. One goroutine uses it at a time.
type Conn interface {
	// Query runs one query and hands its answer row by row: first the names of the columns, all different. A cell is a
	// JSON value, empty for NULL, and valid during the call. keys, where not nil, are the query's only parameter: a text
	// array for PostgreSQL ($1), a JSON array for SQLite (?1, for json_each). After an error the connection is closed; the
	// next Query opens another one.
	Query(ctx context.Context, query string, keys []string, columns func([]string) error, row func(cells [][]byte) error) error
	// Close frees the connection.
	Close() error
}

// ErrValue is an error of Query for which a value is to blame, of a row or a key: it does not have the type that is asked of it.
var ErrValue = errors.New("the server refused a value")

// Open prepares a connection; it is made by the first query. Relative files are below base.
func (c *Config) Open(base string) (Conn, error) {
	if c.Driver == "sqlite" {
		return c.openSQLite(base)
	}
	dsn, err := secret.Value{Text: c.DSN, Env: c.DSNEnv, File: c.DSNFile}.Read(base)
	if err != nil {
		return nil, fmt.Errorf("read the connection string: %w", err)
	}
	conf, err := c.postgres(dsn)
	if err != nil {
		return nil, err
	}
	return &postgres{conf: conf, timeout: c.Timeout}, nil
}

// distinct refuses columns that a row could not keep apart.
func distinct(columns []string) error {
	seen := map[string]bool{}
	for i, c := range columns {
		switch {
		case strings.TrimSpace(c) == "" || c == "?column?":
			return fmt.Errorf("column %d of the query has no name; expected one (... as name)", i+1)
		case seen[c]:
			return fmt.Errorf("two columns of the query have the name %q; expected different ones (... as name)", c)
		}
		seen[c] = true
	}
	return nil
}
