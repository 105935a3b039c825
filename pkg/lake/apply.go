package lake

import (
	"errors"
	"fmt"
	"maps"
)

// builder turns entries into the next State. It copies a map of the state that it began with only when an entry changes it.
type builder struct {
	s         State
	own       owned
	positions map[string]bool // pipelines whose positions are ours
}

type owned struct{ pipelines, files, removals, holds, fenced, generations bool }

func newBuilder(from *State) *builder { return &builder{s: *from, positions: map[string]bool{}} }

// state hands the result out; the builder copies again from then on.
func (b *builder) state() *State {
	s := b.s
	b.own, b.positions = owned{}, map[string]bool{}
	return &s
}

func own[K comparable, V any](m *map[K]V, owned *bool) map[K]V {
	if !*owned {
		if *m = maps.Clone(*m); *m == nil {
			*m = map[K]V{}
		}
		*owned = true
	}
	return *m
}

// apply makes entry e, whose bytes have the given hash, the newest.
func (b *builder) apply(e *Entry, hash string) error {
	if e.N != b.s.N+1 {
		return fmt.Errorf("entry says that it is number %d", e.N)
	}
	if e.Prev != b.s.Hash {
		return errors.New("entry does not follow the one before it: its hash is another")
	}
	if err := b.change(e); err != nil {
		return err
	}
	b.s.N, b.s.Hash, b.s.Time = e.N, hash, e.Time
	return nil
}

func (b *builder) change(e *Entry) error {
	switch e.Kind {
	case KindOpen:
		b.open(e)
	case KindCommit:
		b.mark(e)
		b.generation(e)
	case KindFence:
		b.fence(e)
		b.forget(e.Writer)
	case KindHold:
		if e.Hold == nil || e.Hold.Case == "" {
			return errors.New("hold without a case")
		}
		holds := own(&b.s.Holds, &b.own.holds)
		if e.Hold.Released {
			delete(holds, e.Hold.Case)
		} else {
			holds[e.Hold.Case] = *e.Hold
		}
	case KindPurge:
		removals := own(&b.s.Removals, &b.own.removals)
		for _, n := range e.Purged {
			delete(removals, n)
		}
	case KindReplace, KindRemove, KindNote:
	default:
		return fmt.Errorf("kind %q: %w", e.Kind, ErrFormat)
	}
	if err := b.remove(e); err != nil {
		return err
	}
	return b.add(e)
}

func (b *builder) open(e *Entry) {
	p := b.s.Pipelines[e.Pipeline]
	p.Name, p.Epoch, p.Run, p.Open = e.Pipeline, e.Epoch, e.Run, true
	p.Opened, p.Host, p.PID = e.Time, e.Host, e.PID
	own(&b.s.Pipelines, &b.own.pipelines)[e.Pipeline] = p
}

func (b *builder) mark(e *Entry) {
	if e.Pipeline == "" {
		return
	}
	p := b.s.Pipelines[e.Pipeline]
	if len(e.Positions) > 0 {
		mine := b.positions[e.Pipeline]
		positions := own(&p.Positions, &mine)
		b.positions[e.Pipeline] = true
		for source, pos := range e.Positions {
			if pos == "" {
				delete(positions, source)
			} else {
				positions[source] = pos
			}
		}
	}
	p.Mark, p.MarkRun, p.Open = e.Mark, e.Run, !e.End
	own(&b.s.Pipelines, &b.own.pipelines)[e.Pipeline] = p
}

func (b *builder) fence(e *Entry) {
	fenced := own(&b.s.Fenced, &b.own.fenced)
	fenced[e.Writer] = e.N
	if len(fenced) <= maxFenced {
		return
	}
	oldest := e.Writer
	for w, n := range fenced {
		if n < fenced[oldest] {
			oldest = w
		}
	}
	delete(fenced, oldest)
}

func (b *builder) generation(e *Entry) {
	if e.Generation > 0 {
		own(&b.s.Generations, &b.own.generations)[e.Writer] = e.Generation
	}
	for _, w := range e.Ended {
		b.forget(w)
	}
}

func (b *builder) forget(writer string) {
	if _, ok := b.s.Generations[writer]; ok {
		delete(own(&b.s.Generations, &b.own.generations), writer)
	}
}

func (b *builder) remove(e *Entry) error {
	if len(e.Removed) == 0 {
		return nil
	}
	files := own(&b.s.Files, &b.own.files)
	r := Removal{N: e.N, Time: e.Time, Purge: e.Purge, Files: make([]File, 0, len(e.Removed))}
	for _, path := range e.Removed {
		f, ok := files[path]
		if !ok {
			f = File{Path: path}
		}
		r.Files = append(r.Files, f)
		delete(files, path)
	}
	own(&b.s.Removals, &b.own.removals)[e.N] = r
	return nil
}

func (b *builder) add(e *Entry) error {
	if len(e.Added) == 0 {
		return nil
	}
	files := own(&b.s.Files, &b.own.files)
	for _, f := range e.Added {
		if _, ok := files[f.Path]; ok || f.Path == "" {
			return fmt.Errorf("file %q is added twice", f.Path)
		}
		if f.Added = e.N; f.AddedAt == 0 {
			f.AddedAt = e.Time.UnixNano()
		}
		files[f.Path] = f
	}
	return nil
}
