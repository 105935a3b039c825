package parse

import "leat/pkg/event"

// Loose appends a cell that belongs to no object, for a value that a mapping reads and that is not written again; None when the
// record is full.
func (r *Record) Loose(c Cell) int32 {
	if len(r.Cells) >= maxCells {
		return None
	}
	c.Next, c.child, c.last, c.Node = None, None, None, event.None
	r.Cells = append(r.Cells, c)
	return int32(len(r.Cells) - 1)
}
