package dimension

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"unsafe"

	"github.com/zeebo/xxh3"
	"golang.org/x/sys/unix"

	"leat/internal/durable"
)

// A dimension's file is magic, the length of the header (8 bytes), the checksum of all that follows it (8 bytes: XXH3),
// the header (JSON), and the arrays one after the other, each at a multiple of 8 bytes, as they lie in the memory of a
// little-endian machine.
const (
	magic     = "leatdim4"
	preamble  = len(magic) + 16
	alignment = 8
)

// header is what a file says of its arrays.
type header struct {
	Stamp      Stamp          `json:"stamp"`
	Shape      Shape          `json:"shape"`
	Note       string         `json:"note,omitempty"`
	Rows       int            `json:"rows"`
	Keys       int            `json:"keys"`
	Duplicates int            `json:"duplicates"`
	Seed       uint64         `json:"seed"`
	Columns    []columnHeader `json:"columns"`
	Wide       []int          `json:"wide"` // columns of each block
	Listed     bool           `json:"listed,omitempty"`
	Last       uint32         `json:"last,omitempty"`
	// Lengths of the arrays in bytes, in the order of arrays.
	Lengths []int `json:"lengths"`
}

// columnHeader says how a column is stored.
type columnHeader struct {
	Name  string `json:"name"`
	Form  form   `json:"form"`
	Block int    `json:"block,omitempty"`
	Slot  int    `json:"slot,omitempty"`
}

// ErrTorn is returned by Open for a file that is not whole, or of another format or machine.
var ErrTorn = errors.New("not a whole snapshot of a dimension")

// array is one of the arrays of a dimension as bytes, to be written or to be pointed into a mapped file.
type array struct {
	get func() []byte
	set func(b []byte) error
}

func arrayOf[T uint8 | uint16 | uint32 | uint64 | int64 | point | keyEntry](p *[]T) array {
	var zero T
	size := int(unsafe.Sizeof(zero))
	return array{
		get: func() []byte {
			return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(*p))), len(*p)*size)
		},
		set: func(b []byte) error {
			if len(b)%size != 0 {
				return ErrTorn
			}
			if len(b) > 0 {
				*p = unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/size)
			}
			return nil
		},
	}
}

// arrays lists all arrays in the order of the file.
func (d *Dimension) arrays() []array {
	var out []array
	out = append(out, arrayOf(&d.codes8), arrayOf(&d.codes16))
	for i := range d.wide {
		out = append(out, arrayOf(&d.wide[i].ends), arrayOf(&d.wide[i].data))
	}
	for i := range d.columns {
		out = append(out, arrayOf(&d.columns[i].values.ends), arrayOf(&d.columns[i].values.data))
	}
	if d.exact != nil {
		out = append(out, arrayOf(&d.exact.slots), arrayOf(&d.exact.entries), arrayOf(&d.exact.keys))
	}
	out = append(out, arrayOf(&d.v4.starts), arrayOf(&d.v4.rows), arrayOf(&d.v4.first))
	for _, l := range []*line{&d.v6, &d.numbers} {
		out = append(out, arrayOf(&l.starts), arrayOf(&l.rows))
	}
	if d.lists != nil {
		out = append(out, arrayOf(&d.lists.rows), arrayOf(&d.lists.from), arrayOf(&d.lists.to))
	}
	return out
}

// WriteFile writes the dimension so that Open finds it whole or not at all: the file appears under its name when it is on
// the disk. note is the caller's own word on what the file was made of; Open gives it back.
func (d *Dimension) WriteFile(path string, stamp Stamp, note string) error {
	if !littleEndian() {
		return errors.New("snapshots of dimensions are written on little-endian machines only")
	}
	h := header{Stamp: stamp, Shape: d.Shape, Note: note, Rows: d.rows, Keys: d.Keys, Duplicates: d.Duplicates}
	for _, c := range d.columns {
		h.Columns = append(h.Columns, columnHeader{c.name, c.form, c.block, c.slot})
	}
	for _, w := range d.wide {
		h.Wide = append(h.Wide, w.n)
	}
	if d.exact != nil {
		h.Seed = d.exact.seed
	}
	if d.lists != nil {
		h.Listed, h.Last = true, d.lists.last
	}
	arrays := d.arrays()
	for _, a := range arrays {
		h.Lengths = append(h.Lengths, len(a.get()))
	}
	head, err := json.Marshal(h)
	if err != nil {
		return fmt.Errorf("write snapshot: %w", err)
	}
	if err := durable.Create(path, func(f *os.File) error { return writeParts(f, head, arrays) }); err != nil {
		return fmt.Errorf("write snapshot: %w", err)
	}
	return nil
}

