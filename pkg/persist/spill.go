package persist

import (
	"fmt"
	"math"
	"os"
	"path/filepath"

	"leat/pkg/row"
)

// spillBuffer is how many bytes of a spill stay in memory. A file is open only while they are written, so that neither memory nor open
// files grow with the number of partitions.
const spillBuffer = 128 << 10

// spill is one partition's rows on their way to Parquet: a file in the staging folder.
type spill struct {
	partition
	path   string
	buf    []byte
	rows   int64
	size   int64 // of the file
	sorted bool  // by time, those without one last
	first  int64 // times of the first and the last row
	last   int64
}

// add takes one row.
func (s *spill) add(body []byte, x *row.Encoder) error {
	at := int64(noTime)
	if x.HasTime {
		at = x.Time
	}
	if s.rows == 0 {
		s.first = at
	}
	s.sorted = s.sorted && at >= s.last
	s.last = at
	s.rows++
	if len(s.buf)+headSize+len(body) > spillBuffer && len(s.buf) > 0 {
		if err := s.flush(); err != nil {
			return err
		}
	}
	s.buf = AppendRow(s.buf, body, at)
	if len(body) > bigLine {
		return s.flush()
	}
	return nil
}

func (s *spill) flush() error {
	f, err := os.OpenFile(s.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("spill: %w", err)
	}
	n, err := f.Write(s.buf)
	s.size += int64(n)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return fmt.Errorf("spill: %w", err)
	}
	s.buf = s.buf[:0]
	if cap(s.buf) > 2*spillBuffer {
		s.buf = nil
	}
	return nil
}

// generation is what was taken in since the last hand-over to the converter.
type generation struct {
	dir    string
	number int
	suffix string // of its files' names
	spills map[partition]*spill
	order  []*spill
	rows   int64
	bytes  int64
}

func newGeneration(dir string, number int) *generation {
	return &generation{dir: dir, number: number, spills: map[partition]*spill{}}
}

func (g *generation) open(p partition) *spill {
	s := &spill{
		partition: p, sorted: true, last: math.MinInt64,
		path: filepath.Join(g.dir, spillName(g.number, len(g.order), g.suffix, p)),
	}
	g.spills[p] = s
	g.order = append(g.order, s)
	return s
}

// flush writes to the disk what waits in memory, for those who read what is not committed yet.
func (g *generation) flush() error {
	for _, s := range g.order {
		if len(s.buf) == 0 {
			continue
		}
		if err := s.flush(); err != nil {
			return err
		}
	}
	return nil
}

// discard removes the generation's files.
func (g *generation) discard() {
	for _, s := range g.order {
		_ = os.Remove(s.path)
	}
}
