package dimension

import (
	"errors"
	"fmt"
	"math"

	"leat/pkg/event"
)

// Limits bound a table. Zero: 20 million rows.
type Limits struct {
	Rows int
}

const (
	defaultRows = 20_000_000
	// maxColumns keeps a table of hostile or mistaken JSON from growing a column for every value.
	maxColumns = 4096
	// maxCodes is how many different values a column may have to be stored by their numbers.
	maxCodes = 1 << 16
	// manyCodes is how many there are before they are looked upon as each row's own.
	manyCodes = 1 << 12
)

// Builder makes a Table row by row.
type Builder struct {
	columns []building
	at      map[string]int
	rows    int
	max     int
	ev      event.Event
}

// building is a column in the making. values is nil once there were too many different ones.
type building struct {
	name   string
	ends   []uint32 // of the values, in data
	data   []byte
	codes  []uint16 // of the rows; nil while all are empty
	values map[string]uint32
	rows   int // that have their cell; those behind them are empty
	last   uint32
}

// NewBuilder returns a builder of a table with the named columns; more may be added while rows come.
func NewBuilder(lim Limits, columns ...string) *Builder {
	b := &Builder{at: map[string]int{}, max: lim.Rows}
	if b.max == 0 {
		b.max = defaultRows
	}
	for _, c := range columns {
		b.add(c)
	}
	return b
}

func (b *Builder) add(name string) int {
	b.at[name] = len(b.columns)
	// Code 0 is the empty cell.
	b.columns = append(b.columns, building{name: name, ends: []uint32{0}, values: map[string]uint32{}})
	return len(b.columns) - 1
}

// Column returns the number of the named column, which is added if it is new.
func (b *Builder) Column(name string) (int, error) {
	if i, ok := b.at[name]; ok {
		return i, nil
	}
	if len(b.columns) == maxColumns {
		return 0, fmt.Errorf("more than %d columns", maxColumns)
	}
	return b.add(name), nil
}

// Rows returns the number of rows that were ended.
func (b *Builder) Rows() int { return b.rows }

// Set gives the row that is being built the JSON value raw in a column, unless it has one. The caller has checked raw.
func (b *Builder) Set(col int, raw []byte) error {
	c := &b.columns[col]
	if c.rows > b.rows || len(raw) == 0 {
		return nil
	}
	if c.rows < b.rows {
		c.pad(b.rows)
	}
	return c.put(raw)
}

// SetString gives the row that is being built a text. The empty text is no value.
func (b *Builder) SetString(col int, s string) error {
	if s == "" {
		return nil
	}
	return b.Set(col, event.AppendString(nil, s))
}

// EndRow ends a row.
func (b *Builder) EndRow() error {
	if b.rows == b.max {
		return fmt.Errorf("more than max_rows (%d) rows", b.max)
	}
	b.rows++
	return nil
}

// Object adds a row that is a JSON object. A nested member is a column with dots (office.city); null is no value.
func (b *Builder) Object(raw []byte) error {
	b.ev.Reset(raw)
	if err := b.ev.Parse(); err != nil {
		return errors.New("not a JSON object (a torn file?)")
	}
	if err := b.members(b.ev.Root(), ""); err != nil {
		return err
	}
	return b.EndRow()
}

func (b *Builder) members(n event.Node, prefix string) error {
	for m := b.ev.First(n); m != event.None; m = b.ev.Next(m) {
		name := prefix + string(b.ev.Key(m))
		switch b.ev.KindAt(m) {
		case event.Object:
			if err := b.members(m, name+"."); err != nil {
				return err
			}
			continue
		case event.Null:
			continue
		}
		col, err := b.Column(name)
		if err == nil {
			err = b.Set(col, b.ev.ValueAt(m).Raw)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// pad gives rows up to n, not included, the empty cell.
func (c *building) pad(n int) {
	if c.values == nil {
		end := uint32(len(c.data))
		for ; c.rows < n; c.rows++ {
			c.ends = append(c.ends, end)
		}
		return
	}
	if c.codes != nil {
		c.codes = append(c.codes, make([]uint16, n-c.rows)...)
	}
	c.rows = n
}

func (c *building) put(raw []byte) error {
	if uint64(len(c.data))+uint64(len(raw)) > math.MaxUint32 {
		return fmt.Errorf("more than %d bytes of values in column %q", uint64(math.MaxUint32), c.name)
	}
	c.rows++
	if c.values == nil {
		c.data = append(c.data, raw...)
		c.ends = append(c.ends, uint32(len(c.data)))
		return nil
	}
	code, ok := c.last, c.last > 0 && string(c.data[c.ends[c.last-1]:c.ends[c.last]]) == string(raw)
	if !ok {
		code, ok = c.values[string(raw)]
	}
	if !ok {
		// Where most rows have a value of their own, numbering them is work for nothing.
		if code = uint32(len(c.ends)); code == maxCodes || code >= manyCodes && int(code)*2 > c.rows {
			c.rows--
			if err := c.spread(); err != nil {
				return err
			}
			return c.put(raw)
		}
		c.values[string(raw)] = code
		c.data = append(c.data, raw...)
		c.ends = append(c.ends, uint32(len(c.data)))
	}
	c.last = code
	if c.codes == nil {
		c.codes = make([]uint16, c.rows-1, max(2*c.rows, 64))
	}
	c.codes = append(c.codes, uint16(code))
	return nil
}

// spread stores the cells themselves instead of their numbers.
func (c *building) spread() error {
	var size uint64
	for _, code := range c.codes {
		if code > 0 {
			size += uint64(c.ends[code] - c.ends[code-1])
		}
	}
	if size > math.MaxUint32 {
		return fmt.Errorf("more than %d bytes of values in column %q", uint64(math.MaxUint32), c.name)
	}
	data, ends := make([]byte, 0, size+size/2), make([]uint32, 0, 2*len(c.codes))
	for _, code := range c.codes {
		if code > 0 {
			data = append(data, c.data[c.ends[code-1]:c.ends[code]]...)
		}
		ends = append(ends, uint32(len(data)))
	}
	c.data, c.ends, c.codes, c.values = data, ends, nil, nil
	return nil
}