// writeParts writes the header and the arrays, and then what comes first: their checksum.
func writeParts(f *os.File, head []byte, arrays []array) error {
	sum := xxh3.New()
	w := bufio.NewWriterSize(f, 1<<20)
	// Flush has the errors.
	_, _ = w.Write(make([]byte, preamble))
	both := io.MultiWriter(w, sum)
	at := preamble
	put := func(b []byte) {
		_, _ = both.Write(b)
		_, _ = both.Write(make([]byte, padding(at+len(b))))
		at += len(b) + padding(at+len(b))
	}
	put(head)
	for _, a := range arrays {
		put(a.get())
	}
	if err := w.Flush(); err != nil {
		return err
	}
	first := binary.LittleEndian.AppendUint64([]byte(magic), uint64(len(head)))
	_, err := f.WriteAt(binary.LittleEndian.AppendUint64(first, sum.Sum64()), 0)
	return err
}

func padding(n int) int { return (alignment - n%alignment) % alignment }

func littleEndian() bool { return binary.NativeEndian.Uint16([]byte{1, 0}) == 1 }

// Open maps a file that WriteFile wrote. The rows are there at once; the pages come from the disk as they are read. It
// is unmapped when nobody holds the dimension any more.
func Open(path string) (d *Dimension, stamp Stamp, note string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, stamp, "", err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return nil, stamp, "", err
	}
	if fi.Size() < int64(preamble) || !littleEndian() {
		return nil, stamp, "", fmt.Errorf("open %s: %w", path, ErrTorn)
	}
	data, err := unix.Mmap(int(f.Fd()), 0, int(fi.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, stamp, "", fmt.Errorf("map %s: %w", path, err)
	}
	d, h, err := parse(data)
	if err != nil {
		return nil, stamp, "", fmt.Errorf("open %s: %w", path, errors.Join(err, unix.Munmap(data)))
	}
	runtime.AddCleanup(d, func(data []byte) { _ = unix.Munmap(data) }, data)
	return d, h.Stamp, h.Note, nil
}

// parse points a dimension into data. The checksum holds what was written together; that it was written by WriteFile is
// taken on trust, as the folder is ours alone.
func parse(data []byte) (*Dimension, *header, error) {
	if len(data) < preamble || string(data[:len(magic)]) != magic {
		return nil, nil, ErrTorn
	}
	size := binary.LittleEndian.Uint64(data[len(magic):])
	sum := binary.LittleEndian.Uint64(data[len(magic)+8:])
	if size > uint64(len(data)-preamble) || xxh3.Hash(data[preamble:]) != sum {
		return nil, nil, ErrTorn
	}
	var h header
	if err := json.Unmarshal(data[preamble:preamble+int(size)], &h); err != nil {
		return nil, nil, ErrTorn
	}
	t := &Table{rows: h.Rows}
	for _, c := range h.Columns {
		t.columns = append(t.columns, column{name: c.Name, form: c.Form, block: c.Block, slot: c.Slot})
		switch c.Form {
		case form8:
			t.n8++
		case form16:
			t.n16++
		}
	}
	for _, n := range h.Wide {
		t.wide = append(t.wide, wide{n: n})
	}
	d := &Dimension{Table: t, Shape: h.Shape, Keys: h.Keys, Duplicates: h.Duplicates}
	if j := h.Shape.Join; j == Exact || j == Suffix {
		d.exact = &exact{seed: h.Seed}
	}
	if h.Listed {
		d.lists = &lists{last: h.Last}
	}
	arrays := d.arrays()
	if len(arrays) != len(h.Lengths) {
		return nil, nil, ErrTorn
	}
	at := preamble + int(size)
	at += padding(at)
	for i, a := range arrays {
		n := h.Lengths[i]
		if n < 0 || n > len(data)-at {
			return nil, nil, ErrTorn
		}
		if err := a.set(data[at : at+n]); err != nil {
			return nil, nil, err
		}
		at += n + padding(at+n)
	}
	return d, &h, nil
}
