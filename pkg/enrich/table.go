package enrich

import (
	"fmt"
	"math"
)

// table holds rows of cells. A cell is a JSON value, or empty where the row has none. It has no pointers per cell, so
// that a million rows cost the garbage collector nothing.
type table struct {
	columns []string
	cells   []byte
	ends    []uint32 // end of cell i in cells; cell i belongs to row i / len(columns)
}

// maxCells keeps offsets within 32 bits.
const maxCells = math.MaxUint32

func (t *table) rows() int {
	if len(t.columns) == 0 {
		return 0
	}
	return len(t.ends) / len(t.columns)
}

// column returns the number of the named column, or -1.
func (t *table) column(name string) int {
	for i, c := range t.columns {
		if c == name {
			return i
		}
	}
	return -1
}

// cell returns the JSON value of a row's column; it is empty where there is none.
func (t *table) cell(row, col int) []byte {
	i := row*len(t.columns) + col
	start := uint32(0)
	if i > 0 {
		start = t.ends[i-1]
	}
	return t.cells[start:t.ends[i]:t.ends[i]]
}

// add ends the cell whose text was appended to cells.
func (t *table) add() error {
	if uint64(len(t.cells)) > maxCells {
		return fmt.Errorf("more than %d bytes of values", uint64(maxCells))
	}
	t.ends = append(t.ends, uint32(len(t.cells)))
	return nil
}
