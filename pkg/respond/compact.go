package respond

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"leat/internal/durable"
)

const (
	// compactAbove is the size of a journal, in bytes, from which opening it writes it anew without what is old.
	compactAbove = 4 << 20
	// keepFull is how long an action that has ended stays in full, so that its steps can be told again.
	keepFull = 7 * 24 * time.Hour
)

// compact replaces a large journal by one that holds only the key of what ended long ago. Keys are kept for ever: an alert
// from last year that is replayed must find its action done.
func (l *ledger) compact(now time.Time) error {
	info, err := l.file.Stat()
	if err != nil {
		return fmt.Errorf("look at journal: %w", err)
	}
	if info.Size() < compactAbove {
		return nil
	}
	limit := now.Add(-keepFull)
	base := l.base(limit)
	old := func(seq uint64) bool { return len(l.marks) == 0 || seq <= base.outcomes }
	tmp, err := os.OpenFile(l.path()+".new", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("write journal anew: %w", err)
	}
	var kept int64
	write := func(r *record) error {
		line, err := appendRecord(nil, r)
		if err == nil {
			_, err = tmp.Write(line)
		}
		kept += int64(len(line))
		return err
	}
	err = l.rewrite(limit, base, old, write)
	if err = errors.Join(err, tmp.Sync()); err == nil {
		err = errors.Join(os.Rename(l.path()+".new", l.path()), durable.SyncDir(l.dir))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write journal anew: %w", err), tmp.Close())
	}
	_ = l.file.Close()
	l.file = tmp
	return nil
}

// base is the newest mark that passed before limit: nothing goes back behind it any more.
func (l *ledger) base(limit time.Time) (base told) {
	for _, m := range l.marks {
		if m.at < limit.UnixNano() {
			base = m
		}
	}
	return base
}

// rewrite copies what the new journal holds: records as they were, but of old actions that have ended their keys.
func (l *ledger) rewrite(limit time.Time, base told, old func(uint64) bool, write func(*record) error) error {
	if _, err := l.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	gone := func(key string) bool {
		e := l.entries[key]
		return e != nil && e.outcome != "" && e.ended.Before(limit) && old(e.seq)
	}
	_, err := readRecords(l.file, func(r *record) error {
		switch r.Type {
		case recIntent:
			if gone(r.Job.Key) {
				return write(&record{Type: recKey, Key: r.Job.Key, Seq: r.Seq, At: r.At, Scope: scopeOf(r.Job.Play, r.Job.Action), Notify: r.Notify})
			}
			if e := l.entries[r.Job.Key]; e != nil && e.outcome != "" {
				r.Alert = nil // only an open intent needs it
			}
		case recOutcome:
			if gone(r.Key) {
				return nil
			}
		case recMark:
			if r.Mark < base.mark {
				return nil
			}
		}
		return write(r)
	})
	if err != nil {
		return err
	}
	for key := range l.entries {
		if gone(key) {
			l.settle(key)
		}
	}
	return nil
}
