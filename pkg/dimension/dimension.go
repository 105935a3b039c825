package dimension

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"leat/pkg/event"
)

// Join is the way in which a key finds a row.
type Join string

// The joins. CIDR: the longest prefix that holds the address. Range: two key columns, first and last, both within, of
// addresses or of whole numbers; the narrowest wins. Suffix: a domain and all below it; the longest wins.
const (
	Exact  Join = "exact"
	CIDR   Join = "cidr"
	Range  Join = "range"
	Suffix Join = "suffix"
	// None: the rows are found by an index of somebody else's; this is their table.
	None Join = "none"
)

// Shape says how the rows of a table are found.
type Shape struct {
	// Keys are the key columns, aliases of one row; a template joins columns. Of a Range the first and the last.
	Keys []Template
	Join Join
	// Fold compares Exact keys without regard to case.
	Fold bool
	// Strict makes a key in two rows an error; else the first row has it.
	Strict bool
	// From and To name the columns of the times within which a row is valid, [from, to); empty: since ever, for ever.
	// With either, one key may have many rows.
	From, To string
}

// Timed tells whether rows are valid for a time.
func (s Shape) Timed() bool { return s.From != "" || s.To != "" }

// Dimension is a table with the index of its keys. It never changes and may be used by many goroutines.
type Dimension struct {
	*Table
	Shape Shape
	// Keys that were indexed, and Duplicates of them that were left out because an earlier row has the key.
	Keys, Duplicates int

	exact       *exact
	v4          line4
	v6, numbers line
	lists       *lists
}

// Build indexes a table. Its errors tell rows and columns, never values.
func Build(t *Table, shape Shape) (*Dimension, error) {
	d := &Dimension{Table: t, Shape: shape}
	// Where the rows are found by somebody else's index, none is a state like others: no indicator is live.
	if t.rows == 0 && shape.Join != None {
		return nil, errors.New("no rows")
	}
	if uint64(t.rows) >= none {
		return nil, errors.New("more rows than 32 bits can number")
	}
	var err error
	if shape.Timed() {
		if d.lists, err = readTimes(t, shape.From, shape.To); err != nil {
			return nil, err
		}
	}
	keys, err := d.keyColumns()
	if err != nil {
		return nil, err
	}
	switch shape.Join {
	case CIDR, Range:
		err = d.indexRanges(keys)
	case Exact, Suffix:
		err = d.indexExact(keys)
	case None:
		d.Keys = t.rows
	default:
		err = fmt.Errorf("join %q; expected exact, cidr, range or suffix", shape.Join)
	}
	if err == nil && d.Keys == 0 && shape.Join != None {
		err = errors.New("no row has a key")
	}
	return d, err
}

// Find returns the row that has key at a time (nanoseconds since 1970; it counts only where the shape is timed), or -1.
// key is as AppendKey made it.
func (d *Dimension) Find(key []byte, at int64) int {
	place := uint32(none)
	switch d.Shape.Join {
	case Exact:
		if n := d.exact.find(key); n >= 0 {
			place = d.exact.entries[n].row
		}
	case Suffix:
		return d.findSuffix(key, at)
	case None:
		return -1
	default:
		p, v6, ok := parsePoint(key, len(d.numbers.starts) > 0)
		switch {
		case !ok:
		case len(d.numbers.starts) > 0:
			place = d.numbers.find(p)
		case v6:
			place = d.v6.find(p)
		default:
			place = d.v4.find(p)
		}
	}
	return d.row(place, at)
}

func (d *Dimension) row(place uint32, at int64) int {
	switch {
	case place == none:
		return -1
	case d.lists != nil:
		return d.lists.valid(place, at)
	}
	return int(place)
}

// AppendKey appends text in the form in which Find compares it.
func (d *Dimension) AppendKey(dst, text []byte) []byte {
	if d.Shape.Join == Suffix {
		return appendDomain(dst, text)
	}
	return AppendKey(dst, text, d.Shape.Fold && d.Shape.Join == Exact)
}

// Validity returns the time within which a row is valid, in nanoseconds since 1970; without times, for ever.
func (d *Dimension) Validity(row int) (from, to int64) {
	if d.lists == nil {
		return sinceEver, forEver
	}
	return d.lists.from[row], d.lists.to[row]
}

// keyColumn is a key: one column, or several joined with text.
type keyColumn struct {
	Template
	cols []int
}

func (d *Dimension) keyColumns() ([]keyColumn, error) {
	var out []keyColumn
	for _, t := range d.Shape.Keys {
		k := keyColumn{Template: t}
		for _, name := range t.Names {
			col := d.Column(name)
			if col < 0 {
				return nil, fmt.Errorf("no key column %q; the table has %q", name, d.Columns())
			}
			k.cols = append(k.cols, col)
		}
		out = append(out, k)
	}
	return out, nil
}

