// Package parquettable reads tables from Parquet files of any writer, and writes them: the history of a dimension is kept so.
//
// It reads whole files into memory and is not for the lake's, which are read in part (pkg/lake, pkg/query).
//
// Delivery: a table is the whole file, or there is an error. Files are taken for broken: damage is an error, and what they claim
// to hold is bounded before it is read. A page made to decompress to more than it claims is not bounded: take no file from
// an enemy.
package parquettable

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"leat/pkg/dimension"
	"leat/pkg/event"
)

const (
	// maxBytes bounds what a file claims to hold, uncompressed.
	maxBytes = 8 << 30
	// maxRatio is how many times its size a file may hold more than smallFile: runs of one value are few bytes.
	maxRatio  = 2000
	smallFile = 64 << 20
	// maxCell bounds the JSON of one cell.
	maxCell = 16 << 20
	// rowsAtOnce are read by one call.
	rowsAtOnce = 256
	// orderKey of the file's metadata has the columns' order, where we wrote it: the format's writer sorts them.
	orderKey = "leat.columns"
)

// Load reads a Parquet file. Fields of nested groups are columns with dots (office.city); lists are JSON arrays, maps JSON
// objects; numbers have all of their digits, times are RFC 3339 in UTC, binary values hexadecimal digits unless they are
// UTF-8. null is no value.
func Load(data io.ReaderAt, size int64, lim dimension.Limits) (t *dimension.Table, err error) {
	// The library takes some damage for a fault of the program.
	defer func() {
		if p := recover(); p != nil {
			t, err = nil, fmt.Errorf("the file is damaged: %v", p)
		}
	}()
	if err := framed(data, size); err != nil {
		return nil, err
	}
	f, err := parquet.OpenFile(data, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, fmt.Errorf("not a Parquet file, or a torn one: %w", err)
	}
	if err := claims(f, size); err != nil {
		return nil, err
	}
	root, err := schemaOf(f.Metadata().Schema)
	if err != nil {
		return nil, err
	}
	l := loader{b: dimension.NewBuilder(lim), leaves: root.leaves, rows: assembler{leaves: make([][]parquet.Value, root.leaves)}}
	if err := l.bind(root, ""); err != nil {
		return nil, err
	}
	l.order(f)
	for _, c := range l.columns {
		if c.to, err = l.b.Column(c.name); err != nil {
			return nil, err
		}
	}
	for _, g := range f.RowGroups() {
		if err := l.group(g); err != nil {
			return nil, err
		}
	}
	if int64(l.b.Rows()) != f.NumRows() {
		return nil, fmt.Errorf("the file has %d rows; its footer says %d", l.b.Rows(), f.NumRows())
	}
	return l.b.Table(), nil
}

// maxFooter bounds a footer, in bytes.
const maxFooter = 64 << 20

// framed refuses what has not the marks of a Parquet file at both ends, or a footer that is longer than it: the library takes
// its word for that.
func framed(data io.ReaderAt, size int64) error {
	var head [4]byte
	var tail [8]byte
	if size < 12 {
		return errors.New("not a Parquet file, or a torn one: it is too short")
	}
	if _, err := data.ReadAt(head[:], 0); err != nil {
		return fmt.Errorf("read Parquet: %w", err)
	}
	if _, err := data.ReadAt(tail[:], size-8); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read Parquet: %w", err)
	}
	if string(head[:]) != "PAR1" || string(tail[4:]) != "PAR1" {
		return errors.New("not a Parquet file, or a torn one: expected PAR1 at both ends")
	}
	if n := int64(binary.LittleEndian.Uint32(tail[:])); n > size-12 || n > maxFooter {
		return fmt.Errorf("the file's footer says to have %d bytes of %d", n, size)
	}
	return nil
}

// claims refuses a file that says to hold more than can be meant.
func claims(f *parquet.File, size int64) error {
	var total int64
	for i := range f.Metadata().RowGroups {
		for j := range f.Metadata().RowGroups[i].Columns {
			m := &f.Metadata().RowGroups[i].Columns[j].MetaData
			if m.Codec == format.Lz4Raw {
				// The library's decoder of damaged LZ4 does not end.
				return errors.New("the file is compressed with LZ4, which is not read; expected zstd, snappy, gzip, brotli or none")
			}
			n := m.TotalUncompressedSize
			if n < 0 || n > maxBytes {
				return errors.New("the file's footer is broken")
			}
			total += n
		}
	}
	if total > maxBytes || total > smallFile && total/maxRatio > size {
		return fmt.Errorf("the file claims to hold %d bytes in %d; expected at most %d", total, size, int64(maxBytes))
	}
	return nil
}

// column is one of the table's.
type column struct {
	name   string
	node   *node
	parent *node
	to     int
}

type loader struct {
	b       *dimension.Builder
	columns []*column
	leaves  int
	rows    assembler
	buf     []byte
}

// bind makes columns of the fields of a group, those of nested groups with dots.
func (l *loader) bind(g *node, prefix string) error {
	for _, n := range g.fields {
		name := prefix + n.name
		if n.shape == group && !n.repeated {
			if err := l.bind(n, name+"."); err != nil {
				return err
			}
			continue
		}
		if slices.ContainsFunc(l.columns, func(c *column) bool { return c.name == name }) {
			return fmt.Errorf("two columns of the file have the name %q", name)
		}
		l.columns = append(l.columns, &column{name: name, node: n, parent: g})
	}
	return nil
}

