package detect

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"leat/pkg/event"
	"leat/pkg/stage"
	"leat/pkg/state"
)

// memory is where the stage keeps what it remembers, under the marks.
type memory struct {
	store *state.Store
	buf   []byte
}

// Hello restores what was remembered at the mark from which the stream goes on.
func (s *Stage) Hello(h stage.Hello) error {
	s.shared.marked.Store(true)
	if s.cor != nil {
		s.cor.clock.marked = true
	}
	starters := s.set.builtin()
	switch {
	case s.cfg.State == "" && s.cor == nil:
		return nil
	case s.cfg.State == "" && starters:
		// The built-in rules must not make a folder necessary that nobody asked for.
		s.cfg.Log.Warn("the built-in correlations are off: a marked pipe needs a folder for them, --state DIR")
		set := s.set.withoutMemory()
		s.shared.set.Store(set)
		return s.adopt(set)
	case s.cfg.State == "":
		return ErrNoState
	}
	st, err := state.Open(s.cfg.State, "detect", h.Pipeline)
	if err != nil {
		return err
	}
	s.memory.store = st
	// Where nothing is remembered there is nothing to miss, and the built-in correlations may have come with a new version.
	snap, err := st.Resume(state.Point{Lake: h.Lake, Mark: h.Resume, Run: h.ResumeRun}, s.cfg.StateMissing || s.cor == nil || starters)
	if errors.Is(err, state.ErrMissing) {
		return fmt.Errorf("%w; --state-missing=empty begins anew: what correlated before the mark is forgotten", err)
	}
	if err != nil || s.cor == nil {
		return err
	}
	return s.cor.restore(snap.Base, snap.Changes)
}

// Mark makes what has changed since the last mark durable, and takes in rules that were reloaded.
func (s *Stage) Mark(m stage.Mark) error {
	var changes []byte
	if s.cor != nil {
		s.cor.clock.marks(m.Time)
		s.memory.buf = s.cor.changes(s.memory.buf[:0])
		changes = s.memory.buf
	}
	if s.memory.store != nil {
		base := func(dst []byte) []byte {
			if s.cor == nil {
				return dst
			}
			return s.cor.base(dst)
		}
		if err := s.memory.store.Save(state.Mark{N: m.N, Run: m.Run, Since: m.Since}, changes, base); err != nil {
			return err
		}
	}
	if set := s.shared.set.Load(); set != s.set {
		if err := s.adopt(set); err != nil {
			return err
		}
		if s.cor != nil {
			s.cor.clock.marked = true
		}
	}
	return nil
}

// Flush raises what has come to its end without an event. In an unmarked pipe it is called at the end of input, where every
// window ends; in a marked one the stream goes on some day, and windows stay open.
func (s *Stage) Flush(b *event.Batch) error {
	if s.cor != nil {
		s.cor.flush(b, !s.shared.marked.Load())
	}
	return nil
}

// Tick lets the time of an unmarked pipe go on.
func (s *Stage) Tick(now time.Time) error {
	if s.cor != nil {
		s.cor.clock.ticks(now)
	}
	return nil
}

// Release raises what has come to its end while nothing comes in. In a marked pipe that waits for the next mark, so that a replay
// gives the same.
func (s *Stage) Release(b *event.Batch) error {
	if s.cor != nil && !s.shared.marked.Load() {
		s.cor.flush(b, false)
		s.cor.gauge(*s.shared.gauges.Load())
	}
	return nil
}

// Close lets go of the state and of the files that are watched; it saves nothing.
func (s *Stage) Close() error {
	if s.watcher != nil {
		s.watcher.close()
	}
	if s.memory.store == nil {
		return nil
	}
	return s.memory.store.Close()
}

// A snapshot is the clock's part, with its length before it, and the engine's.
const clockFormat = 1

var errSnapshot = errors.New("detect: damaged snapshot")

func (c *correlator) appendClock(dst []byte) []byte {
	part := []byte{clockFormat, 0}
	if c.clock.timed {
		part[1] = 1
	}
	part = binary.AppendVarint(part, c.clock.mark)
	part = binary.AppendVarint(part, c.clock.idle)
	return append(binary.AppendUvarint(dst, uint64(len(part))), part...)
}

func (c *correlator) changes(dst []byte) []byte { return c.eng.AppendChanges(c.appendClock(dst)) }

func (c *correlator) base(dst []byte) []byte { return c.eng.AppendBase(c.appendClock(dst)) }

func (c *correlator) restore(base []byte, changes [][]byte) error {
	var rest [][]byte
	for _, data := range append([][]byte{base}, changes...) {
		part, err := c.takeClock(data)
		if err != nil {
			return err
		}
		rest = append(rest, part)
	}
	err := c.eng.Restore(rest[0], rest[1:]...)
	if n := c.eng.Passed(); n > 0 {
		c.log.Warn("groups of correlations that are gone or have changed are forgotten", "groups", n)
	}
	return err
}

// takeClock reads the clock's part of a snapshot and returns the engine's.
func (c *correlator) takeClock(data []byte) ([]byte, error) {
	if len(data) == 0 {
		return nil, nil
	}
	size, n := binary.Uvarint(data)
	if n <= 0 || size < 4 || size > uint64(len(data)-n) {
		return nil, errSnapshot
	}
	part, rest := data[n:n+int(size)], data[n+int(size):]
	if part[0] != clockFormat {
		return nil, fmt.Errorf("%w: format %d", errSnapshot, part[0])
	}
	mark, k := binary.Varint(part[2:])
	if k <= 0 {
		return nil, errSnapshot
	}
	idle, j := binary.Varint(part[2+k:])
	if j <= 0 {
		return nil, errSnapshot
	}
	c.clock.timed, c.clock.mark, c.clock.idle = part[1] == 1, mark, idle
	return rest, nil
}
