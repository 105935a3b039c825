package persist

import (
	"fmt"
	"os"
	"path/filepath"

	"leat/pkg/event"
	"leat/pkg/row"
)

// spillBuffer is how many bytes of a spill stay in memory. A file is open only while they are written, so that neither memory nor open
// files grow with the number of partitions.
const spillBuffer = 128 << 10

// spill is one partition's rows on their way to Parquet: a file of NDJSON in the staging folder.
type spill struct {
	partition
	path    string
	buf     []byte
	rows    int64
	bytes   int64
	longest int
	sorted  bool // by @timestamp, those without one last
	last    int64
	untimed bool // a row without @timestamp was there
	timed   bool // one with
	min     int64
	max     int64
	kinds   map[string]*int64
	scratch [maxKindName]byte
	used    row.Set // columns that some row fills
}

// add takes one row with its line feed.
func (s *spill) add(line []byte, x *row.Encoder) error {
	s.note(x)
	s.used.Join(&x.Used)
	s.rows++
	s.bytes += int64(len(line))
	s.longest = max(s.longest, len(line))
	if len(s.buf)+len(line) > spillBuffer && len(s.buf) > 0 {
		if err := s.flush(); err != nil {
			return err
		}
	}
	s.buf = append(s.buf, line...)
	if len(line) > bigLine {
		return s.flush()
	}
	return nil
}

func (s *spill) note(x *row.Encoder) {
	if x.Kind.Kind == event.String {
		s.count(x.Kind)
	}
	if !x.HasTime {
		s.untimed = true
		return
	}
	t := x.Time
	if !s.timed {
		s.min, s.max, s.timed = t, t, true
	}
	s.min, s.max = min(s.min, t), max(s.max, t)
	if s.untimed || t < s.last {
		s.sorted = false
	}
	s.last = t
}

// maxKinds bounds the table: ECS knows eight kinds, and anything may stand in a log.
const (
	maxKinds    = 32
	maxKindName = 64
)

func (s *spill) count(kind event.Value) {
	text := kind.Text(s.scratch[:0])
	if n, ok := s.kinds[string(text)]; ok {
		*n++
	} else if len(s.kinds) < maxKinds && len(text) <= maxKindName {
		n := int64(1)
		s.kinds[string(text)] = &n
	}
}

// counts returns the rows of each kind.
func (s *spill) counts() map[string]int64 {
	out := make(map[string]int64, len(s.kinds))
	for k, n := range s.kinds {
		out[k] = *n
	}
	return out
}

func (s *spill) flush() error {
	f, err := os.OpenFile(s.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("spill: %w", err)
	}
	_, err = f.Write(s.buf)
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
		partition: p, sorted: true, last: -1 << 63, kinds: map[string]*int64{},
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