// order puts the columns in the order in which they were written.
func (l *loader) order(f *parquet.File) {
	text, ok := f.Lookup(orderKey)
	var names []string
	if !ok || json.Unmarshal([]byte(text), &names) != nil {
		return
	}
	at := map[string]int{}
	for i, n := range names {
		at[n] = i - len(names) // before those that it does not name
	}
	slices.SortStableFunc(l.columns, func(a, b *column) int { return at[a.name] - at[b.name] })
}

func (l *loader) group(g parquet.RowGroup) (err error) {
	rows := g.Rows()
	defer func() { err = errors.Join(err, rows.Close()) }()
	buf := make([]parquet.Row, rowsAtOnce)
	idle := 0
	for {
		n, err := rows.ReadRows(buf)
		for _, row := range buf[:n] {
			if err := l.row(row); err != nil {
				return fmt.Errorf("row %d: %w", l.b.Rows()+1, err)
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("the file is damaged, or torn: %w", err)
		}
		if idle++; n > 0 {
			idle = 0
		} else if idle > 100 {
			return errors.New("the file is damaged: it has neither rows nor an end")
		}
	}
}

var errLevels = errors.New("the file is damaged: values are not where their levels say")

func (l *loader) row(row parquet.Row) error {
	a := &l.rows
	a.bad = false
	clear(a.leaves)
	for start := 0; start < len(row); {
		col, end := row[start].Column(), start+1
		for end < len(row) && row[end].Column() == col {
			end++
		}
		if col < 0 || col >= l.leaves || a.leaves[col] != nil {
			return errLevels
		}
		a.leaves[col], start = row[start:end], end
	}
	for _, c := range l.columns {
		v, ok := a.peek(c.node)
		if !ok {
			return errLevels
		}
		// A list of a group that is not there is not there, rather than empty; so is an empty text no value, nor null.
		if v.DefinitionLevel() < c.parent.def || c.node.optional && v.DefinitionLevel() < c.node.def {
			continue
		}
		if l.buf = a.value(l.buf[:0], c.node); a.bad || !a.taken(c.node) {
			return errLevels
		}
		if s := string(l.buf); s == "null" || s == `""` && !c.node.json {
			continue
		}
		if err := l.b.Set(c.to, l.buf); err != nil {
			return err
		}
	}
	return l.b.EndRow()
}

// assembler makes JSON of a row's values, which each leaf has a run of (Dremel's record assembly).
type assembler struct {
	leaves [][]parquet.Value
	bad    bool
}

// peek is the next value of the first leaf at or below n: its levels say what of n is there.
func (a *assembler) peek(n *node) (parquet.Value, bool) {
	if n.leaf >= len(a.leaves) || len(a.leaves[n.leaf]) == 0 {
		return parquet.Value{}, false
	}
	return a.leaves[n.leaf][0], true
}

// skip takes the values that stand for one n that is not there.
func (a *assembler) skip(n *node) {
	for i := n.leaf; i < n.leaf+n.leaves; i++ {
		if len(a.leaves[i]) == 0 {
			a.bad = true
			return
		}
		a.leaves[i] = a.leaves[i][1:]
	}
}

// taken says whether no value of n is left.
func (a *assembler) taken(n *node) bool {
	for i := n.leaf; i < n.leaf+n.leaves; i++ {
		if len(a.leaves[i]) > 0 {
			return false
		}
	}
	return true
}

// value appends one n.
func (a *assembler) value(dst []byte, n *node) []byte {
	v, ok := a.peek(n)
	switch {
	case !ok || a.bad || len(dst) > maxCell:
		a.bad = true
		return dst
	case n.repeated:
		return a.repeat(dst, n)
	case v.DefinitionLevel() < n.def:
		a.skip(n)
		return append(dst, "null"...)
	}
	return a.one(dst, n)
}

// one appends one n that is there, of a repeated n one of them.
func (a *assembler) one(dst []byte, n *node) []byte {
	switch n.shape {
	case scalar:
		v, ok := a.peek(n)
		if !ok {
			a.bad = true
			return dst
		}
		a.skip(n)
		if v.IsNull() {
			return append(dst, "null"...)
		}
		return n.append(dst, v)
	case list, elements:
		return a.value(dst, n.fields[0])
	case dict:
		return a.pairs(dst, n.fields[0])
	}
	dst = append(dst, '{')
	for i, f := range n.fields {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(event.AppendString(dst, f.name), ':')
		dst = a.value(dst, f)
	}
	return append(dst, '}')
}

// each calls f for each of a repeated n.
func (a *assembler) each(n *node, f func(first bool)) {
	v, ok := a.peek(n)
	if !ok {
		a.bad = true
		return
	}
	if v.DefinitionLevel() < n.def {
		a.skip(n)
		return
	}
	for first := true; ; first = false {
		before := len(a.leaves[n.leaf])
		f(first)
		v, ok := a.peek(n)
		if a.bad || !ok || v.RepetitionLevel() != n.rep {
			return
		}
		if len(a.leaves[n.leaf]) == before {
			a.bad = true
			return
		}
	}
}

func (a *assembler) repeat(dst []byte, n *node) []byte {
	dst = append(dst, '[')
	a.each(n, func(first bool) {
		if !first {
			dst = append(dst, ',')
		}
		dst = a.one(dst, n)
	})
	return append(dst, ']')
}

// pairs appends a map: a JSON object whose names are the keys as text.
func (a *assembler) pairs(dst []byte, n *node) []byte {
	dst = append(dst, '{')
	a.each(n, func(first bool) {
		if !first {
			dst = append(dst, ',')
		}
		at := len(dst)
		dst = a.value(dst, n.fields[0])
		if key := dst[at:]; len(key) == 0 || key[0] != '"' {
			dst = event.AppendString(dst[:at], string(key))
		}
		dst = a.value(append(dst, ':'), n.fields[1])
	})
	return append(dst, '}')
}
