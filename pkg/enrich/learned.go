package enrich

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"leat/internal/durable"
	"leat/internal/snapshot"
	"leat/pkg/enrich/learn"
	"leat/pkg/event"
	"leat/pkg/stage"
	"leat/pkg/state"
)

// learned holds the dimensions that the stream itself teaches, by name. They are read and taught in the order of the
// stream, by one goroutine at a time, whatever the number of workers.
type learned struct {
	tables map[string]*learn.Table
	names  []string
	dir    string // of the snapshots; empty: what was learned is forgotten at the end
	store  *state.Store
	buf    []byte
	saved  time.Time
	took   time.Duration // by the newest snapshot
}

func newLearned(c *Config, opt *Options) (*learned, error) {
	l := &learned{tables: map[string]*learn.Table{}, saved: opt.Now()}
	if opt.State != "" {
		l.dir = filepath.Join(opt.State, "learned")
	}
	var faults []error
	for name, d := range c.Dimensions {
		if d.Learn == nil {
			continue
		}
		t, err := learn.New(d.Learn, learn.Options{Name: name, Now: opt.Now, Metrics: opt.Metrics})
		if err != nil {
			faults = append(faults, c.file.At(c.file.Find("dimensions", name, "learn"), "dimension %q: %v", name, err))
			continue
		}
		l.tables[name] = t
	}
	l.names = slices.Sorted(maps.Keys(l.tables))
	return l, errors.Join(faults...)
}

func (l *learned) none() bool { return len(l.names) == 0 }

// from takes one event in.
func (l *learned) from(e *event.Event, at int64) {
	for _, name := range l.names {
		l.tables[name].Learn(e, at)
	}
}

// ErrNoState says that a marked pipe needs a folder for what is learned.
var ErrNoState = errors.New("a marked pipe needs a folder for learned dimensions; expected --state DIR")

// hello restores what was known at the mark from which the stream goes on.
func (l *learned) hello(h stage.Hello, missingOK bool) error {
	if l.none() {
		return nil
	}
	if l.dir == "" {
		return ErrNoState
	}
	var err error
	if l.store, err = state.Open(l.dir, Name, h.Pipeline); err != nil {
		return err
	}
	snap, err := l.store.Resume(state.Point{Lake: h.Lake, Mark: h.Resume, Run: h.ResumeRun}, missingOK)
	if errors.Is(err, state.ErrMissing) {
		return fmt.Errorf("%w; --state-missing=empty begins anew: what was learned before the mark is forgotten", err)
	}
	if err != nil {
		return err
	}
	bases, err := l.split(snap.Base)
	if err != nil {
		return err
	}
	changes := map[string][][]byte{}
	for _, c := range snap.Changes {
		parts, err := l.split(c)
		if err != nil {
			return err
		}
		for name, part := range parts {
			changes[name] = append(changes[name], part)
		}
	}
	for _, name := range l.names {
		if bases[name] == nil && changes[name] == nil {
			continue
		}
		if err := l.tables[name].Restore(bases[name], changes[name]); err != nil {
			return fmt.Errorf("dimension %q: %w", name, err)
		}
	}
	return nil
}

// mark makes what was learned since the last mark durable.
func (l *learned) mark(m stage.Mark) error {
	if l.store == nil {
		return nil
	}
	l.buf = l.join(l.buf[:0], (*learn.Table).Changes)
	base := func(dst []byte) []byte { return l.join(dst, (*learn.Table).Base) }
	return l.store.Save(state.Mark{N: m.N, Run: m.Run, Since: m.Since}, l.buf, base)
}

// join appends a part of each table: its name and its bytes, each behind its length.
func (l *learned) join(dst []byte, part func(t *learn.Table, dst []byte) []byte) []byte {
	for _, name := range l.names {
		dst = append(binary.AppendUvarint(dst, uint64(len(name))), name...)
		b := part(l.tables[name], nil)
		dst = append(binary.AppendUvarint(dst, uint64(len(b))), b...)
	}
	return dst
}

// split takes apart what join made. Dimensions that are no longer there are left out.
func (l *learned) split(data []byte) (map[string][]byte, error) {
	out := map[string][]byte{}
	for r := snapshot.New(data, learn.ErrSnapshot); len(r.B) > 0; {
		name, part := r.Bytes(), r.Bytes()
		if r.Err != nil {
			return nil, r.Err
		}
		if l.tables[string(name)] != nil {
			out[string(name)] = part
		}
	}
	return out, nil
}

// The snapshot that an unmarked pipe goes on from, and that `enrich lookup` reads, is written this often and at the end; of a
// big table less often, as the stream waits for it.
const (
	learnedEvery = time.Minute
	learnedShare = 50 // the least time between two, as a multiple of what one takes
)

func (l *learned) path(name string) string { return filepath.Join(l.dir, name+".learned") }

// load goes on from what an earlier run left.
func (l *learned) load() error {
	for _, name := range l.names {
		if l.dir == "" {
			break
		}
		data, err := os.ReadFile(l.path(name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err == nil {
			err = l.tables[name].Restore(data, nil)
		}
		if err != nil {
			return fmt.Errorf("learned dimension %q: %w", name, err)
		}
	}
	return nil
}

// save writes the snapshots, at most once in learnedEvery but at the end.
func (l *learned) save(now time.Time, end bool) error {
	if l.none() || l.dir == "" || !end && now.Sub(l.saved) < max(learnedEvery, learnedShare*l.took) {
		return nil
	}
	l.saved = now
	start := time.Now()
	defer func() { l.took = time.Since(start) }()
	if err := os.MkdirAll(l.dir, 0o700); err != nil {
		return fmt.Errorf("save learned dimensions: %w", err)
	}
	for _, name := range l.names {
		if err := durable.WriteFile(l.path(name), l.tables[name].Base(nil)); err != nil {
			return fmt.Errorf("save learned dimension %q: %w", name, err)
		}
		if l.store == nil {
			// Nobody asks for the changes; without this they would pile up.
			l.buf = l.tables[name].Changes(l.buf[:0])
		}
	}
	return nil
}

func (l *learned) close() error {
	if l.store == nil {
		return nil
	}
	return l.store.Close()
}
