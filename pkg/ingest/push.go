package ingest

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
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

// push is what can't be read again, on its way through the journal.
type push struct {
	cfg *Config
	em  *emitter
	j   *journal.Journal
	org origin
	// patience ends some time after the run was stopped, or at once where it failed.
	patience context.Context
	lost     atomic.Int64 // records that were received and could not be made durable
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
func (p *push) inlet(ctx context.Context, name, dataset string, dropped func(n int)) inlet {
	return &journaled{p: p, ctx: ctx, name: name, dataset: []byte(dataset), dropped: dropped}
}

// note journals a notice, so that the lake holds it once whatever is killed. mode is Reserve, or Force at the end.
func (p *push) note(n notice, mode journal.Mode) error {
	rec := appendEntry(nil, entry{kind: entryNotice, record: n.line(nil, p.cfg.Now().UnixNano())})
	if err := p.j.Append(p.patience, mode, rec); err != nil {
		return err
	}
	p.cfg.told(n)
	return nil
}

// lose tells of records that were taken from a sender when the run was stopped, and could not be written.
func (p *push) lose(name string, n int, cause error) error {
	p.lost.Add(int64(n))
	p.cfg.count("dropped", name, n)
	gap := notice{
		action: "source_gap", source: name, reason: "the journal could not be written",
		message: fmt.Sprintf("%s: %d records were received and are lost: the journal could not be written when ingest was stopped (%v)", name, n, cause),
		from:    -1, to: -1, dropped: int64(n),
	}
	if p.note(gap, journal.Force) == nil {
		return nil
	}
	return p.em.tell(gap, nil, cursor{})
}

// journaled is the inlet of a marked stream: flush returns when the records are durable.
type journaled struct {
	p       *push
	ctx     context.Context // of the run: ends the waiting
	name    string
	dataset []byte
	dropped func(n int) // nil: wait
	buf     []byte
	ends    []int
	recs    [][]byte
}

func (q *journaled) add(_ int64, rec, addr []byte) error {
	return q.push(entry{kind: entryRecord, record: rec, addr: addr})
}

func (q *journaled) addLong(_ int64, l long, addr []byte) error {
	kind := byte(entryCut)
	if l.Path != "" {
		kind = entrySpooled
	}
	return q.push(entry{kind: kind, long: l, addr: addr})
}

func (q *journaled) push(e entry) error {
	e.dataset = q.dataset
	q.buf = appendEntry(q.buf, e)
	q.ends = append(q.ends, len(q.buf))
	return nil
}

func (q *journaled) flush() error {
	if len(q.ends) == 0 {
		return nil
	}
	err := q.write()
	q.forget()
	return err
}

// try is flush for a sender that can be told to come again: an error says that nothing was taken.
func (q *journaled) try() error {
	defer q.forget()
	if len(q.ends) == 0 {
		return nil
	}
	return q.p.j.Append(q.ctx, journal.Try, q.records()...)
}

// records are what was added.
func (q *journaled) records() [][]byte {
	q.recs = q.recs[:0]
	start := 0
	for _, end := range q.ends {
		q.recs = append(q.recs, q.buf[start:end])
		start = end
	}
	return q.recs
}

func (q *journaled) forget() {
	q.buf, q.ends = q.buf[:0], q.ends[:0]
	if cap(q.buf) > 4*readSize {
		q.buf = nil // one long record must not stay for as long as its connection does
	}
}

// write makes the records durable. When the run is stopped they go in whether or not the journal is full: they were taken
// from the sender, and nobody else has them.
func (q *journaled) write() error {
	recs := q.records()
	for {
		stopped := q.ctx.Err() != nil
		mode := journal.Wait
		switch {
		case stopped:
			mode = journal.Force
		case q.dropped != nil:
			mode = journal.Try
		}
		err := q.p.j.Append(q.ctx, mode, recs...)
		switch {
		case err == nil:
			return nil
		case mode == journal.Wait && q.ctx.Err() != nil:
			continue
		case mode == journal.Try:
			q.dropped(len(recs))
			if !errors.Is(err, journal.ErrFull) {
				q.p.cfg.Log.Error("datagrams dropped", "error", err)
			}
			return nil
		case stopped && q.p.patience.Err() != nil, errors.Is(err, journal.ErrClosed):
			return q.p.lose(q.name, len(recs), err)
		}
		q.p.cfg.Log.Error("the journal can't be written; senders are held back", "source", q.name, "error", err)
		if stopped {
			sleep(q.p.patience, retryAfter)
		} else {
			sleep(q.ctx, retryAfter)
		}
	}
}

// drain emits what is durable, until the journal is closed and empty. When patience ends the rest stays for the next run.
func (p *push) drain(context.Context) error {
	ctx := p.patience
	r := p.j.Reader(uint64(p.org.cursor.offset))
	defer r.Close()
	defer func() {
		if left := p.j.Next() - uint64(p.org.cursor.offset); left > 0 {
			p.cfg.Log.Info("records stay in the journal for the next run", "records", left)
		}
	}()
	wraps := wrappers{name: p.org.name, by: map[string]*wrapper{}}
	var b event.Batch
	for {
		first, recs, err := r.Read(ctx, readSize)
		next := p.org.cursor
		next.offset = int64(r.Next())
		var d *journal.Damage
		switch {
		case errors.As(err, &d):
			to := int64(d.To)
			if d.Open {
				to = -1
			}
			err = p.em.tell(notice{
				action: "source_gap", source: p.org.name, reason: d.Reason, message: d.Error(),
				from: int64(d.From), to: to, dropped: -1,
			}, &p.org, next)
			if err != nil {
				return err
			}
			continue
		case errors.Is(err, journal.ErrClosed), err != nil && ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		for len(recs) > 0 && ctx.Err() == nil {
			n := min(p.em.limit(), len(recs))
			size := 0
			for i, rec := range recs[:n] {
				size += len(rec)
				if err := p.wrapEntry(&b, &wraps, int64(first)+int64(i), rec); err != nil {
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

// wrappers are those of one journal, by dataset.
type wrappers struct {
	name string
	by   map[string]*wrapper
}

func (w *wrappers) of(dataset []byte) *wrapper {
	x := w.by[string(dataset)]
	if x == nil {
		x = newWrapper(w.name, 0, string(dataset))
		w.by[string(dataset)] = x
	}
	return x
}

// wrapEntry adds the event of a record to b. One that is not of our making is told, and does not stop the others.
func (p *push) wrapEntry(b *event.Batch, w *wrappers, number int64, rec []byte) error {
	e, err := parseEntry(rec)
	switch {
	case err != nil:
		w.of(nil).pushFrom(b, number, rec, nil)
		p.cfg.Counters.Failed(1)
		b.Fail(b.Events[len(b.Events)-1], stageName, "journal_entry", fmt.Sprintf("journal record %d: %v", number, err))
		return nil
	case e.kind == entryNotice:
		b.Push(b.End(append(b.Begin(len(e.record)), e.record...)))
		return nil
	}
	w.of(e.dataset).pushFrom(b, number, e.record, e.addr)
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
