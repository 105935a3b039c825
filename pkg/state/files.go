package state

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"leat/internal/durable"
)

// The files of a store: base-<mark> is the state at that mark, log-<mark> has the changes behind it. Numbers have 20 digits.
const (
	baseName = "base-"
	logName  = "log-"
	format   = 1
)

// stamp is the first line of every file: whose state it is.
type stamp struct {
	Format   int    `json:"leat_state"`
	Stage    string `json:"stage"`
	Lake     string `json:"lake"`
	Pipeline string `json:"pipeline"`
}

func (s stamp) line() []byte {
	line, err := json.Marshal(s)
	if err != nil {
		panic(err) // strings and an integer always encode
	}
	return append(line, '\n')
}

// check takes the stamp off data.
func (s stamp) check(data []byte) ([]byte, error) {
	line, rest, ok := bytes.Cut(data, []byte{'\n'})
	if !ok {
		return nil, errTorn
	}
	var is stamp
	if err := json.Unmarshal(line, &is); err != nil {
		return nil, errDamage
	}
	if is.Format != format {
		return nil, fmt.Errorf("%w: %d", ErrFormat, is.Format)
	}
	if is != s {
		return nil, fmt.Errorf("%w: lake %s, stage %s, pipeline %s", ErrOther, is.Lake, is.Stage, is.Pipeline)
	}
	return rest, nil
}

func (s *Store) path(prefix string, mark int64) string {
	return filepath.Join(s.dir, fmt.Sprintf("%s%020d", prefix, mark))
}

// marks lists the files with a prefix by their marks, in order.
func (s *Store) marks(prefix string) ([]int64, error) {
	all, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	var out []int64
	for _, e := range all {
		if name, ok := strings.CutPrefix(e.Name(), prefix); ok && len(name) == 20 {
			if n, err := strconv.ParseInt(name, 10, 64); err == nil {
				out = append(out, n)
			}
		}
	}
	slices.Sort(out)
	return out, nil
}

// restore reads the state at p and removes what is behind it. A store that is new has no files, and the state at mark 0.
func (s *Store) restore(p Point) (Snapshot, error) {
	if p.Mark == 0 {
		return Snapshot{}, s.clear()
	}
	bases, err := s.marks(baseName)
	if err != nil {
		return Snapshot{}, err
	}
	slices.Reverse(bases)
	for _, n := range append(bases, 0) {
		if n > p.Mark {
			continue
		}
		var snap Snapshot
		found := false
		if n > 0 {
			r, err := s.readBase(n)
			if errors.Is(err, errTorn) || errors.Is(err, errDamage) {
				continue // an older one, and the changes since, say the same
			} else if err != nil {
				return Snapshot{}, err
			}
			snap.Base, found = r.payload, n == p.Mark && (p.Run == "" || r.run == p.Run)
		}
		ok, err := s.follow(n, p, &snap)
		if err != nil {
			return Snapshot{}, err
		}
		if found || ok {
			return snap, s.forget(p.Mark)
		}
	}
	return Snapshot{}, fmt.Errorf("%w (mark %d in %s)", ErrMissing, p.Mark, s.dir)
}

func (s *Store) writeBase(r record) error {
	return durable.WriteFile(s.path(baseName, r.mark), appendRecord(s.stamp.line(), r))
}

func (s *Store) readBase(mark int64) (record, error) {
	data, err := os.ReadFile(s.path(baseName, mark))
	if err != nil {
		return record{}, fmt.Errorf("state: %w", err)
	}
	if data, err = s.stamp.check(data); err != nil {
		return record{}, err
	}
	r, rest, err := readRecord(data)
	if err == nil && (len(rest) > 0 || r.mark != mark) {
		err = errDamage
	}
	return r, err
}

// follow gathers the changes behind the base at mark from, up to p. It tells whether they end exactly there. The changes
// may lie in several files, of which each goes on where the one before ended.
func (s *Store) follow(from int64, p Point, snap *Snapshot) (bool, error) {
	logs, err := s.marks(logName)
	if err != nil {
		return false, err
	}
	at := int64(-1)
	for _, n := range logs {
		if n < from || n > p.Mark || at >= 0 && n != at || at < 0 && n != from {
			continue
		}
		records, _, err := s.readLog(n)
		if err != nil {
			return false, err
		}
		at = n
		for _, r := range records {
			if r.mark > p.Mark {
				return false, nil
			}
			snap.Changes, at = append(snap.Changes, r.payload), r.mark
			if r.mark == p.Mark {
				return p.Run == "" || r.run == p.Run, nil
			}
		}
	}
	return false, nil
}

