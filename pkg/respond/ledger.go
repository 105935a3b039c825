package respond

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"leat/internal/durable"
	"leat/pkg/stage"
)

// ErrHeld says that another process uses the journal.
var ErrHeld = errors.New("the journal is in use by another process")

// entry is an action from its intent on.
type entry struct {
	seq     uint64
	job     job
	notify  bool
	halt    string // of a halt, which has no action: its scope
	isHalt  bool
	alert   []byte // until it has ended
	at      time.Time
	ended   time.Time
	outcome string // stepDone, stepFailed, stepWithheld, stepHalted; "" = not ended
	reason  string

	requestTold bool
	done        chan struct{} // closed when it has ended; nil where it had before this process
}

// told is how far the steps had been told on the stream when a mark passed.
type told struct {
	mark               int64
	at                 int64
	requests, outcomes uint64
}

// ledger is the journal and what is known from it. Its methods may be called side by side.
type ledger struct {
	dir  string
	lock *os.File

	mu      sync.Mutex
	file    *os.File
	broken  error // after a failed write nothing more is written, and nothing is acted on
	seq     uint64
	entries map[string]*entry     // ended or not, not told yet in this process
	settled map[[16]byte]struct{} // keys of what needs nothing but not being repeated
	marks   []told
	hello   *record
	started []record // intents and keys that may count for a budget
	halts   map[string]string
	buf     []byte
}