// indexExact indexes every alias of every row. First all rows by their first key column, then by the second, and so on:
// where one row's alias is another's first key, the latter wins.
func (d *Dimension) indexExact(keys []keyColumn) error {
	x := newExact(d.rows, rand.Uint64())
	d.exact = x
	var many map[int][]uint32 // the rows of the keys that have several, where rows are timed
	if d.lists != nil {
		many = map[int][]uint32{}
	}
	var key []byte
	var err error
	add := func(k keyColumn, text []byte, row uint32) error {
		if key = d.AppendKey(key[:0], text); len(key) == 0 {
			return nil
		}
		n, fresh, err := x.insert(key, row)
		had := uint32(0)
		if err == nil && !fresh {
			had = x.entries[n].row
		}
		switch {
		case err != nil || !fresh && had == row:
			return err
		case fresh:
			d.Keys++
		case d.lists != nil:
			if many[n] == nil {
				many[n] = []uint32{had}
			}
			if !slices.Contains(many[n], row) {
				many[n] = append(many[n], row)
			}
		default:
			d.Duplicates++
			if d.Shape.Strict {
				return fmt.Errorf("rows %d and %d have the same key %v", had+1, row+1, k.Names)
			}
		}
		return nil
	}
	var raw []byte
	for _, k := range keys {
		for row := range d.rows {
			if !k.Plain() {
				if raw = k.join(raw[:0], d.Table, row); raw != nil {
					err = add(k, raw, uint32(row))
				}
			} else {
				// An array has several aliases.
				for el := range event.ValueOf(d.Cell(row, k.cols[0])).Elements {
					if err == nil {
						err = add(k, el.Text(nil), uint32(row))
					}
				}
			}
			if err != nil {
				return err
			}
		}
	}
	if d.lists != nil {
		return d.listRows(many)
	}
	return nil
}

// listRows makes a list of each key's rows.
func (d *Dimension) listRows(many map[int][]uint32) error {
	for n := range d.exact.entries {
		row := d.exact.entries[n].row
		rows := many[n]
		if rows == nil {
			rows = []uint32{row}
		}
		slices.SortFunc(rows, d.lists.newer)
		at, err := d.lists.add(rows)
		if err != nil {
			return err
		}
		d.exact.entries[n].row = at
	}
	return nil
}

// join appends the key of a row; it returns nil where a column has no value.
func (k keyColumn) join(dst []byte, t *Table, row int) []byte {
	for i, col := range k.cols {
		v := event.ValueOf(t.Cell(row, col))
		if !v.Exists() {
			return nil
		}
		dst = append(dst, k.Texts[i]...)
		dst = append(dst, v.Text(nil)...)
	}
	return append(dst, k.Texts[len(k.cols)]...)
}

func (d *Dimension) indexRanges(keys []keyColumn) error {
	var rr rangeRows
	if d.Shape.Join == Range && len(keys) != 2 {
		return fmt.Errorf("join: range has two key columns, the first and the last of the range; found %d", len(keys))
	}
	for row := range d.rows {
		var err error
		if d.Shape.Join == Range {
			first, last := d.Cell(row, keys[0].cols[0]), d.Cell(row, keys[1].cols[0])
			err = rr.between(event.ValueOf(first), event.ValueOf(last), uint32(row))
		} else {
			for _, k := range keys {
				for el := range event.ValueOf(d.Cell(row, k.cols[0])).Elements {
					err = errors.Join(err, rr.prefix(el.String(), uint32(row)))
				}
			}
		}
		if err != nil {
			return fmt.Errorf("row %d: %w", row+1, err)
		}
	}
	if len(rr.numbers) > 0 && len(rr.v4)+len(rr.v6) > 0 {
		return errors.New("some ranges are of addresses, some of numbers")
	}
	d.Keys = len(rr.v4) + len(rr.v6) + len(rr.numbers)
	var v4 line
	defer func() { d.v4.narrow(&v4) }()
	if d.lists != nil {
		return errors.Join(v4.cutLists(rr.v4, d.lists), d.v6.cutLists(rr.v6, d.lists), d.numbers.cutLists(rr.numbers, d.lists))
	}
	d.Duplicates = v4.cut(rr.v4) + d.v6.cut(rr.v6) + d.numbers.cut(rr.numbers)
	if d.Duplicates > 0 && d.Shape.Strict {
		return fmt.Errorf("%d ranges are there twice", d.Duplicates)
	}
	return nil
}
