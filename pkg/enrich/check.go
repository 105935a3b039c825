package enrich

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"leat/pkg/event"
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
// rules that name columns that are not there, duplicate keys, and files older than max_age.
func Check(cfg *Config, now time.Time) ([]Report, error) {
	var out []Report
	var faults []error
	dims := map[string]*Snapshot{}
	for _, name := range cfg.dimensionNames() {
		d := cfg.Dimensions[name]
		s, err := LoadDimension(d)
		dims[name] = s
		r := Report{Snapshot: s, Name: name, Err: err}
		if err != nil {
			faults = append(faults, err)
			out = append(out, r)
			continue
		}
		r.Age = now.Sub(s.Modified)
		if s.tab != nil {
			r.Columns = s.tab.emptyCells()
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
	_, err := cfg.bind(dims)
	return out, errors.Join(append(faults, err)...)
}

func (t *table) emptyCells() []ColumnReport {
	out := make([]ColumnReport, len(t.columns))
	for i, c := range t.columns {
		out[i].Name = c
		for row := range t.rows() {
			if len(t.cell(row, i)) == 0 {
				out[i].Empty++
			}
		}
	}
	return out
}

// ErrNoRow says that a dimension has no row for a key.
var ErrNoRow = errors.New("no row has this key")

// Lookup returns the row that the named dimension has for key, as a JSON object (of a MaxMind database: the record).
func Lookup(cfg *Config, dimension, key string) ([]byte, error) {
	d := cfg.Dimensions[dimension]
	if d == nil {
		return nil, fmt.Errorf("no dimension %q; expected one of %s", dimension, strings.Join(cfg.dimensionNames(), ", "))
	}
	s, err := LoadDimension(d)
	if err != nil {
		return nil, err
	}
	k := appendKey(nil, []byte(key), d.Fold && d.Join == "exact")
	if s.geo != nil {
		a, ok := parseAddress(k)
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
	row := s.index.find(k)
	if row < 0 {
		return nil, ErrNoRow
	}
	out := []byte{'{'}
	for i, c := range s.tab.columns {
		if cell := s.tab.cell(row, i); len(cell) > 0 {
			if len(out) > 1 {
				out = append(out, ',')
			}
			out = append(append(event.AppendString(out, c), ':'), cell...)
		}
	}
	return append(out, '}'), nil
}
