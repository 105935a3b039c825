package parquet

import (
	"encoding/binary"
	"fmt"
	"os"
	"strings"
)

const magic = "PAR1"

// Footer is what a file's footer (FileMetaData) says, as far as this package needs it.
type Footer struct {
	// Rows is the number of rows of the file.
	Rows int64
	// Leaves are the columns that hold values, in order.
	Leaves []Leaf

	raw    []byte
	at     int64 // where the footer begins in the file
	schema span  // the list of SchemaElement
	groups span  // the list of RowGroup
	orders bool  // column_orders are there
	group  []rowGroup
}

// Leaf is one column of values.
type Leaf struct {
	Path   []string // names from the top; a list has two levels of its own
	typ    int64    // physical type
	maxDef int
	maxRep int
	// optional[i] tells how many of the levels down to Path[i] may be NULL or repeated: the definition level that says "there, but no more".
	optional []int
}

func (l *Leaf) name() string { return strings.Join(l.Path, "\x00") }

type span struct{ from, to int }

type rowGroup struct {
	all     span
	columns span // the list of ColumnChunk
	rows    int64
	chunks  map[string]span // by the leaf's name
}

// ReadFooter reads the footer of the file at path.
func ReadFooter(path string) (*Footer, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readFooter(f)
}

func readFooter(f *os.File) (*Footer, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	var tail [8]byte
	if info.Size() < int64(len(magic)+len(tail)) {
		return nil, fmt.Errorf("parquet %q: %d bytes are no Parquet file", f.Name(), info.Size())
	}
	if _, err := f.ReadAt(tail[:], info.Size()-8); err != nil {
		return nil, err
	}
	size := int64(binary.LittleEndian.Uint32(tail[:4]))
	if string(tail[4:]) != magic || size > info.Size()-12 {
		return nil, fmt.Errorf("parquet %q: no footer at its end", f.Name())
	}
	raw := make([]byte, size)
	at := info.Size() - 8 - size
	if _, err := f.ReadAt(raw, at); err != nil {
		return nil, err
	}
	m, err := parseFooter(raw)
	if err != nil {
		return nil, fmt.Errorf("parquet %q: %w", f.Name(), err)
	}
	m.at = at
	return m, nil
}

func parseFooter(raw []byte) (*Footer, error) {
	m := &Footer{raw: raw}
	d := &decoder{b: raw}
	d.fields(func(id int16, typ byte) {
		from := d.i
		switch {
		case id == 2 && m.schema.to != 0, id == 4 && m.groups.to != 0:
			d.fail()
		case id == 2 && typ == typeList:
			m.readSchema(d)
			m.schema = span{from, d.i}
		case id == 3 && typ == typeI64:
			m.Rows = d.int()
		case id == 4 && typ == typeList:
			n, _ := d.list()
			for ; n > 0 && d.err == nil; n-- {
				m.group = append(m.group, readGroup(d))
			}
			m.groups = span{from, d.i}
		default:
			m.orders = m.orders || id == 7
			d.skip(typ)
		}
	})
	if d.err == nil && (m.schema.to == 0 || m.groups.to == 0) {
		d.fail()
	}
	return m, d.err
}

// readSchema reads the list of SchemaElement, a tree in depth-first order whose root has no name of use.
func (m *Footer) readSchema(d *decoder) {
	n, _ := d.list()
	type level struct {
		left     int64
		path     []string
		optional []int
		def, rep int
	}
	var open []level
	for i := 0; i < n && d.err == nil; i++ {
		var typ, repetition, children int64
		var name string
		d.fields(func(id int16, t byte) {
			switch {
			case id == 1 && t == typeI32:
				typ = d.int()
			case id == 3 && t == typeI32:
				repetition = d.int()
			case id == 4 && t == typeBinary:
				name = string(d.binary())
			case id == 5 && t == typeI32:
				children = d.int()
			default:
				d.skip(t)
			}
		})
		if i == 0 {
			open = append(open, level{left: children})
			continue
		}
		for len(open) > 0 && open[len(open)-1].left == 0 {
			open = open[:len(open)-1]
		}
		if len(open) == 0 || len(open) > maxNesting {
			d.fail()
			return
		}
		up := &open[len(open)-1]
		up.left--
		l := level{left: children, def: up.def, rep: up.rep}
		l.path = append(append([]string{}, up.path...), name)
		switch repetition {
		case 1:
			l.def++
		case 2:
			l.def++
			l.rep++
		}
		l.optional = append(append([]int{}, up.optional...), l.def)
		if children > 0 {
			open = append(open, l)
			continue
		}
		m.Leaves = append(m.Leaves, Leaf{Path: l.path, typ: typ, maxDef: l.def, maxRep: l.rep, optional: l.optional})
	}
}

func readGroup(d *decoder) rowGroup {
	g := rowGroup{chunks: map[string]span{}}
	g.all.from = d.i
	d.fields(func(id int16, typ byte) {
		switch {
		case id == 1 && g.columns.to != 0:
			d.fail()
		case id == 1 && typ == typeList:
			g.columns.from = d.i
			n, _ := d.list()
			for ; n > 0 && d.err == nil; n-- {
				from := d.i
				name := readChunk(d)
				g.chunks[name] = span{from, d.i}
			}
			g.columns.to = d.i
		case id == 3 && typ == typeI64:
			g.rows = d.int()
		default:
			d.skip(typ)
		}
	})
	g.all.to = d.i
	if g.columns.to == 0 {
		d.fail()
	}
	return g
}

// readChunk reads a ColumnChunk and returns the name of its leaf.
func readChunk(d *decoder) string {
	var path []string
	d.fields(func(id int16, typ byte) {
		if id != 3 || typ != typeStruct {
			d.skip(typ)
			return
		}
		d.fields(func(id int16, typ byte) {
			if id != 3 || typ != typeList {
				d.skip(typ)
				return
			}
			n, _ := d.list()
			for ; n > 0 && d.err == nil; n-- {
				path = append(path, string(d.binary()))
			}
		})
	})
	return strings.Join(path, "\x00")
}
