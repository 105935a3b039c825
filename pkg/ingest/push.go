package ingest

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"leat/pkg/event"
	"leat/pkg/ingest/journal"
)

const (
	journalPrefix = "journal:"
	// retryAfter is how long senders are held back after the journal could not be written.
	retryAfter = time.Second
	// cutEvery is how often the lake is asked what it has committed, so that the journal can be cut.
	cutEvery = 500 * time.Millisecond
)

// The kinds of journal entries: a record as it came, one that was spooled, one that was cut.
const (
	entryRecord = iota
	entrySpooled
	entryCut
)

// entry is a record in the journal.
type entry struct {
	kind   byte
	addr   []byte // ip:port of the sender
	long   long   // of the other kinds
	record []byte
}

// appendEntry encodes e: kind, addr, of a spooled or cut one its size, sum and path, and the rest is the record (its head).
func appendEntry(dst []byte, e entry) []byte {
	dst = append(dst, e.kind)
	dst = appendBytes(dst, e.addr)
	if e.kind != entryRecord {
		dst = binary.AppendUvarint(dst, uint64(e.long.Size))
		dst = appendBytes(dst, []byte(e.long.Sum))
		dst = appendBytes(dst, []byte(e.long.Path))
		return append(dst, e.long.head...)
	}
	return append(dst, e.record...)
}

func appendBytes(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

// parseEntry decodes what appendEntry wrote; the entry's parts are spans of b.
func parseEntry(b []byte) (entry, error) {
	bad := errors.New("journal entry of an unknown form")
	if len(b) < 1 || b[0] > entryCut {
		return entry{}, bad
	}
	e := entry{kind: b[0]}
	b = b[1:]
	ok := true
	number := func() uint64 {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			ok = false
			return 0
		}
		b = b[n:]
		return v
	}
	text := func() []byte {
		n := number()
		if n > uint64(len(b)) {
			ok = false
			return nil
		}
		t := b[:n]
		b = b[n:]
		return t
	}
	e.addr = text()
	if e.kind != entryRecord {
		e.long.Size = int64(number())
		e.long.Sum, e.long.Path = string(text()), string(text())
		e.long.head = b
	}
	e.record = b
	if !ok {
		return entry{}, bad
	}
	return e, nil
}

// push is what can't be read again, on its way through the journal.
type push struct {
	cfg *Config
	em  *emitter
	j   *journal.Journal
	org origin
}

// openPush opens the pipeline's journal.
func openPush(cfg *Config) (*push, error) {
	dir := filepath.Join(cfg.State, "journal", cfg.Pipeline)
	j, err := journal.Open(dir, journal.Options{MaxBytes: cfg.JournalMax, Log: cfg.Log})
	if err != nil {
		return nil, err
	}
	return &push{cfg: cfg, j: j, org: origin{name: journalPrefix + j.ID()}}, nil
}

// resume takes the journal's position from the lake. Positions of another journal are a gap: what stood in that, nobody
// can tell any more.
func (p *push) resume(em *emitter, positions map[string]string) error {
	p.em = em
	for name, pos := range positions {
		if !strings.HasPrefix(name, journalPrefix) || pos == "" {
			continue
		}
		c, err := parseCursor(pos)
		if err != nil {
			return fmt.Errorf("source %s: %w", name, err)
		}
		if name == p.org.name {
			p.org.cursor = c
			continue
		}
		gone := c
		gone.state = stateGone
		if err := em.tell(notice{
			action: "source_gap", source: name, reason: "another journal", path: filepath.Join(p.cfg.State, "journal", p.cfg.Pipeline),
			message: fmt.Sprintf("the journal that was read up to record %d is not here any more; what it held behind that, if anything, is missing", c.offset),
			from:    c.offset, to: -1, dropped: -1,
		}, &origin{name: name, cursor: c}, gone); err != nil {
			return err
		}
	}
	next := uint64(max(p.org.cursor.offset, 1))
	p.org.cursor.offset = int64(next)
	p.j.SkipTo(next)
	return p.j.Cut(next)
}

// inlet returns one for a source. A lossy one drops records instead of waiting, and counts them in dropped.
func (p *push) inlet(ctx context.Context, dropped func(n int)) inlet {
	return &journaled{p: p, ctx: ctx, dropped: dropped}
}

