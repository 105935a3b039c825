package dimension

import "leat/pkg/event"

// Table holds rows of cells. A cell is a JSON value, or empty where the row has none. It has no pointers per row, so that ten
// million rows cost the garbage collector nothing and can lie in a mapped file. What belongs to one row lies together: a
// look-up reads several columns of one row, and nearly all of its time is waiting for memory.
type Table struct {
	columns []column
	rows    int

	codes8  []uint8  // of each row, the number of its value in each column of few values
	codes16 []uint16 // likewise, in columns of more
	n8, n16 int      // how many such columns there are
	wide    []wide   // of the columns in which most rows have a value of their own
}

// form is how a column is stored.
type form uint8

const (
	formWide form = iota
	form8
	form16
)

// column is where the cells of a column are: in codes8 or codes16 at slot of each row, which number the values; or in the
// wide block at slot.
type column struct {
	name   string
	form   form
	block  int
	slot   int
	values wide // of form8 and form16: one column, a row a value; value 0 is the empty cell
}

// wide holds the cells of n columns, row by row: ends[row*n+slot] is where a cell ends in data.
type wide struct {
	n    int
	ends []uint32
	data []byte
}

func (w *wide) cell(i int) []byte {
	start := uint32(0)
	if i > 0 {
		start = w.ends[i-1]
	}
	end := w.ends[i]
	return w.data[start:end:end]
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
	switch c.form {
	case form8:
		return c.values.cell(int(t.codes8[row*t.n8+c.slot]))
	case form16:
		return c.values.cell(int(t.codes16[row*t.n16+c.slot]))
	}
	w := &t.wide[c.block]
	return w.cell(row*w.n + c.slot)
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
