package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"os"
)

// Graft gives the file at path the schema of the footer like: each leaf that it lacks is added as all NULL. Its own columns must be some of
// like's, with the same types, and an object that is in the file must not be NULL in any row. Nothing of the
// file's data is moved; only what follows the footer's place is written anew.
func Graft(path string, like *Footer) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	err = graft(f, like)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("graft columns: %w", err)
	}
	return nil
}

func graft(f *os.File, like *Footer) error {
	m, err := readFooter(f)
	if err != nil {
		return err
	}
	if m.orders || like.orders {
		return errors.New("the footer has column orders, which this program does not know how to extend")
	}
	levels, err := m.levels(like)
	if err != nil {
		return err
	}
	g := grafter{like: like, levels: levels, at: m.at}
	footer, err := g.footer(m)
	if err != nil {
		return err
	}
	tail := append(g.pages, footer...)
	tail = binary.LittleEndian.AppendUint32(tail, uint32(len(footer)))
	tail = append(tail, magic...)
	// Only ever longer: each added column adds to pages and footer.
	if _, err := f.WriteAt(tail, m.at); err != nil {
		return err
	}
	return nil
}

// levels returns, for each leaf of like, the definition level at which it is NULL in every row: that of the deepest object around it
// that the file has; -1 for a leaf that the file has.
func (m *Footer) levels(like *Footer) ([]int, error) {
	has := map[string]bool{}
	own := map[string]*Leaf{}
	for i := range m.Leaves {
		l := &m.Leaves[i]
		own[l.name()] = l
		for n := range l.Path {
			has[(&Leaf{Path: l.Path[:n]}).name()] = true
		}
	}
	out := make([]int, len(like.Leaves))
	for i := range like.Leaves {
		l := &like.Leaves[i]
		if o, ok := own[l.name()]; ok {
			if o.typ != l.typ || o.maxDef != l.maxDef || o.maxRep != l.maxRep {
				return nil, fmt.Errorf("column %q is of another type", l.Path)
			}
			delete(own, l.name())
			out[i] = -1
			continue
		}
		for n := 1; n < len(l.Path) && has[(&Leaf{Path: l.Path[:n]}).name()]; n++ {
			out[i] = l.optional[n-1]
		}
	}
	for _, l := range own {
		return nil, fmt.Errorf("column %q is none of the schema's", l.Path)
	}
	return out, nil
}

type grafter struct {
	like   *Footer
	levels []int
	at     int64  // where pages will stand in the file
	pages  []byte // of the added columns
}

// footer returns m's footer with like's schema and the added columns in each row group.
func (g *grafter) footer(m *Footer) ([]byte, error) {
	parts := []struct {
		at   span
		make func(e *encoder) error
	}{
		{m.schema, func(e *encoder) error {
			e.b = append(e.b, g.like.raw[g.like.schema.from:g.like.schema.to]...)
			return nil
		}},
		{m.groups, func(e *encoder) error {
			e.list(len(m.group), typeStruct)
			for i := range m.group {
				if err := g.rowGroup(e, m, &m.group[i]); err != nil {
					return err
				}
			}
			return nil
		}},
	}
	if m.groups.from < m.schema.from {
		parts[0], parts[1] = parts[1], parts[0]
	}
	e, i := &encoder{}, 0
	for _, p := range parts {
		e.b = append(e.b, m.raw[i:p.at.from]...)
		if err := p.make(e); err != nil {
			return nil, err
		}
		i = p.at.to
	}
	return append(e.b, m.raw[i:]...), nil
}

func (g *grafter) rowGroup(e *encoder, m *Footer, group *rowGroup) error {
	e.b = append(e.b, m.raw[group.all.from:group.columns.from]...)
	e.list(len(g.levels), typeStruct)
	for i, level := range g.levels {
		l := &g.like.Leaves[i]
		if level >= 0 {
			g.nulls(e, l, level, group.rows)
			continue
		}
		at, ok := group.chunks[l.name()]
		if !ok {
			return fmt.Errorf("a row group lacks the column %q", l.Path)
		}
		e.b = append(e.b, m.raw[at.from:at.to]...)
	}
	e.b = append(e.b, m.raw[group.columns.to:group.all.to]...)
	return nil
}

// nulls adds one page of rows NULLs of l, and writes its ColumnChunk.
func (g *grafter) nulls(e *encoder, l *Leaf, level int, rows int64) {
	var body []byte
	if l.maxRep > 0 {
		body = appendRun(body, rows, 0, l.maxRep)
	}
	body = appendRun(body, rows, level, l.maxDef)
	h := &encoder{}
	h.begin()   // PageHeader
	h.i32(1, 0) // data page
	h.i32(2, int64(len(body)))
	h.i32(3, int64(len(body)))
	h.field(5, typeStruct)
	h.begin() // DataPageHeader
	h.i32(1, rows)
	h.i32(2, 0) // values: plain, none
	h.i32(3, encodingRLE)
	h.i32(4, encodingRLE)
	h.end()
	h.end()
	offset := g.at + int64(len(g.pages))
	g.pages = append(append(g.pages, h.b...), body...)
	size := int64(len(h.b) + len(body))

	e.begin() // ColumnChunk
	e.i64(2, offset)
	e.field(3, typeStruct)
	e.begin() // ColumnMetaData
	e.i32(1, l.typ)
	e.field(2, typeList)
	e.list(2, typeI32)
	e.int(0)
	e.int(encodingRLE)
	e.field(3, typeList)
	e.list(len(l.Path), typeBinary)
	for _, p := range l.Path {
		e.text(p)
	}
	e.i32(4, 0) // not compressed
	e.i64(5, rows)
	e.i64(6, size)
	e.i64(7, size)
	e.i64(9, offset)
	e.field(12, typeStruct)
	e.begin() // Statistics
	e.i64(3, rows)
	e.end()
	e.end()
	e.end()
}

// appendRun appends n times the level v as a page of version 1 has its levels: four bytes of length, and one run of the RLE hybrid.
func appendRun(dst []byte, n int64, v, maxLevel int) []byte {
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	dst = binary.AppendUvarint(dst, uint64(n)<<1)
	for width := bits.Len(uint(maxLevel)); width > 0; width -= 8 {
		dst = append(dst, byte(v))
		v >>= 8
	}
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst
}