// readLog returns the whole records of a file of changes and the length up to their end. What is torn behind them is left out, and so
// is what is damaged: whoever needs it does not find its mark.
func (s *Store) readLog(mark int64) ([]record, int64, error) {
	data, err := os.ReadFile(s.path(logName, mark))
	if err != nil {
		return nil, 0, fmt.Errorf("state: %w", err)
	}
	rest, err := s.stamp.check(data)
	if errors.Is(err, errTorn) || errors.Is(err, errDamage) {
		return nil, 0, nil // begun, and nothing was saved in it
	} else if err != nil {
		return nil, 0, err
	}
	var out []record
	for last := mark; len(rest) > 0; {
		r, next, err := readRecord(rest)
		if err != nil || r.mark <= last {
			break
		}
		out, rest, last = append(out, r), next, r.mark
	}
	return out, int64(len(data) - len(rest)), nil
}

// forget removes every state behind mark, so that the stream's next marks can take the numbers.
func (s *Store) forget(mark int64) error {
	bases, err := s.marks(baseName)
	if err != nil {
		return err
	}
	for _, n := range bases {
		if n > mark {
			err = errors.Join(err, os.Remove(s.path(baseName, n)))
		}
	}
	logs, lerr := s.marks(logName)
	err = errors.Join(err, lerr)
	for _, n := range logs {
		// A file that begins at mark itself is made anew by newLog.
		if n >= mark {
			err = errors.Join(err, os.Remove(s.path(logName, n)))
		} else {
			err = errors.Join(err, s.cut(n, mark))
		}
	}
	return errors.Join(err, durable.SyncDir(s.dir))
}

// cut removes from a file of changes what lies behind mark.
func (s *Store) cut(log, mark int64) error {
	records, end, err := s.readLog(log)
	if err != nil {
		return err
	}
	for i := len(records) - 1; i >= 0 && records[i].mark > mark; i-- {
		end -= records[i].size()
	}
	f, err := os.OpenFile(s.path(logName, log), os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("state: %w", err)
	}
	return errors.Join(f.Truncate(end), f.Sync(), f.Close())
}

// clear removes everything.
func (s *Store) clear() error {
	for _, prefix := range []string{baseName, logName} {
		marks, err := s.marks(prefix)
		if err != nil {
			return err
		}
		for _, n := range marks {
			if err := s.owner(prefix, n); err != nil {
				return err
			}
		}
		for _, n := range marks {
			if err := os.Remove(s.path(prefix, n)); err != nil {
				return fmt.Errorf("state: %w", err)
			}
		}
	}
	return durable.SyncDir(s.dir)
}

// owner checks that a file is of this lake: another's state must not be cleared by a mistaken flag.
func (s *Store) owner(prefix string, mark int64) error {
	data, err := os.ReadFile(s.path(prefix, mark))
	if err != nil {
		return fmt.Errorf("state: %w", err)
	}
	if _, err = s.stamp.check(data); errors.Is(err, errTorn) || errors.Is(err, errDamage) {
		return nil
	}
	return err
}

// newLog begins the file of the changes behind mark.
func (s *Store) newLog(mark int64) error {
	if s.log != nil {
		if err := s.log.Close(); err != nil {
			return fmt.Errorf("state: %w", err)
		}
	}
	s.log = nil
	path := s.path(logName, mark)
	if err := durable.WriteFile(path, s.stamp.line()); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return fmt.Errorf("state: %w", err)
	}
	s.log, s.logSize = f, 0
	return nil
}

// sweep deletes what only marks before the committed one need.
func (s *Store) sweep(committed int64) error {
	bases, err := s.marks(baseName)
	if err != nil {
		return err
	}
	keep := int64(0)
	for _, n := range bases {
		if n <= committed {
			keep = n
		}
	}
	if keep == 0 {
		return nil
	}
	for _, prefix := range []string{baseName, logName} {
		marks, err := s.marks(prefix)
		if err != nil {
			return err
		}
		for _, n := range marks {
			if n < keep {
				err = errors.Join(err, os.Remove(s.path(prefix, n)))
			}
		}
		if err != nil {
			return fmt.Errorf("state: %w", err)
		}
	}
	return nil
}
