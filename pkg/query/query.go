package query

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"leat/internal/duck"
	"leat/pkg/lake"
	"leat/pkg/persist"
	"leat/pkg/row"
)

// ErrNotSelect says that a statement does more than read.
var ErrNotSelect = duck.ErrNotSelect

// Config says what a DB may use and shows.
type Config struct {
	// Memory is DuckDB's limit in bytes for each statement (default 1 GiB); beyond it what is sorted or joined is spilled to TempDir, or fails where that is empty.
	Memory  int64
	Threads int
	TempDir string
	// Hot shows also what running persists have taken in and not committed yet, at most about a second late.
	Hot bool
	// Since and Until, where they are not zero, leave in the views only events with Since <= @timestamp < Until.
	Since, Until time.Time
	// Write is a file that DB.Parquet may write; "" = none.
	Write string

	// asOf returns the columns of a version (row.AsOf).
	asOf func(version int) *row.Columns
}

// DB is one state of a lake, open for reading. It is safe for concurrent use.
type DB struct {
	cfg    Config
	plan   *planner
	reader *lake.Reader
	lake   *lake.Lake
	cols   *row.Columns
	older  map[int]*row.Columns // columns of the files, by version; nil where they are cols

	files  []lake.File
	paths  []string // of files
	hot    []persist.HotFile
	hotDir string
}

// Open pins the newest state of l.
func Open(ctx context.Context, l *lake.Lake, cfg Config) (*DB, error) {
	if cfg.asOf == nil {
		cfg.asOf = row.AsOf
	}
	q := &DB{cfg: cfg, lake: l, cols: row.Standard(), older: map[int]*row.Columns{}}
	if err := q.open(ctx); err != nil {
		return nil, errors.Join(err, q.Close())
	}
	return q, nil
}

// Close ends the database and the pin.
func (q *DB) Close() error {
	var errs []error
	if q.plan != nil {
		errs = append(errs, q.plan.duck.Close())
	}
	if q.reader != nil {
		errs = append(errs, q.reader.Close())
	}
	if q.hotDir != "" {
		errs = append(errs, os.RemoveAll(q.hotDir))
	}
	return errors.Join(errs...)
}

// State is what the DB reads.
func (q *DB) State() *lake.State { return q.reader.State() }

func (q *DB) open(ctx context.Context) error {
	if err := q.pin(); err != nil {
		return err
	}
	q.files = q.State().Sorted()
	q.paths = make([]string, len(q.files))
	for i, f := range q.files {
		var err error
		if q.paths[i], err = q.lake.Abs(f.Path); err != nil {
			return err
		}
		if err := q.know(f.Columns); err != nil {
			return fmt.Errorf("file %q: %w", f.Path, err)
		}
	}
	var err error
	q.plan, err = newPlanner(ctx, q.cols, nil)
	return err
}

// know looks up the columns of a version.
func (q *DB) know(version int) error {
	if _, known := q.older[version]; known {
		return nil
	}
	cols := q.cfg.asOf(version)
	if cols == nil {
		return fmt.Errorf("its columns are of version %d, written by a newer leat: %w", version, lake.ErrFormat)
	}
	if slices.Equal(cols.List(), q.cols.List()) {
		cols = nil
	}
	q.older[version] = cols
	return nil
}

// database opens a DuckDB that may read these files, and what is hot, and nothing else. Each statement has one of its own: to allow 10,000
// files takes 0.1 s, and few statements need them.
func (q *DB) database(ctx context.Context, files []int) (*duck.DB, error) {
	cfg := duck.Config{MemoryLimit: q.cfg.Memory, Threads: q.cfg.Threads, TempDir: q.cfg.TempDir}
	for _, i := range files {
		cfg.Files = append(cfg.Files, q.paths[i])
	}
	for _, h := range q.hot {
		cfg.Files = append(cfg.Files, h.Path)
	}
	if q.cfg.Write != "" {
		cfg.Files = append(cfg.Files, q.cfg.Write)
	}
	db, err := duck.Open(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := functions(ctx, db, q.cols); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// pin takes the newest state, and before it what is hot: see persist.Hot.
func (q *DB) pin() (err error) {
	if !q.cfg.Hot {
		q.reader, err = q.lake.NewReader()
		return err
	}
	hot, err := persist.OpenHot(q.lake)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, hot.Close()) }()
	if q.reader, err = q.lake.NewReader(); err != nil {
		return err
	}
	if q.hotDir, err = os.MkdirTemp(q.cfg.TempDir, "leat-hot-"); err != nil {
		return fmt.Errorf("copy of what is not committed: %w", err)
	}
	q.hot, err = hot.Copy(q.State(), q.hotDir)
	return err
}
