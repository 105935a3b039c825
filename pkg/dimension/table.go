package dimension

import "leat/pkg/event"

// Table holds rows of cells. A cell is a JSON value, or empty where the row has none. Columns are stored one by one and
// without pointers, so that ten million rows cost the garbage collector nothing and can lie in a mapped file.
type Table struct {
	columns []column
	rows    int
}

// column stores its cells in one of two ways. Few different values: codes8 or codes16 has for each row the number
// of its value. Many: ends has for each row the end of its value (codes are nil).
type column struct {
	name    string
	codes8  []uint8
	codes16 []uint16
	ends    []uint32 // of values, in data
	data    []byte
}

// Rows returns the number of rows.
func (t *Table) Rows() int { return t.rows }

// Columns returns the names of the columns.
func (t *Table) Columns() []string {
	out := make([]string, len(t.columns))
	for i := range t.columns {
		out[i] = t.columns[i].name
	}
	return out
}

// Column returns the number of the named column, or -1.
func (t *Table) Column(name string) int {
	for i := range t.columns {
		if t.columns[i].name == name {
			return i
		}
	}
	return -1
}

// Cell returns the JSON value of a row's column; it is empty where there is none. The caller doesn't change it.
func (t *Table) Cell(row, col int) []byte {
	c := &t.columns[col]
	switch {
	case c.codes8 != nil:
		row = int(c.codes8[row])
	case c.codes16 != nil:
		row = int(c.codes16[row])
	}
	start := uint32(0)
	if row > 0 {
		start = c.ends[row-1]
	}
	end := c.ends[row]
	return c.data[start:end:end]
}

// Empty returns how many rows have no value in the column.
func (t *Table) Empty(col int) int {
	n := 0
	for row := range t.rows {
		if len(t.Cell(row, col)) == 0 {
			n++
		}
	}
	return n
}

// AppendRow appends a row as a JSON object with a member for each column that has a value.
func (t *Table) AppendRow(dst []byte, row int) []byte {
	dst = append(dst, '{')
	first := len(dst)
	for i := range t.columns {
		if cell := t.Cell(row, i); len(cell) > 0 {
			if len(dst) > first {
				dst = append(dst, ',')
			}
			dst = append(append(event.AppendString(dst, t.columns[i].name), ':'), cell...)
		}
	}
	return append(dst, '}')
}
