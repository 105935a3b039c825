package ingest

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"leat/pkg/event"
	"leat/pkg/evtx"
)

// eventLog is an EVTX log, whose position is the number of the last record that was read, with a fingerprint of it.
type eventLog struct {
	origin
	home string // its path; what was archived is read elsewhere, under the same name
	path string // of what is read now
	wrap *wrapper

	f     handle // nil: nothing is to be read
	stamp stamp  // of f when it was opened
	id    inode
	log   *evtx.Log
	queue []int // chunks to be read
	from  uint64
	then  bool   // at the end home holds another log, which begins anew
	next  cursor // behind what is in the batch
	size  int    // of that, in bytes

	told map[string]bool // damage
	seen int             // last scan that saw it
	lost time.Time       // since when it is not there
}

// eventLogs reads the EVTX logs among a tailer's files.
type eventLogs struct {
	t     *tailer
	known map[string]*eventLog // by home
	ready []*eventLog
	buf   []byte
	batch event.Batch
}

const evtxPrefix = "evtx:"

// newEventLogs takes the positions of the lake. What is none of a log is left alone.
func newEventLogs(t *tailer, positions map[string]string) (*eventLogs, error) {
	s := &eventLogs{t: t, known: map[string]*eventLog{}}
	for name, pos := range positions {
		path, ok := strings.CutPrefix(name, evtxPrefix)
		if !ok || pos == "" {
			continue
		}
		c, err := parseCursor(pos)
		if err != nil {
			return nil, fmt.Errorf("source %s: %w", name, err)
		}
		l := s.add(string(event.UnescapeText(nil, []byte(path))))
		l.name, l.cursor = name, c
	}
	return s, nil
}

func (s *eventLogs) add(home string) *eventLog {
	l := &eventLog{origin: origin{name: evtxPrefix + printable(home)}, home: home, path: home, told: map[string]bool{}}
	s.known[home] = l
	return l
}

// close lets go of the file that l is read from.
func (l *eventLog) close() {
	if l.f != nil {
		l.f.Close()
	}
	l.f, l.log, l.queue = nil, nil, nil
}

// use makes f what l is read from.
func (s *eventLogs) use(l *eventLog, path string, f handle, log *evtx.Log) error {
	l.close()
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return &fileError{path, err}
	}
	dataset := ""
	if sp := s.t.specOf(l.home); sp != nil {
		dataset = sp.dataset
	}
	l.path, l.f, l.log, l.stamp, l.id = path, f, log, stampOf(info), inodeOf(info)
	l.from = uint64(l.cursor.offset)
	l.queue = log.Behind(l.from)
	l.wrap = newWrapper(l.name, 1, dataset)
	l.wrap.file(path)
	if log.Damage != "" && l.from == 0 {
		if err := s.damaged(l, log.Damage, nil, -1); err != nil {
			return err
		}
	}
	if !slices.Contains(s.ready, l) {
		s.ready = append(s.ready, l)
	}
	return nil
}

// turn reads one chunk of every log that is ready.
func (s *eventLogs) turn() error {
	list := slices.Clone(s.ready)
	s.ready = s.ready[:0]
	for _, l := range list {
		if l.f == nil {
			continue
		}
		more, err := s.chunk(l)
		if isFileError(err) {
			if err = s.t.fault(l.path, err); err == nil {
				l.close()
				continue
			}
		}
		if err != nil {
			return err
		}
		if more && !slices.Contains(s.ready, l) {
			s.ready = append(s.ready, l)
		}
	}
	return nil
}

// drain reads all that is ready to its end.
func (s *eventLogs) drain(ctx context.Context) error {
	for len(s.ready) > 0 && ctx.Err() == nil {
		if err := s.turn(); err != nil {
			return err
		}
	}
	return nil
}

// chunk reads the next chunk of l and tells whether there is more.
func (s *eventLogs) chunk(l *eventLog) (more bool, err error) {
	if len(l.queue) == 0 {
		return s.finished(l)
	}
	n := l.queue[0]
	l.queue = l.queue[1:]
	c, err := l.log.Chunk(n)
	if err != nil {
		return false, &fileError{l.path, err}
	}
	last := len(l.queue) == 0
	growing := l.log.Dirty && last
	count, fresh := 0, 0
	for rec, ok := c.Next(); ok; rec, ok = c.Next() {
		if count++; rec.ID <= l.from {
			continue
		}
		if rec.Torn && growing && s.t.cfg.Follow {
			break // the rest of it is still to come
		}
		fresh++
		if err := s.record(l, c, rec); err != nil {
			return false, err
		}
	}
	if err := s.flush(l); err != nil {
		return false, err
	}
	if l.from > 0 && count > 0 && fresh == 0 {
		return true, nil // read before, and what is wrong with it told
	}
	return true, s.chunkDamage(l, c, growing, count)
}

