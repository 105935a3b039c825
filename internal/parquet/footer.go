package parquet

import (
	"encoding/binary"
	"fmt"
	"os"
)

const magic = "PAR1"

// Footer is what a file's footer (FileMetaData) says, as far as this package needs it.
type Footer struct {
	// Rows is the number of rows of the file, and the sum of those of its row groups.
	Rows int64
	// Groups is the number of row groups.
	Groups int
}

// ReadFooter reads the footer of the file at path. An error says that it is no whole Parquet file.
func ReadFooter(path string) (*Footer, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	var tail [8]byte
	if info.Size() < int64(len(magic)+len(tail)) {
		return nil, fmt.Errorf("parquet %q: %d bytes are no Parquet file", path, info.Size())
	}
	if _, err := f.ReadAt(tail[:], info.Size()-8); err != nil {
		return nil, err
	}
	size := int64(binary.LittleEndian.Uint32(tail[:4]))
	if string(tail[4:]) != magic || size > info.Size()-12 {
		return nil, fmt.Errorf("parquet %q: no footer at its end", path)
	}
	raw := make([]byte, size)
	if _, err := f.ReadAt(raw, info.Size()-8-size); err != nil {
		return nil, err
	}
	m, err := parseFooter(raw)
	if err != nil {
		return nil, fmt.Errorf("parquet %q: %w", path, err)
	}
	return m, nil
}

func parseFooter(raw []byte) (*Footer, error) {
	m := &Footer{Rows: -1}
	inGroups := int64(0)
	d := &decoder{b: raw}
	d.fields(func(id int16, typ byte) {
		switch {
		case id == 3 && typ == typeI64:
			m.Rows = d.int()
		case id == 4 && typ == typeList:
			n, _ := d.list()
			for ; n > 0 && d.err == nil; n-- {
				m.Groups++
				inGroups += groupRowsOf(d)
			}
		default:
			d.skip(typ)
		}
	})
	if d.err == nil && m.Rows != inGroups {
		return nil, fmt.Errorf("%w: %d rows, and %d in its row groups", errThrift, m.Rows, inGroups)
	}
	return m, d.err
}

// groupRowsOf reads a RowGroup.
func groupRowsOf(d *decoder) (rows int64) {
	d.fields(func(id int16, typ byte) {
		if id == 3 && typ == typeI64 {
			rows = d.int()
			return
		}
		d.skip(typ)
	})
	return rows
}