// journaled is the inlet of a marked stream: flush returns when the records are durable.
type journaled struct {
	p       *push
	ctx     context.Context // of the run: ends the waiting
	dropped func(n int)     // nil: wait
	buf     []byte
	ends    []int
	recs    [][]byte
}

func (q *journaled) add(_ int64, rec, addr []byte) error {
	q.buf = appendEntry(q.buf, entry{kind: entryRecord, record: rec, addr: addr})
	q.ends = append(q.ends, len(q.buf))
	return nil
}

func (q *journaled) addLong(_ int64, l long, addr []byte) error {
	kind := byte(entryCut)
	if l.Path != "" {
		kind = entrySpooled
	}
	q.buf = appendEntry(q.buf, entry{kind: kind, long: l, addr: addr})
	q.ends = append(q.ends, len(q.buf))
	return nil
}

func (q *journaled) flush() error {
	if len(q.ends) == 0 {
		return nil
	}
	q.recs = q.recs[:0]
	start := 0
	for _, end := range q.ends {
		q.recs = append(q.recs, q.buf[start:end])
		start = end
	}
	err := q.write()
	q.buf, q.ends = q.buf[:0], q.ends[:0]
	if err != nil && q.ctx.Err() != nil {
		return nil // stopped while held back: the sender was never told that these arrived
	}
	return err
}

func (q *journaled) write() error {
	for {
		err := q.p.j.Append(q.ctx, q.dropped == nil, q.recs...)
		switch {
		case err == nil, errors.Is(err, journal.ErrClosed), q.ctx.Err() != nil:
			return err
		case q.dropped != nil:
			q.dropped(len(q.recs))
			if !errors.Is(err, journal.ErrFull) {
				q.p.cfg.Log.Error("datagrams dropped", "error", err)
			}
			return nil
		}
		q.p.cfg.Log.Error("senders are held back", "error", err)
		select {
		case <-q.ctx.Done():
		case <-time.After(retryAfter):
		}
	}
}

// drain emits what is durable, until the journal is closed and empty or ctx is done.
func (p *push) drain(ctx context.Context) error {
	r := p.j.Reader(uint64(p.org.cursor.offset))
	defer r.Close()
	wrap := newWrapper(p.org.name, 0, p.cfg.Dataset)
	var b event.Batch
	for {
		first, recs, err := r.Read(ctx, readSize)
		next := p.org.cursor
		next.offset = int64(r.Next())
		var d *journal.Damage
		switch {
		case errors.As(err, &d):
			err = p.em.tell(notice{
				action: "source_gap", source: p.org.name, reason: d.Reason, message: d.Error(),
				from: int64(d.From), to: int64(d.To), dropped: -1,
			}, &p.org, next)
			if err != nil {
				return err
			}
			continue
		case errors.Is(err, journal.ErrClosed), ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		for len(recs) > 0 {
			n := min(p.em.limit(), len(recs))
			size := 0
			for i, rec := range recs[:n] {
				size += len(rec)
				if err := p.wrapEntry(&b, wrap, int64(first)+int64(i), rec); err != nil {
					return err
				}
			}
			recs, first = recs[n:], first+uint64(n)
			next.offset = int64(first)
			if err := p.em.emit(&b, size, &p.org, next); err != nil {
				return err
			}
		}
	}
}

func (p *push) wrapEntry(b *event.Batch, w *wrapper, number int64, rec []byte) error {
	e, err := parseEntry(rec)
	if err != nil {
		return fmt.Errorf("journal record %d: %w", number, err)
	}
	w.pushFrom(b, number, e.record, e.addr)
	if e.kind == entryRecord {
		return nil
	}
	p.cfg.Counters.Failed(1)
	return e.long.fail(b, b.Events[len(b.Events)-1])
}

// cut removes from the journal what the lake has committed, until ctx is done.
func (p *push) cut(ctx context.Context) error {
	t := time.NewTicker(cutEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		_, positions, err := p.em.lake.committed()
		if err != nil {
			return err
		}
		if pos, ok := positions[p.org.name]; ok {
			c, err := parseCursor(pos)
			if err == nil {
				err = p.j.Cut(uint64(c.offset))
			}
			if err != nil {
				return err
			}
		}
	}
}
