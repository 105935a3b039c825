package row

import (
	"encoding/binary"
	"errors"
	"math"
	"strconv"
	"unicode/utf8"

	"leat/pkg/event"
)

// A row, as an [Encoder] appends it, is a sequence of cells: the column's number (a byte; that of rest is behind the last column's) and
// the value. Text is a uvarint of its length and its bytes (UTF-8), a list four bytes (little endian) of its number of texts and
// those, any other value eight bytes: an integer, the bits of a double, 0 or 1, or microseconds since 1970.
// The cells of one object stand together.

// Cell is one value of a row. What holds it depends on the column's type.
type Cell struct {
	Column int
	Type   Type
	Bytes  []byte // a text; of a list, its texts with their lengths (see NextText)
	Count  int    // of a list, how many texts
	Bits   uint64 // any other value
}

var errCell = errors.New("damaged row")

// RestColumn is the number of the column rest.
func (c *Columns) RestColumn() int { return len(c.list) }

// NextCell reads the first cell of row and returns what follows it. The cell is a span of row.
func (c *Columns) NextCell(row []byte) (cell Cell, rest []byte, err error) {
	if len(row) == 0 || int(row[0]) > len(c.list) {
		return cell, nil, errCell
	}
	cell.Column = int(row[0])
	if cell.Column < len(c.list) {
		cell.Type = c.list[cell.Column].Type
	}
	row = row[1:]
	switch cell.Type {
	case Text:
		cell.Bytes, row, err = NextText(row)
		return cell, row, err
	case Texts:
		if len(row) < 4 {
			return cell, nil, errCell
		}
		cell.Count = int(binary.LittleEndian.Uint32(row))
		texts := row[4:]
		row = texts
		for range cell.Count {
			if _, row, err = NextText(row); err != nil {
				return cell, nil, err
			}
		}
		cell.Bytes = texts[:len(texts)-len(row)]
		return cell, row, nil
	}
	if len(row) < 8 {
		return cell, nil, errCell
	}
	cell.Bits = binary.LittleEndian.Uint64(row)
	if f := math.Float64frombits(cell.Bits); cell.Type == Float && (math.IsNaN(f) || math.IsInf(f, 0)) {
		return cell, nil, errCell
	}
	return cell, row[8:], nil
}

// NextText reads the first text of a list's bytes and returns what follows it.
func NextText(b []byte) (text, rest []byte, err error) {
	n, w := binary.Uvarint(b)
	if w <= 0 || n > uint64(len(b)-w) || !utf8.Valid(b[w:w+int(n)]) {
		return nil, nil, errCell
	}
	return b[w : w+int(n)], b[w+int(n):], nil
}

// AppendJSON appends a row as a JSON object, as DuckDB's read_json takes it with the types of Table. The error says that row is none.
func (c *Columns) AppendJSON(dst, row []byte) ([]byte, error) {
	dst = append(dst, '{')
	var open []string // the objects around the last cell
	for len(row) > 0 {
		cell, rest, err := c.NextCell(row)
		if err != nil {
			return dst, err
		}
		row = rest
		keys := []string{Rest}
		if cell.Column < len(c.list) {
			keys = c.keys[cell.Column]
		}
		same := 0
		for same < len(open) && same < len(keys)-1 && open[same] == keys[same] {
			same++
		}
		for range open[same:] {
			dst = append(dst, '}')
		}
		for _, k := range keys[same : len(keys)-1] {
			dst = append(append(append(comma(dst), '"'), k...), `":{`...)
		}
		open = append(open[:same:same], keys[same:len(keys)-1]...)
		dst = append(append(append(comma(dst), '"'), keys[len(keys)-1]...), `":`...)
		if dst, err = appendValue(dst, &cell); err != nil {
			return dst, err
		}
	}
	for range open {
		dst = append(dst, '}')
	}
	return append(dst, '}'), nil
}

func appendValue(dst []byte, cell *Cell) ([]byte, error) {
	switch cell.Type {
	case Text:
		return event.AppendString(dst, cell.Bytes), nil
	case Texts:
		dst = append(dst, '[')
		texts := cell.Bytes
		for i := range cell.Count {
			text, rest, err := NextText(texts)
			if err != nil {
				return dst, err
			}
			if i > 0 {
				dst = append(dst, ',')
			}
			dst, texts = event.AppendString(dst, text), rest
		}
		return append(dst, ']'), nil
	case Int:
		return strconv.AppendInt(dst, int64(cell.Bits), 10), nil
	case Float:
		return appendFloat(dst, math.Float64frombits(cell.Bits)), nil
	case Bool:
		return strconv.AppendBool(dst, cell.Bits != 0), nil
	default:
		dst = append(dst, '"')
		dst = event.AppendTime(dst, int64(cell.Bits)*1000)
		return append(dst, '"'), nil
	}
}
