package dimension

import "math"

// Table returns the table. The builder is not used afterwards.
func (b *Builder) Table() *Table {
	t := &Table{rows: b.rows}
	var many []*building
	var size uint64
	for i := range b.columns {
		c := &b.columns[i]
		c.pad(b.rows)
		col := column{name: c.name, form: formWide}
		switch {
		case c.values == nil:
			// Where all of them are too long for one block, each has its own.
			if size += uint64(len(c.data)); size > math.MaxUint32 {
				t.wide, many, size = append(t.wide, interleave(many, b.rows)), nil, uint64(len(c.data))
			}
			col.block, col.slot = len(t.wide), len(many)
			many = append(many, c)
		case len(c.ends) <= 1<<8:
			col.form, col.slot = form8, t.n8
			t.n8++
		default:
			col.form, col.slot = form16, t.n16
			t.n16++
		}
		if c.values != nil {
			col.values = wide{n: 1, ends: c.ends, data: c.data}
		}
		t.columns = append(t.columns, col)
	}
	if len(many) > 0 {
		t.wide = append(t.wide, interleave(many, b.rows))
	}
	t.codes8, t.codes16 = make([]uint8, b.rows*t.n8), make([]uint16, b.rows*t.n16)
	for i := range b.columns {
		codes, col := b.columns[i].codes, &t.columns[i]
		b.columns[i] = building{}
		switch col.form {
		case form8:
			for row, code := range codes {
				t.codes8[row*t.n8+col.slot] = uint8(code)
			}
		case form16:
			for row, code := range codes {
				t.codes16[row*t.n16+col.slot] = code
			}
		}
	}
	return t
}

// interleave puts the cells of columns in the order of the rows.
func interleave(columns []*building, rows int) wide {
	if len(columns) == 1 {
		return wide{n: 1, ends: columns[0].ends, data: columns[0].data}
	}
	w := wide{n: len(columns), ends: make([]uint32, 0, rows*len(columns))}
	size := 0
	for _, c := range columns {
		size += len(c.data)
	}
	w.data = make([]byte, 0, size)
	for row := range rows {
		for _, c := range columns {
			start := uint32(0)
			if row > 0 {
				start = c.ends[row-1]
			}
			w.data = append(w.data, c.data[start:c.ends[row]]...)
			w.ends = append(w.ends, uint32(len(w.data)))
		}
	}
	return w
}
