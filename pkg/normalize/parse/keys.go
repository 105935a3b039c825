package parse

import (
	"bytes"

	"leat/pkg/event"
)

// Keys says how the names of a record's pairs become those that its vendor documents.
type Keys struct {
	// Labels gives the value of a custom field the name that its label says: "cs1Label=Rule cs1=allow" is Rule=allow
	// (ArcSight CEF 1.2, "custom dictionary extensions").
	Labels bool
	// Strip lists prefixes of names that are dropped, such as PanOS.
	Strip [][]byte
}

// maxLabels bounds the labels of one record: CEF has 26 custom fields.
const maxLabels = 32

var labelEnd = []byte("Label")

// Rename renames the cells of r from number from on, which must be members of one object. A name that is there already is
// not given twice: the other then keeps its own.
func (k *Keys) Rename(r *Record, from int) {
	if len(k.Strip) > 0 {
		for i := from; i < len(r.Cells); i++ {
			k.strip(&r.Cells[i])
		}
	}
	if !k.Labels {
		return
	}
	seen := 0
	for i := from; i < len(r.Cells) && seen < maxLabels; i++ {
		c := &r.Cells[i]
		if base, ok := bytes.CutSuffix(c.Key, labelEnd); ok && len(base) > 0 && len(c.Val) > 0 {
			seen++
			r.label(from, i, base)
		}
	}
}

func (k *Keys) strip(c *Cell) {
	for _, p := range k.Strip {
		if rest, ok := bytes.CutPrefix(c.Key, p); ok && len(rest) > 0 {
			c.Key, c.Name = rest, 0
			return
		}
	}
}

// label gives the cell named base the name that is the value of cell i, which then says nothing more.
func (r *Record) label(from, i int, base []byte) {
	at := -1
	for j := from; j < len(r.Cells); j++ {
		if bytes.Equal(r.Cells[j].Key, base) {
			at = j
		} else if bytes.Equal(r.Cells[j].Key, r.Cells[i].Val) {
			return
		}
	}
	if at >= 0 {
		r.Cells[at].Key, r.Cells[at].Name = r.Cells[i].Val, 0
		r.Cells[i].Kind = event.Null
	}
}
