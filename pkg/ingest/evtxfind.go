package ingest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"leat/pkg/evtx"
)

// maxInflatedLog bounds what a compressed log may become on disk.
const maxInflatedLog = 16 << 30

// isLog tells whether c is to be read as an EVTX log. A path that was named evtx: and is none is an error.
func (s *eventLogs) isLog(c *candidate) (bool, error) {
	if evtx.Is(c.head) {
		return true, nil
	}
	if sp := s.t.specOf(c.path); sp != nil && sp.evtx && len(c.head) > 0 {
		return false, &fileError{c.path, evtx.ErrFormat}
	}
	return false, nil
}

// admit takes in a log that was found under a path, and makes ready what is to be read of it.
func (s *eventLogs) admit(c *candidate) error {
	l := s.known[c.path]
	if l != nil && l.f != nil {
		l.seen, l.lost = max(s.t.round, 1), time.Time{}
		return nil // it is being read
	}
	f, log, err := s.open(c)
	if err != nil {
		return err
	}
	fresh := l == nil
	if fresh {
		l = s.add(c.path)
	}
	l.seen, l.lost = max(s.t.round, 1), time.Time{}
	if fresh {
		if was, err := s.archived(c.path, log); err != nil || was != nil {
			return s.takeOver(was, l, f, log, err)
		}
	}
	same, err := s.continues(l, log)
	switch {
	case err != nil:
		f.Close()
		return &fileError{c.path, err}
	case same:
		return s.use(l, c.path, f, log)
	}
	// Home holds another log: what was not yet read of ours may have been archived beside it.
	if old, oldLog, path := s.elsewhere(l); old != nil {
		f.Close()
		l.then = true
		return s.use(l, path, old, oldLog)
	}
	if err := s.missing(l, log); err != nil {
		f.Close()
		return err
	}
	return s.use(l, c.path, f, log)
}

// open opens the log in c, and takes its file from it.
func (s *eventLogs) open(c *candidate) (handle, *evtx.Log, error) {
	f, size := c.f, c.info.Size()
	c.f = nil
	if c.comp != plain {
		in, err := s.inflate(c, f)
		f.Close()
		if err != nil {
			return nil, nil, &fileError{c.path, err}
		}
		if size, err = in.Seek(0, io.SeekEnd); err != nil {
			in.Close()
			return nil, nil, &fileError{c.path, err}
		}
		f = in
	}
	log, err := evtx.Open(f, size)
	if err != nil {
		f.Close()
		return nil, nil, &fileError{c.path, err}
	}
	return f, log, nil
}

// inflate unpacks a compressed log into a file without a name: its chunks are not read in their order.
func (s *eventLogs) inflate(c *candidate, f handle) (*unpacked, error) {
	z, err := inflate(f, c.comp)
	if err != nil {
		return nil, err
	}
	defer z.close()
	if dir := s.t.cfg.Spool; dir != "" {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, err
		}
	}
	out, err := os.CreateTemp(s.t.cfg.Spool, "evtx-*")
	if err != nil {
		return nil, err
	}
	if err = os.Remove(out.Name()); err == nil {
		_, err = io.CopyN(out, z.r, maxInflatedLog)
	}
	if isSystem(err) {
		out.Close()
		return nil, err
	}
	// Whatever else ended it: the log's own checks tell what is missing.
	return &unpacked{out, c.info}, nil
}

// unpacked is a file that is known by the one that it was unpacked from.
type unpacked struct {
	*os.File
	of os.FileInfo
}

// Stat tells of the compressed file.
func (u *unpacked) Stat() (os.FileInfo, error) { return u.of, nil }

// continues tells whether log is the one that l was read from.
func (s *eventLogs) continues(l *eventLog, log *evtx.Log) (bool, error) {
	pos := uint64(l.cursor.offset)
	if pos == 0 {
		return true, nil
	}
	rec, ok, err := log.Find(pos)
	if err != nil || ok {
		return ok && recordPrint(rec) == l.cursor.tail, err
	}
	first, any := log.First()
	last, err := log.Last()
	if err != nil || !any {
		return !any, err // emptied: what comes is told apart then
	}
	// The record was overwritten, but not the next; or it is damaged by now.
	return first <= pos+1 && last >= pos, nil
}

// holds tells whether log has the record at l's position.
func (s *eventLogs) holds(l *eventLog, log *evtx.Log) bool {
	rec, ok, err := log.Find(uint64(l.cursor.offset))
	return err == nil && ok && recordPrint(rec) == l.cursor.tail
}

