package persist

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
)

// A spill is a sequence of rows, each behind a head: four bytes of its length, and eight of the time of its event in ns (little endian).
const headSize = 12

// noTime is the time of a row without one: such come last.
const noTime = math.MaxInt64

// errTorn says that a spill ends within a row.
var errTorn = errors.New("spill ends within a row")

// AppendRow appends a row (of a row.Encoder) as a spill has it; at is the time of its event in ns, math.MaxInt64 for none.
func AppendRow(dst, body []byte, at int64) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(body)))
	dst = binary.LittleEndian.AppendUint64(dst, uint64(at))
	return append(dst, body...)
}

// rowReader reads the rows of spills, in their order or in that of time. Its memory is kept for the next.
type rowReader struct {
	buf   []byte
	index []rowPlace
}

// spillFile is a spill that is open for reading, as far as size.
type spillFile struct {
	file *os.File
	size int64
}

// rowPlace is where a row stands.
type rowPlace struct {
	at     int64 // its time
	offset int64
	size   uint32
	file   uint32
}

// readBlock is how much is read at once.
const readBlock = 256 << 10

// inOrder calls yield for each row in the first size bytes of a spill: its time, where it stands, and its body, which is good until
// yield returns.
func (r *rowReader) inOrder(f io.ReaderAt, size int64, yield func(p rowPlace, body []byte) error) error {
	have, at := 0, 0 // buf[at:have] is what comes next
	for offset := int64(0); offset < size; {
		need := headSize
		if have-at >= headSize {
			need += int(binary.LittleEndian.Uint32(r.buf[at:]))
		}
		if int64(need) > size-offset {
			return errTorn
		}
		if have-at < need {
			want := int(min(size-offset, max(int64(need), readBlock)))
			r.buf = slices.Grow(r.buf[:0], want)[:want]
			if _, err := f.ReadAt(r.buf, offset); err != nil {
				return fmt.Errorf("spill: %w", err)
			}
			have, at = want, 0
			continue
		}
		p := rowPlace{at: int64(binary.LittleEndian.Uint64(r.buf[at+4:])), offset: offset, size: uint32(need - headSize)}
		if err := yield(p, r.buf[at+headSize:at+need]); err != nil {
			return err
		}
		at += need
		offset += int64(need)
	}
	return nil
}

// inTime calls yield for each row of the files in the order of time; rows of one time stay in their order.
func (r *rowReader) inTime(files []spillFile, yield func(p rowPlace, body []byte) error) error {
	r.index = r.index[:0]
	for i, f := range files {
		err := r.inOrder(f.file, f.size, func(p rowPlace, _ []byte) error {
			p.file = uint32(i)
			r.index = append(r.index, p)
			return nil
		})
		if err != nil {
			return err
		}
	}
	slices.SortFunc(r.index, func(a, b rowPlace) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.file, b.file), cmp.Compare(a.offset, b.offset))
	})
	file, from, have := uint32(math.MaxUint32), int64(0), 0 // what buf holds
	for i, p := range r.index {
		begin, size := p.offset+headSize, int(p.size)
		if p.file != file || begin < from || begin+int64(size) > from+int64(have) {
			// Mostly only a few rows are out of order: then the next ones are near. Else no more than the row is read.
			want := size
			if i+1 < len(r.index) {
				if next := r.index[i+1]; next.file == p.file && next.offset >= begin && next.offset < begin+readBlock/2 {
					want = max(size, readBlock)
				}
			}
			r.buf = slices.Grow(r.buf[:0], want)[:want]
			n, err := files[p.file].file.ReadAt(r.buf, begin)
			if n < size {
				return fmt.Errorf("spill: %w", err)
			}
			file, from, have = p.file, begin, n
		}
		if err := yield(p, r.buf[begin-from:begin-from+int64(size)]); err != nil {
			return err
		}
	}
	return nil
}
