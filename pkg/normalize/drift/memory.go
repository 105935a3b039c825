package drift

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"leat/pkg/stage"
	"leat/pkg/state"
)

// saved is a dataset as the state has it: one JSON object a line, of which the last of a name counts.
type saved struct {
	Name       string
	Events     uint64
	Told       int
	Suppressed uint64
	Full       bool
	Fields     []savedField
}

type savedField struct {
	Hash   uint64 `json:"h"`
	Name   string `json:"n"`
	Kinds  uint16 `json:"k"`
	Seen   uint32 `json:"s,omitempty"`
	Before uint32 `json:"b,omitempty"`
	Last   uint64 `json:"l"`
	Gone   bool   `json:"g,omitempty"`
}

// Hello restores what was known at the mark from which the stream goes on, where there is a folder for it.
func (s *Stage) Hello(h stage.Hello) error {
	if s.cfg.State == "" {
		return nil
	}
	st, err := state.Open(s.cfg.State, "drift", h.Pipeline)
	if err != nil {
		return err
	}
	s.store = st
	snap, err := st.Resume(state.Point{Lake: h.Lake, Mark: h.Resume, Run: h.ResumeRun}, s.cfg.StateMissing)
	if errors.Is(err, state.ErrMissing) {
		return fmt.Errorf("%w; --state-missing=empty begins anew: the fields of every dataset are learned again", err)
	}
	if err != nil {
		return err
	}
	s.sets, s.total = map[string]*dataset{}, 0
	for _, part := range append([][]byte{snap.Base}, snap.Changes...) {
		if err := s.restore(part); err != nil {
			return err
		}
	}
	return nil
}

func (s *Stage) restore(data []byte) error {
	for len(data) > 0 {
		line := data
		if i := slices.Index(data, '\n'); i >= 0 {
			line, data = data[:i], data[i+1:]
		} else {
			data = nil
		}
		var in saved
		if err := json.Unmarshal(line, &in); err != nil {
			return fmt.Errorf("restore the fields of datasets: %w", err)
		}
		if old := s.sets[in.Name]; old != nil {
			s.total -= len(old.list)
		}
		d := &dataset{name: in.Name, fields: make(map[uint64]int32, len(in.Fields)), events: in.Events, told: in.Told, suppressed: in.Suppressed, full: in.Full}
		for i, f := range in.Fields {
			d.fields[f.Hash] = int32(i)
			d.list = append(d.list, field{f.Hash, f.Name, f.Kinds, f.Seen, f.Before, f.Last, f.Gone})
		}
		s.sets[d.name] = d
		s.total += len(d.list)
	}
	return nil
}

// Mark makes what was learned since the last mark durable.
func (s *Stage) Mark(m stage.Mark) error {
	if s.store == nil {
		return nil
	}
	changes := s.append(nil, func(d *dataset) bool { return d.changed })
	for _, d := range s.sets {
		d.changed = false
	}
	base := func(dst []byte) []byte { return s.append(dst, func(*dataset) bool { return true }) }
	return s.store.Save(state.Mark{N: m.N, Run: m.Run, Since: m.Since}, changes, base)
}

// append appends the datasets that are wanted.
func (s *Stage) append(dst []byte, wanted func(*dataset) bool) []byte {
	for _, name := range slices.Sorted(maps.Keys(s.sets)) {
		d := s.sets[name]
		if !wanted(d) {
			continue
		}
		out := saved{Name: d.name, Events: d.events, Told: d.told, Suppressed: d.suppressed, Full: d.full}
		for _, f := range d.list {
			out.Fields = append(out.Fields, savedField{f.hash, f.name, f.kinds, f.seen, f.before, f.last, f.gone})
		}
		line, err := json.Marshal(out)
		if err != nil {
			panic(err) // plain data
		}
		dst = append(append(dst, line...), '\n')
	}
	return dst
}

// Close lets go of the state; it saves nothing.
func (s *Stage) Close() error {
	if s.store == nil {
		return nil
	}
	return s.store.Close()
}
