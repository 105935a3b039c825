package retro

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"

	"leat/pkg/row"
)

// leaf is a column of the lake as a file has it.
type leaf struct {
	column int // number in row.Columns; that of rest is behind the last
	chunk  int // number of the column chunk
	typ    row.Type
	maxDef int
	list   int // definition level of an empty list
}

// leavesOf finds the columns of cols in a file, in the order of their numbers. One that is missing, or of another type, is an error: its
// values are nowhere else.
func leavesOf(f *parquet.File, cols *row.Columns) ([]leaf, error) {
	at := map[string]*parquet.Column{}
	var walk func(c *parquet.Column)
	walk = func(c *parquet.Column) {
		if c.Leaf() {
			at[strings.Join(c.Path(), "\x00")] = c
		}
		for _, sub := range c.Columns() {
			walk(sub)
		}
	}
	walk(f.Root())
	var out []leaf
	for n, c := range append(slices.Clone(cols.List()), row.Column{Field: row.Rest, Type: row.Text}) {
		path := strings.Split(c.Field, ".")
		if c.Type == row.Texts {
			path = append(path, "list", "element")
		}
		col := at[strings.Join(path, "\x00")]
		if col == nil {
			return nil, fmt.Errorf("no column %q", c.Field)
		}
		if col.Type().Kind() != physical(c.Type) || (col.MaxRepetitionLevel() > 0) != (c.Type == row.Texts) {
			return nil, fmt.Errorf("column %q has another type than the lake's", c.Field)
		}
		l := leaf{column: n, chunk: col.Index(), typ: c.Type, maxDef: col.MaxDefinitionLevel()}
		if l.list = l.maxDef - 1; col.Optional() {
			l.list--
		}
		out = append(out, l)
	}
	return out, nil
}

func physical(t row.Type) parquet.Kind {
	switch t {
	case row.Text, row.Texts:
		return parquet.ByteArray
	case row.Float:
		return parquet.Double
	case row.Bool:
		return parquet.Boolean
	}
	return parquet.Int64
}

// cursor reads the values of one column chunk, row by row.
type cursor struct {
	leaf
	pages  parquet.Pages
	page   parquet.Page
	values parquet.ValueReader
	buf    [256]parquet.Value
	n, i   int
	end    bool
}

func open(group parquet.RowGroup, l leaf) *cursor {
	return &cursor{leaf: l, pages: group.ColumnChunks()[l.chunk].Pages()}
}

func (c *cursor) close() error {
	if c.page != nil {
		parquet.Release(c.page)
	}
	return c.pages.Close()
}

var errShort = errors.New("a column ends before its rows do")

// peek returns the next value without taking it; nil at the end of the chunk. It is valid until the next peek.
func (c *cursor) peek() (*parquet.Value, error) {
	for c.i == c.n {
		if c.end {
			return nil, nil
		}
		if c.values == nil {
			page, err := c.pages.ReadPage()
			if errors.Is(err, io.EOF) {
				c.end = true
				return nil, nil
			}
			if err != nil {
				return nil, err
			}
			if c.page != nil {
				parquet.Release(c.page)
			}
			c.page, c.values = page, page.Values()
		}
		n, err := c.values.ReadValues(c.buf[:])
		if err != nil {
			if !errors.Is(err, io.EOF) {
				return nil, err
			}
			c.values = nil
		}
		c.n, c.i = n, 0
	}
	return &c.buf[c.i], nil
}

// appendCell takes the values of one row and appends them as a cell of a row (see package row); nothing where it is NULL.
func (c *cursor) appendCell(dst []byte) ([]byte, error) {
	v, err := c.peek()
	if err != nil {
		return dst, err
	}
	if v == nil {
		return dst, errShort
	}
	if c.typ == row.Texts {
		return c.appendList(dst, v)
	}
	c.i++
	if v.IsNull() {
		return dst, nil
	}
	dst = append(dst, byte(c.column))
	switch c.typ {
	case row.Text:
		return appendText(dst, v.ByteArray()), nil
	case row.Float:
		return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v.Double())), nil
	case row.Bool:
		n := uint64(0)
		if v.Boolean() {
			n = 1
		}
		return binary.LittleEndian.AppendUint64(dst, n), nil
	}
	return binary.LittleEndian.AppendUint64(dst, uint64(v.Int64())), nil
}

func appendText(dst, text []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}

func (c *cursor) appendList(dst []byte, v *parquet.Value) ([]byte, error) {
	if v.DefinitionLevel() < c.list {
		c.i++
		return dst, nil
	}
	dst = append(dst, byte(c.column))
	count := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	n := uint32(0)
	for first := true; ; first = false {
		v, err := c.peek()
		if err != nil {
			return dst, err
		}
		if v == nil || !first && v.RepetitionLevel() == 0 {
			break
		}
		if !v.IsNull() {
			dst = appendText(dst, v.ByteArray())
			n++
		}
		c.i++
	}
	binary.LittleEndian.PutUint32(dst[count:], n)
	return dst, nil
}