// archived returns the log that was moved to path: one of the same folder whose position is in log, and no longer at home.
func (s *eventLogs) archived(path string, log *evtx.Log) (*eventLog, error) {
	for _, k := range s.known {
		if k.home == path || k.f != nil || k.cursor.offset == 0 || filepath.Dir(k.home) != filepath.Dir(path) || !s.holds(k, log) {
			continue
		}
		c, err := s.t.cfg.look(k.home)
		if err != nil {
			return nil, err
		}
		if c == nil {
			return k, nil
		}
		if !evtx.Is(c.head) {
			c.f.Close()
			return k, nil
		}
		f, home, err := s.open(c)
		if err != nil {
			return nil, err
		}
		there := s.holds(k, home)
		f.Close()
		if !there {
			return k, nil // and no copy of it
		}
	}
	return nil, nil
}

// takeOver lets was go on in the file that l was found in. What is in there is not read again as l.
func (s *eventLogs) takeOver(was, l *eventLog, f handle, log *evtx.Log, err error) error {
	if err != nil {
		f.Close()
		return err
	}
	last, err := log.Last()
	if err != nil {
		f.Close()
		return &fileError{l.home, err}
	}
	next := cursor{offset: int64(last), state: stateDone}
	if rec, ok, err := log.Find(last); err == nil && ok {
		next.tail = recordPrint(rec)
	}
	if err := s.t.em.move(&l.origin, next); err != nil {
		f.Close()
		return err
	}
	was.lost = time.Time{}
	return s.use(was, l.home, f, log)
}

// elsewhere finds the log with l's position in the folder of its home.
func (s *eventLogs) elsewhere(l *eventLog) (handle, *evtx.Log, string) {
	dir := filepath.Dir(l.home)
	names, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, ""
	}
	for _, n := range names {
		path := filepath.Join(dir, n.Name())
		if path == l.home || n.IsDir() {
			continue
		}
		c, err := s.t.cfg.look(path)
		if err != nil || c == nil {
			continue
		}
		if !evtx.Is(c.head) {
			c.f.Close()
			continue
		}
		f, log, err := s.open(c)
		if err != nil {
			continue
		}
		if s.holds(l, log) {
			return f, log, path
		}
		f.Close()
	}
	return nil, nil, ""
}

// missing tells that records of l can't be found again. log is what its home holds now; nil: nothing.
func (s *eventLogs) missing(l *eventLog, log *evtx.Log) error {
	n := notice{action: "source_gap", path: l.home, source: l.name, from: l.cursor.offset, to: -1, dropped: -1}
	next := cursor{}
	if log == nil {
		n.reason, next.state = "disappeared", stateGone
		n.message = fmt.Sprintf("%s: the log is gone; what stood behind record %d, if anything, is missing", printable(l.home), l.cursor.offset)
		return s.t.em.tell(n, &l.origin, next)
	}
	first, _ := log.First()
	if first > uint64(l.cursor.offset)+1 {
		n.to, n.dropped = int64(first)-1, int64(first)-1-l.cursor.offset
		n.reason = "overwritten"
		n.message = fmt.Sprintf("%s: records %d to %d were overwritten or archived before they could be read", printable(l.home), l.cursor.offset+1, first-1)
	} else {
		n.reason = "replaced"
		n.message = fmt.Sprintf("%s: record %d is not the one that was read; what stood behind it, if anything, is missing", printable(l.home), l.cursor.offset)
	}
	return s.t.em.tell(n, &l.origin, next)
}

// vanished looks for the logs of our patterns that a whole scan did not see. final: there is no other look.
func (s *eventLogs) vanished(final bool) error {
	now := s.t.cfg.Now()
	for home, l := range s.known {
		if l.f != nil || s.t.specOf(home) == nil || l.seen != 0 && l.seen == max(s.t.round, 1) {
			continue
		}
		if l.lost.IsZero() {
			l.lost = now
		}
		if !final && now.Sub(l.lost) < s.t.cfg.Grace {
			continue
		}
		if _, err := os.Stat(home); err == nil || !errors.Is(err, os.ErrNotExist) {
			continue // there, though it can't be read
		}
		if l.cursor.offset > 0 {
			if f, log, path := s.elsewhere(l); f != nil {
				if err := s.use(l, path, f, log); err != nil {
					return err
				}
				if len(l.queue) > 0 {
					continue
				}
				l.close()
			} else if l.cursor.state != stateDone {
				if err := s.missing(l, nil); err != nil {
					return err
				}
			}
		}
		delete(s.known, home)
		gone := l.cursor
		gone.state = stateGone
		if err := s.t.em.move(&l.origin, gone); err != nil {
			return err
		}
	}
	return nil
}

// closeAll lets go of every file.
func (s *eventLogs) closeAll() {
	for _, l := range s.known {
		l.close()
	}
}
