package parquet

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// Bounds of a row group. Readers skip and share out whole ones.
const (
	groupRows  = 122_880 // as DuckDB makes them
	groupBytes = 64 << 20
)

// Writer writes a file row by row, compressed with zstd, with a dictionary for each column that repeats itself, bounds, and a Bloom
// filter for columns of short values. It holds one row group in memory, at most about 100 MiB; its memory is kept for the next
// file. It is not safe for concurrent use.
type Writer struct {
	schema  *Schema
	columns []column
	out     io.Writer
	at      int64 // bytes written
	err     error

	rows  int // of the open row group
	bytes int // of memory that they take
	total int64

	objects []bitmap
	groups  encoder // the list of RowGroup, without its header
	count   int
	zstd    *zstd.Encoder
	body    []byte
	packed  []byte
	eight   [8]byte
}

// NewWriter makes a Writer of files with the schema s. Reset gives it the first.
func NewWriter(s *Schema) (*Writer, error) {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false))
	if err != nil {
		return nil, fmt.Errorf("zstd: %w", err)
	}
	w := &Writer{schema: s, zstd: enc, columns: make([]column, len(s.leaves)), objects: make([]bitmap, s.objects)}
	for i := range w.columns {
		w.columns[i].leaf = &s.leaves[i]
	}
	return w, nil
}

// Reset begins a file that is written to out.
func (w *Writer) Reset(out io.Writer) {
	w.out, w.at, w.err, w.total, w.count = out, 0, nil, 0, 0
	w.groups.b = w.groups.b[:0]
	w.clear()
	w.write([]byte(magic))
}

func (w *Writer) clear() {
	w.rows, w.bytes = 0, 0
	for i := range w.columns {
		w.columns[i].reset()
	}
}

func (w *Writer) write(b []byte) {
	if w.err != nil {
		return
	}
	n, err := w.out.Write(b)
	w.at += int64(n)
	w.err = err
}

func (w *Writer) column(field int) *column {
	c := &w.columns[w.schema.at[field]]
	c.rows.set(w.rows)
	return c
}

// Text gives the field a text, which must be UTF-8, in this row. A field may be given one value in each row.
func (w *Writer) Text(field int, v []byte) { w.bytes += w.column(field).add(v) }

// Bits gives the field an integer, a time, the bits of a float, or a boolean as 0 or 1.
func (w *Writer) Bits(field int, v uint64) {
	c := w.column(field)
	if c.kind == Bool {
		w.eight[0] = byte(v)
		w.bytes += c.add(w.eight[:1])
		return
	}
	binary.LittleEndian.PutUint64(w.eight[:], v)
	w.bytes += c.add(w.eight[:])
}

// List gives the field a list of n texts, which Item adds one by one.
func (w *Writer) List(field, n int) {
	c := w.column(field)
	c.counts = append(c.counts, uint32(n))
	w.bytes += 4
}

// Item adds a text to the list that was begun in this row.
func (w *Writer) Item(field int, v []byte) { w.bytes += w.columns[w.schema.at[field]].add(v) }

// EndRow ends the row; fields that were given no value are NULL in it.
func (w *Writer) EndRow() error {
	w.rows++
	if w.rows >= groupRows || w.bytes >= groupBytes {
		w.flush()
	}
	return w.err
}

// Close ends the file and returns its rows. It does not close what was given to Reset.
func (w *Writer) Close() (rows int64, err error) {
	if w.rows > 0 {
		w.flush()
	}
	e := &encoder{b: w.body[:0]}
	e.begin() // FileMetaData
	e.i32(1, 1)
	e.field(2, typeList)
	e.b = append(e.b, w.schema.encoded...)
	e.i64(3, w.total)
	e.field(4, typeList)
	e.list(w.count, typeStruct)
	e.b = append(e.b, w.groups.b...)
	e.field(6, typeBinary)
	e.text("leat")
	e.field(7, typeList) // column_orders: what bounds mean is as the type defines
	e.list(len(w.columns), typeStruct)
	for range w.columns {
		e.begin()
		e.field(1, typeStruct)
		e.begin()
		e.end()
		e.end()
	}
	e.end()
	size := len(e.b)
	w.body = append(binary.LittleEndian.AppendUint32(e.b, uint32(size)), magic...)
	w.write(w.body)
	return w.total, w.err
}

// flush writes the open row group.
func (w *Writer) flush() {
	for i := range w.objects {
		w.objects[i] = w.objects[i][:0]
	}
	for i := range w.columns {
		c := &w.columns[i]
		for _, o := range c.objects {
			w.objects[o].join(c.rows)
		}
	}
	e := &w.groups
	from := w.at
	e.begin() // RowGroup
	e.field(1, typeList)
	e.list(len(w.columns), typeStruct)
	for i := range w.columns {
		w.chunk(e, &w.columns[i])
	}
	e.i64(2, w.at-from)
	e.i64(3, int64(w.rows))
	e.end()
	w.count++
	w.total += int64(w.rows)
	w.clear()
}
