package remote

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"leat/pkg/dimension"
	"leat/pkg/dimension/database"
	"leat/pkg/event"
)

// SQLConfig asks a database by one query whose only parameter is all keys: an array of text for PostgreSQL
// (where name = any($1)), a JSON array for SQLite (where name in (select value from json_each(?1))).
type SQLConfig struct {
	database.Config `yaml:",inline"`
	Query           string `yaml:"query"`
	// Key is the column of the answer that says which key a row is for.
	Key string `yaml:"key"`
	// Fold compares that column without regard to case.
	Fold bool `yaml:"fold"`
}

// Check fills in what was left out and returns what is wrong.
func (c *SQLConfig) Check() []dimension.Complaint {
	bad := c.Config.Check()
	if c.Query == "" {
		bad = append(bad, dimension.Complaint{Key: "query", Message: "no query; expected a select with the keys as its parameter"})
	}
	if c.Key == "" {
		bad = append(bad, dimension.Complaint{Key: "key", Message: "no key; expected the column that has the key"})
	}
	return bad
}

func (c *SQLConfig) open(env dimension.Env, cfg *Config) (Backend, error) {
	b := &sqlBackend{cfg: *c, free: make(chan database.Conn, cfg.Concurrency)}
	for range cfg.Concurrency {
		conn, err := c.Config.Open(env.Base)
		if err != nil {
			return nil, err
		}
		b.free <- conn
	}
	return b, nil
}

// sqlBackend has a connection for each call that there may be at once; each is made when it is first needed.
type sqlBackend struct {
	cfg  SQLConfig
	free chan database.Conn
}

func (b *sqlBackend) Close() error {
	var errs []error
	for range cap(b.free) {
		conn := <-b.free
		errs = append(errs, conn.Close())
		b.free <- conn
	}
	return errors.Join(errs...)
}

// Lookup runs the query.
func (b *sqlBackend) Lookup(ctx context.Context, keys []string) (map[string][]byte, error) {
	conn := <-b.free
	defer func() { b.free <- conn }()
	m := newMatcher(keys, b.cfg.Fold)
	at, size := -1, 0
	var paths []event.Path
	columns := func(names []string) error {
		if at = slices.Index(names, b.cfg.Key); at < 0 {
			return fmt.Errorf("the query has no column %q; it has %q", b.cfg.Key, names)
		}
		for _, n := range names {
			p, err := event.ParsePath(n)
			if err != nil {
				return fmt.Errorf("column %q: %w", n, err)
			}
			paths = append(paths, p)
		}
		return nil
	}
	row := func(cells [][]byte) error {
		key := event.ValueOf(cells[at])
		if key.Kind != event.String && key.Kind != event.Number {
			return nil
		}
		var e event.Event
		e.Reset([]byte(`{}`))
		for i, cell := range cells {
			if len(cell) == 0 {
				continue
			}
			if size += len(cell); size > maxRow*len(keys) {
				return errors.New("the answer is too long for its keys")
			}
			if err := e.Set(paths[i], cell); err != nil {
				return err
			}
		}
		m.add(key.String(), e.Append(nil))
		return nil
	}
	err := conn.Query(ctx, b.cfg.Query, keys, columns, row)
	if errors.Is(err, database.ErrValue) {
		return nil, fmt.Errorf("%w: %w", ErrKeys, err)
	}
	return m.rows, err
}
