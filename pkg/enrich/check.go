package enrich

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"leat/internal/address"
	"leat/pkg/dimension"
	"leat/pkg/enrich/remote"
)

// Report is what Check found in one dimension.
type Report struct {
	*Snapshot
	Name string
	// Age of the file at the time of the check.
	Age time.Duration
	// Columns with the number of rows in which they are empty; a MaxMind database has none.
	Columns []ColumnReport
	// Err is why it could not be loaded.
	Err error
}

// ColumnReport is a column of a Report.
type ColumnReport struct {
	Name  string
	Empty int
}

// Check loads every dimension and binds the rules. Its error joins what a person should look at: what does not load,
// rules that name columns that are not there, duplicate keys, and what is older than max_age. Every source is asked.
func Check(ctx context.Context, cfg *Config, opt Options) ([]Report, error) {
	opt = opt.filled()
	now := opt.Now()
	var out []Report
	var faults []error
	dims := map[string]*Snapshot{}
	for _, name := range cfg.dimensionNames() {
		d := cfg.Dimensions[name]
		if d.live() {
			continue
		}
		s, err := cfg.loadOne(ctx, d, &opt, false)
		dims[name] = s
		r := Report{Snapshot: s, Name: name, Err: err}
		if err != nil {
			faults = append(faults, err)
			out = append(out, r)
			continue
		}
		r.Age = now.Sub(s.seen())
		if s.dim != nil {
			r.Columns = emptyCells(s.dim.Table)
			faults = append(faults, damaged(name, s.dim.Table))
		} else if err := s.geo.db.Verify(); err != nil {
			faults = append(faults, fmt.Errorf("dimension %q: a broken MaxMind database: %w", name, err))
		}
		if s.Duplicates > 0 {
			faults = append(faults, fmt.Errorf("dimension %q: %d keys are in more than one row; the first row answers", name, s.Duplicates))
		}
		if d.MaxAge > 0 && r.Age > d.MaxAge {
			faults = append(faults, fmt.Errorf("dimension %q: the file is %s old, max_age is %s", name, r.Age.Round(time.Second), d.MaxAge))
		}
		out = append(out, r)
	}
	sh := &shared{opt: opt}
	var err, err2 error
	if sh.learned, err = newLearned(cfg, &opt); err == nil {
		if sh.asked, err = newAsked(cfg, &opt); err == nil {
			_, err = cfg.bind(dims, sh)
			err2 = sh.asked.close()
		}
	}
	return out, errors.Join(append(faults, err, err2)...)
}

// damaged tells of characters that were lost because the source was not written in UTF-8.
func damaged(name string, t *dimension.Table) error {
	for col, c := range t.Columns() {
		n, first := 0, 0
		for row := range t.Rows() {
			if bytes.Contains(t.Cell(row, col), []byte(replacement)) {
				if n++; n == 1 {
					first = row + 1
				}
			}
		}
		if n > 0 {
			return fmt.Errorf("dimension %q, column %q: %d values, the first in row %d, have characters that are not UTF-8 (Windows-1252, ISO 8859?)", name, c, n, first)
		}
	}
	return nil
}

func emptyCells(t *dimension.Table) []ColumnReport {
	var out []ColumnReport
	for i, c := range t.Columns() {
		out = append(out, ColumnReport{Name: c, Empty: t.Empty(i)})
	}
	return out
}

// loadOne loads one dimension, as its source has it now; with warm, what an earlier run left on disk will do.
func (c *Config) loadOne(ctx context.Context, d *DimensionConfig, opt *Options, warm bool) (s *Snapshot, err error) {
	k, err := newKeeper(c, d, opt)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, k.close()) }()
	had := k.warm()
	if had != nil && warm && k.remote() {
		return had, nil
	}
	s, err = k.load(ctx, had, opt.Force)
	if errors.Is(err, dimension.ErrUnchanged) {
		return had, nil
	}
	return s, err
}

// ErrNoRow says that a dimension has no row for a key.
var ErrNoRow = errors.New("no row has this key")

// Lookup returns the row that the named dimension has for key at a time, as a JSON object (of a MaxMind database: the
// record).
func Lookup(ctx context.Context, cfg *Config, opt Options, name, key string, at time.Time) ([]byte, error) {
	opt = opt.filled()
	d := cfg.Dimensions[name]
	if d == nil {
		return nil, fmt.Errorf("no dimension %q; expected one of %s", name, strings.Join(cfg.dimensionNames(), ", "))
	}
	if d.Learn != nil {
		return cfg.learnedRows(&opt, name, key)
	}
	if d.Remote != nil {
		return cfg.askedRow(ctx, d, &opt, key)
	}
	s, err := cfg.loadOne(ctx, d, &opt, true)
	if err != nil {
		return nil, err
	}
	if s.geo != nil {
		a, ok := address.Parse(bytes.TrimSpace([]byte(key)))
		if !ok {
			return nil, fmt.Errorf("%q is no address", key)
		}
		r := s.geo.db.Lookup(a.Unmap())
		if !r.Found() {
			return nil, errors.Join(ErrNoRow, r.Err())
		}
		var rec map[string]any
		if err := r.Decode(&rec); err != nil {
			return nil, fmt.Errorf("decode the record: %w", err)
		}
		return json.Marshal(rec)
	}
	row := -1
	if s.set != nil {
		row = s.set.Find([]byte(key))
	} else {
		row = s.dim.Find(s.dim.AppendKey(nil, []byte(key)), at.UnixNano())
	}
	if row < 0 {
		return nil, ErrNoRow
	}
	return s.dim.AppendRow(nil, row), nil
}

// learnedRows returns all that a run with a state folder learned of a key: a JSON object a line, with the times.
func (c *Config) learnedRows(opt *Options, name, key string) ([]byte, error) {
	l, err := newLearned(c, opt)
	if err == nil && l.dir == "" {
		err = errors.New("what is learned lies in the state folder; expected --state DIR")
	}
	if err == nil {
		err = l.load()
	}
	if err != nil {
		return nil, err
	}
	out := l.tables[name].AppendIntervals(nil, []byte(key))
	if len(out) == 0 {
		return nil, ErrNoRow
	}
	return bytes.TrimSuffix(out, []byte("\n")), nil
}

// askedRow asks for one key where it lives.
func (c *Config) askedRow(ctx context.Context, d *DimensionConfig, opt *Options, key string) (row []byte, err error) {
	cache, err := d.openRemote(c, opt)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, cache.Close()) }()
	k := dimension.AppendKey(nil, []byte(key), d.Fold)
	cache.Resolve(ctx, [][]byte{k})
	row, st := cache.Get(k)
	switch st {
	case remote.Miss:
		return nil, ErrNoRow
	case remote.Error:
		return nil, errors.New("no answer; the log says why")
	}
	return bytes.Clone(row), nil
}
