package intel

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"leat/internal/durable"
)

// arrival is when a value was first in a table, in seconds since 1970.
type arrival struct {
	hash uint64
	at   uint32
}

// arrivalsName is the file that knows them all; each record is twelve bytes, in the order of the hashes.
const arrivalsName = "arrivals"

const arrivalsMagic = "leat-arrivals-1\n"

// hashValue is FNV-1a: it must be the same in every process. Two values of one hash are one arrival, no more.
func hashValue(kind Kind, value []byte) uint64 {
	h := (uint64(14695981039346656037) ^ uint64(kind)) * 1099511628211
	for _, c := range value {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return h ^ h>>29
}

// arrivals returns when each entry of c was first in a table of this source: those that were never are new now. Values that are gone are
// remembered, so that one that comes and goes is new once; not many more of them than there are entries.
func (s *Source) arrivals(c *collector, now time.Time) ([]uint32, error) {
	path := filepath.Join(s.dir, arrivalsName)
	old, err := readArrivals(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.env.Log.Warn("file of arrivals is not whole; all indicators count as new", "dimension", s.env.Name, "err", err)
		old = nil
	}
	at := make([]uint32, len(c.entries))
	var fresh []arrival
	when := uint32(min(max(now.Unix(), 1), 1<<32-1))
	for row := range c.entries {
		e := &c.entries[row]
		h := hashValue(e.kind, c.values.get(e.value))
		if n, ok := slices.BinarySearchFunc(old, h, func(a arrival, h uint64) int { return cmp.Compare(a.hash, h) }); ok {
			at[row] = old[n].at
		} else {
			at[row] = when
			fresh = append(fresh, arrival{h, when})
		}
	}
	if len(fresh) == 0 {
		return at, nil
	}
	if len(old)+len(fresh) > 3*len(c.entries)+1<<20 {
		old = slices.DeleteFunc(old, func(a arrival) bool { return when-a.at > 365*24*3600 })
	}
	all := append(old, fresh...)
	slices.SortFunc(all, func(a, b arrival) int { return cmp.Compare(a.hash, b.hash) })
	if err := writeArrivals(path, all); err != nil {
		return nil, fmt.Errorf("write %q: %w", path, err)
	}
	return at, nil
}

func readArrivals(path string) ([]arrival, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	size := info.Size() - int64(len(arrivalsMagic))
	if size < 0 || size%12 != 0 {
		return nil, errors.New("torn")
	}
	r := bufio.NewReaderSize(f, 1<<20)
	var rec [max(12, len(arrivalsMagic))]byte
	if _, err := io.ReadFull(r, rec[:len(arrivalsMagic)]); err != nil || string(rec[:len(arrivalsMagic)]) != arrivalsMagic {
		return nil, errors.New("not a file of arrivals")
	}
	out := make([]arrival, 0, size/12)
	for range size / 12 {
		if _, err := io.ReadFull(r, rec[:12]); err != nil {
			return nil, err
		}
		out = append(out, arrival{binary.LittleEndian.Uint64(rec[:]), binary.LittleEndian.Uint32(rec[8:])})
	}
	if !slices.IsSortedFunc(out, func(a, b arrival) int { return cmp.Compare(a.hash, b.hash) }) {
		return nil, errors.New("not in order")
	}
	return out, nil
}

func writeArrivals(path string, all []arrival) error {
	return durable.Create(path, func(f *os.File) error {
		w := bufio.NewWriterSize(f, 1<<20)
		// Flush has the errors.
		_, _ = w.WriteString(arrivalsMagic)
		var rec [12]byte
		for _, a := range all {
			binary.LittleEndian.PutUint64(rec[:], a.hash)
			binary.LittleEndian.PutUint32(rec[8:], a.at)
			_, _ = w.Write(rec[:])
		}
		return w.Flush()
	})
}
