package persist

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"leat/pkg/lake"
	"leat/pkg/row"
)

// spillName is spill-<generation>-<number><suffix>@<dataset>@<date>.rows. A partition's name has no '@'. Only one without suffix
// is read before its commit.
func spillName(generation, number int, suffix string, p partition) string {
	return fmt.Sprintf("spill-%d-%d%s@%s@%s.rows", generation, number, suffix, p.dataset, p.date())
}

// parseSpill undoes spillName; ok is false for any other file of a staging folder.
func parseSpill(name string) (h HotFile, generation int64, ok bool) {
	name, isRows := strings.CutSuffix(name, ".rows")
	head, rest, hasSet := strings.Cut(name, "@")
	h.Dataset, h.Date, ok = strings.Cut(rest, "@")
	head, isSpill := strings.CutPrefix(head, "spill-")
	gen, number, hasNumber := strings.Cut(head, "-")
	generation, err := strconv.ParseInt(gen, 10, 64)
	_, nerr := strconv.Atoi(number)
	ok = ok && isRows && hasSet && isSpill && hasNumber && err == nil && nerr == nil && generation > 0
	return h, generation, ok && lake.PartitionName(h.Dataset) == h.Dataset
}

// Hot is what living writers have taken in and perhaps not committed yet: their spills, held open. Together with a state of the log that
// is read after it was opened, each row is there exactly once: a spill goes away only after the commit that covers it.
type Hot struct{ spills []hotSpill }

type hotSpill struct {
	HotFile
	writer     string
	generation int64
	file       *os.File
}

// HotFile is a copy of one spill as lines of JSON, as far as it was written.
type HotFile struct {
	Path, Dataset, Date string
	Rows, Bytes         int64
	Longest             int // bytes of the longest row
}

// OpenHot opens the spills of all living writers of l. Take the state of the log after it, not before. What writers that are dead
// have left is not hot: ingest will send it again.
func OpenHot(l *lake.Lake) (*Hot, error) {
	living, err := l.Living()
	if err != nil {
		return nil, err
	}
	h := &Hot{}
	for _, w := range living {
		if err := h.open(l, w); err != nil {
			return nil, errors.Join(fmt.Errorf("spills of writer %s: %w", w, err), h.Close())
		}
	}
	return h, nil
}

func (h *Hot) open(l *lake.Lake, writer string) error {
	names, err := os.ReadDir(l.Staging(writer))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, n := range names {
		info, generation, ok := parseSpill(n.Name())
		if !ok {
			continue
		}
		f, err := os.Open(filepath.Join(l.Staging(writer), n.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue // committed since
		}
		if err != nil {
			return err
		}
		h.spills = append(h.spills, hotSpill{info, writer, generation, f})
		stat, err := f.Stat()
		if err != nil {
			return err
		}
		// What comes later is left out, so that the spills are of about one moment.
		h.spills[len(h.spills)-1].Bytes = stat.Size()
	}
	return nil
}

// Close lets the spills go.
func (h *Hot) Close() error {
	var all []error
	for _, s := range h.spills {
		all = append(all, s.file.Close())
	}
	h.spills = nil
	return errors.Join(all...)
}

// Copy copies to dir, in folders dataset=<name>/date=<day>, the rows that s, a state read after OpenHot, does not have as committed. A copy
// does not grow, so that a statement may read it twice. A last row that is not whole is left out.
func (h *Hot) Copy(s *lake.State, dir string) ([]HotFile, error) {
	var out []HotFile
	for i, sp := range h.spills {
		if _, fenced := s.Fenced[sp.writer]; fenced || sp.generation <= s.Generations[sp.writer] {
			continue
		}
		to := filepath.Join(dir, "dataset="+sp.Dataset, "date="+sp.Date, strconv.Itoa(i)+".ndjson")
		if err := sp.copy(to); err != nil {
			return nil, fmt.Errorf("copy of a spill: %w", err)
		}
		if sp.Rows > 0 {
			out = append(out, sp.HotFile)
		}
	}
	return out, nil
}

func (sp *hotSpill) copy(to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	sp.Path = to
	cols, out := row.Standard(), bufio.NewWriterSize(f, 1<<20)
	size := sp.Bytes
	sp.Bytes = 0
	var r rowReader
	var line []byte
	err = r.inOrder(sp.file, size, func(_ rowPlace, body []byte) error {
		var err error
		if line, err = cols.AppendJSON(line[:0], body); err != nil {
			// Damaged: its commit will make a pipeline_error of it.
			return nil
		}
		line = append(line, '\n')
		sp.Rows, sp.Bytes, sp.Longest = sp.Rows+1, sp.Bytes+int64(len(line)), max(sp.Longest, len(line))
		_, err = out.Write(line)
		return err
	})
	if errors.Is(err, errTorn) {
		// It is being written.
		err = nil
	}
	return errors.Join(err, out.Flush(), f.Close())
}