// record adds one record to the batch and moves the position behind it.
func (s *eventLogs) record(l *eventLog, c *evtx.Chunk, rec evtx.Record) error {
	line, err := c.AppendJSON(s.buf[:0], rec)
	s.buf = line[:0]
	w := l.wrap
	w.known = rec.Raw
	number := int64(min(rec.ID, math.MaxInt64))
	if err == nil {
		w.push(&s.batch, number, line)
	} else {
		w.push(&s.batch, number, rec.Raw)
		e := s.batch.Events[len(s.batch.Events)-1]
		s.batch.Fail(e, stageName, "evtx", fmt.Sprintf("%s: %v", printable(l.path), err))
		s.t.cfg.Counters.Failed(1)
	}
	next := l.cursor
	next.state = stateLive
	if number > next.offset && (rec.Sure || number == next.offset+1) {
		next.offset, next.tail = number, recordPrint(rec)
		next.dev, next.ino = l.id.dev, l.id.ino
	}
	l.next, l.size = next, l.size+len(rec.Raw)
	if len(s.batch.Events) >= s.t.em.limit() {
		return s.flush(l)
	}
	return nil
}

// recordPrint is the fingerprint by which a record is known again.
func recordPrint(rec evtx.Record) print {
	p := printOf(rec.Raw)
	p.n = min(p.n, printSize)
	return p
}

// flush hands on what was read of l.
func (s *eventLogs) flush(l *eventLog) error {
	if len(s.batch.Events) == 0 {
		return nil
	}
	size := l.size
	l.size = 0
	return s.t.em.emit(&s.batch, size, &l.origin, l.next)
}

// chunkDamage tells what is wrong with a chunk of which count records were read.
func (s *eventLogs) chunkDamage(l *eventLog, c *evtx.Chunk, growing bool, count int) error {
	if count == 0 && slices.Contains(strings.Split(l.cursor.text, ","), strconv.Itoa(c.N)) {
		return nil // told by an earlier run
	}
	for _, d := range c.Damage {
		if growing && (d.Data == nil || s.t.cfg.Follow) {
			continue // its header lags behind what is written
		}
		at := int64(-1)
		if count == 0 {
			at = int64(c.N)
		}
		if err := s.damaged(l, d.Reason, d.Data, at); err != nil {
			return err
		}
	}
	return nil
}

// maxToldChunks bounds the damaged chunks that a position names.
const maxToldChunks = 64

// damaged tells of damage, with the bytes that can't be read, where there are any. chunk is that of which nothing could be
// read, or -1: the position notes that it was told.
func (s *eventLogs) damaged(l *eventLog, reason string, data []byte, chunk int64) error {
	message := fmt.Sprintf("%s: %s; what could be read went on", printable(l.path), reason)
	if l.told[l.path+reason] {
		return nil
	}
	l.told[l.path+reason] = true
	next := l.cursor
	if told := strings.Split(next.text, ","); chunk >= 0 && len(told) < maxToldChunks && told[len(told)-1] != strconv.FormatInt(chunk, 10) {
		next.text = strings.TrimPrefix(next.text+","+strconv.FormatInt(chunk, 10), ",")
	}
	if data == nil {
		return s.t.em.tell(notice{
			action: "source_damaged", isError: true, path: l.path, source: l.name, reason: reason, message: message, from: -1, to: -1, dropped: -1,
		}, &l.origin, next)
	}
	l.wrap.known = nil
	l.wrap.push(&s.batch, max(chunk, 0), data)
	s.batch.Fail(s.batch.Events[len(s.batch.Events)-1], stageName, "source_damaged", message)
	s.t.cfg.Log.Warn(message, "source", l.name, "path", l.path)
	s.t.cfg.count("notices", l.name, 1)
	s.t.cfg.Counters.Failed(1)
	return s.t.em.emit(&s.batch, len(data), &l.origin, next)
}

// finished ends the reading of l's file as it was when it was opened.
func (s *eventLogs) finished(l *eventLog) (more bool, err error) {
	if l.then {
		// What was archived is read; home holds the log that came after it.
		l.then = false
		l.close()
		if err := s.t.em.move(&l.origin, cursor{}); err != nil {
			return false, err
		}
		_, err := s.t.admit(l.home, true)
		return l.f != nil, err
	}
	next := l.cursor
	next.state = stateLive
	if !l.log.Dirty {
		next.state = stateDone // it was closed in order: where it disappears nothing is missed
	}
	s.t.reg.settled[l.id] = l.stamp
	l.close()
	return false, s.t.em.move(&l.origin, next)
}