// openLedger locks and reads the journal of a pipeline in the folder state.
func openLedger(state, pipeline string, now time.Time) (*ledger, error) {
	if !goodName(pipeline) || pipeline[0] == '.' {
		return nil, fmt.Errorf("pipeline name %q can't be a folder's", pipeline)
	}
	l := &ledger{dir: filepath.Join(state, "respond", pipeline), entries: map[string]*entry{}, settled: map[[16]byte]struct{}{}, halts: map[string]string{}}
	if err := os.MkdirAll(l.dir, 0o700); err != nil {
		return nil, fmt.Errorf("make journal folder: %w", err)
	}
	var err error
	if l.lock, err = os.OpenFile(filepath.Join(l.dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, fmt.Errorf("open journal lock: %w", err)
	}
	if err := syscall.Flock(int(l.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = l.lock.Close()
		return nil, fmt.Errorf("%w: %s", ErrHeld, l.dir)
	}
	if err := l.load(); err != nil {
		return nil, errors.Join(err, l.close())
	}
	if err := l.compact(now); err != nil {
		return nil, errors.Join(err, l.close())
	}
	return l, nil
}

func (l *ledger) path() string { return filepath.Join(l.dir, "journal") }

func (l *ledger) load() error {
	f, err := os.OpenFile(l.path(), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("open journal: %w", err)
	}
	l.file = f
	if err := durable.SyncDir(l.dir); err != nil {
		return err
	}
	good, err := readRecords(f, l.replay)
	if err != nil {
		var damage *DamageError
		if errors.As(err, &damage) {
			damage.Path = l.path()
		}
		return err
	}
	// The torn end goes before anything is appended to it.
	if err := f.Truncate(good); err != nil {
		return fmt.Errorf("cut journal: %w", err)
	}
	if _, err := f.Seek(good, io.SeekStart); err != nil {
		return fmt.Errorf("seek journal: %w", err)
	}
	return f.Sync()
}

// replay takes a record into memory.
func (l *ledger) replay(r *record) error {
	l.seq = max(l.seq, r.Seq)
	switch r.Type {
	case recIntent:
		l.entries[r.Job.Key] = &entry{seq: r.Seq, job: *r.Job, notify: r.Notify, alert: r.Alert, at: r.time()}
		l.started = append(l.started, record{Scope: scopeOf(r.Job.Play, r.Job.Action), At: r.At, Notify: r.Notify})
	case recOutcome:
		if e := l.entries[r.Key]; e != nil {
			e.outcome, e.reason, e.ended, e.alert = r.Step, r.Reason, r.time(), nil
		}
	case recHalt:
		e := &entry{seq: r.Seq, isHalt: true, halt: r.Scope, outcome: stepHalted, reason: r.Reason, at: r.time(), ended: r.time()}
		if r.Job != nil {
			e.job = *r.Job
		}
		l.entries[e.job.Key] = e
		l.halts[r.Scope] = r.Reason
	case recLift:
		clear(l.halts)
	case recHello:
		l.hello = r
		l.marks = slices.DeleteFunc(l.marks, func(t told) bool { return t.mark > r.Mark })
	case recMark:
		l.marks = append(l.marks, told{r.Mark, r.At, r.Requests, r.Outcomes})
	case recKey:
		l.settle(r.Key)
		l.started = append(l.started, record{Scope: r.Scope, At: r.At, Notify: r.Notify})
	}
	return nil
}

func keyBytes(key string) (k [16]byte) {
	// A key that is no hash can't be in a sound journal; it would collide with nothing that is looked up.
	_, _ = hex.Decode(k[:], []byte(key[:min(len(key), 32)]))
	return k
}

func (l *ledger) settle(key string) {
	delete(l.entries, key)
	l.settled[keyBytes(key)] = struct{}{}
}

// known tells whether the key was begun before, and its entry where it is still needed.
func (l *ledger) known(key string) (*entry, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.entries[key]; e != nil {
		return e, true
	}
	_, ok := l.settled[keyBytes(key)]
	return nil, ok
}

// begin makes intents durable. Only after it returned nil may the actions be run; else they must not be.
func (l *ledger) begin(entries []*entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var records []record
	for _, e := range entries {
		l.seq++
		e.seq = l.seq
		r := record{Type: recIntent, Seq: e.seq, At: e.at.UnixNano(), Job: &e.job, Notify: e.notify, Alert: e.alert}
		if e.isHalt {
			r = record{Type: recHalt, Seq: e.seq, At: e.at.UnixNano(), Job: &e.job, Scope: e.halt, Reason: e.reason}
		}
		records = append(records, r)
	}
	if err := l.append(records...); err != nil {
		return err
	}
	for _, e := range entries {
		l.entries[e.job.Key] = e
	}
	return nil
}

// finish notes how an action ended. An error leaves the intent open: the action will be repeated with its key.
func (l *ledger) finish(e *entry, outcome, reason string, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.outcome, e.reason, e.ended, e.alert = outcome, reason, now, nil
	return l.append(record{Type: recOutcome, Seq: e.seq, At: now.UnixNano(), Key: e.job.Key, Step: outcome, Reason: reason})
}

// append writes records and fsyncs. After an error nobody knows what is on the disk, so it stays broken.
func (l *ledger) append(records ...record) error {
	if l.broken != nil {
		return l.broken
	}
	l.buf = l.buf[:0]
	var err error
	for i := range records {
		if l.buf, err = appendRecord(l.buf, &records[i]); err != nil {
			return err
		}
	}
	if _, err = l.file.Write(l.buf); err == nil {
		err = l.file.Sync()
	}
	if err != nil {
		l.broken = fmt.Errorf("write journal: %w", err)
	}
	return l.broken
}

// sick returns why nothing can be journaled any more, or nil.
func (l *ledger) sick() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.broken
}

// ErrOtherLake says that a journal belongs to another lake or pipeline.
var ErrOtherLake = errors.New("the journal belongs to another lake")

// ErrNoState says that a pipe goes on at a mark of which the journal knows nothing.
var ErrNoState = errors.New("no journal for the mark at which the stream goes on: actions behind it may have been done already")

// resume restores what had been told at the committed mark of h, and settles what that covers.
func (l *ledger) resume(h stage.Hello, missingOK bool, now time.Time) (told, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.hello != nil && (l.hello.Lake != h.Lake || l.hello.Pipeline != h.Pipeline) {
		return told{}, fmt.Errorf("%w: %s/%s, not %s/%s; give another --state", ErrOtherLake, l.hello.Lake, l.hello.Pipeline, h.Lake, h.Pipeline)
	}
	var t told
	found := h.Resume == 0
	for _, m := range l.marks {
		if m.mark <= h.Resume && h.Resume > 0 {
			t, found = m, true
		}
	}
	if !found && !missingOK {
		return told{}, fmt.Errorf("%w (mark %d); --state-missing=empty begins anew", ErrNoState, h.Resume)
	}
	l.marks = slices.DeleteFunc(l.marks, func(m told) bool { return m.mark > h.Resume })
	rec := record{Type: recHello, At: now.UnixNano(), Lake: h.Lake, Pipeline: h.Pipeline, Mark: h.Resume}
	l.hello = &rec
	for key, e := range l.entries {
		if e.outcome != "" && e.seq <= t.outcomes {
			l.settle(key)
		}
	}
	return t, l.append(rec)
}

// mark notes how far the steps were told before mark n.
func (l *ledger) mark(n int64, requests, outcomes uint64, now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if k := len(l.marks); k > 0 && l.marks[k-1].requests == requests && l.marks[k-1].outcomes == outcomes {
		return nil // an older mark says the same
	}
	l.marks = append(l.marks, told{n, now.UnixNano(), requests, outcomes})
	return l.append(record{Type: recMark, At: now.UnixNano(), Mark: n, Requests: requests, Outcomes: outcomes})
}

// lift ends all halts.
func (l *ledger) lift(now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.halts) == 0 {
		return nil
	}
	clear(l.halts)
	return l.append(record{Type: recLift, At: now.UnixNano()})
}

// unsettled returns the entries in the order of their numbers.
func (l *ledger) unsettled() []*entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []*entry
	for _, e := range l.entries {
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b *entry) int { return int(int64(a.seq) - int64(b.seq)) })
	return out
}

// forget keeps of an entry whose steps were told only that it must not be repeated.
func (l *ledger) forget(e *entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.settle(e.job.Key)
}

func (l *ledger) close() error {
	var err error
	if l.file != nil {
		err = l.file.Close()
	}
	return errors.Join(err, l.lock.Close())
}
