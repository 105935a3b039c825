package normalizecmd

import (
	"testing"
	"time"

	"leat/pkg/event"
	"leat/pkg/stage"
)

// holder holds every event until it is flushed or released.
type holder struct{ held []string }

func (h *holder) Process(b *event.Batch) error {
	for _, e := range b.Events {
		h.held = append(h.held, string(e.Append(nil)))
		e.Drop()
	}
	return nil
}

func (h *holder) Flush(b *event.Batch) error {
	for _, l := range h.held {
		b.Push([]byte(l))
	}
	h.held = nil
	return nil
}

func (h *holder) Tick(time.Time) error         { return nil }
func (h *holder) Release(b *event.Batch) error { return h.Flush(b) }

// seen notes what comes by.
type seen struct{ lines []string }

func (s *seen) Process(b *event.Batch) error {
	for _, e := range b.Events {
		s.lines = append(s.lines, string(e.Append(nil)))
	}
	return nil
}

func TestStepsGiveWhatOneHeldToThoseBehindIt(t *testing.T) {
	for _, how := range []string{"flush", "release"} {
		behind := &seen{}
		s := link(1, &holder{}, behind).(steps)
		var b, own event.Batch
		b.Push([]byte(`{"a":1}`))
		if err := s.Process(&b); err != nil || len(behind.lines) != 0 {
			t.Fatalf("%v, %v went by", err, behind.lines)
		}
		give := stage.Flusher.Flush
		if how == "release" {
			give = func(f stage.Flusher, b *event.Batch) error { return f.(stage.Releaser).Release(b) }
		}
		if err := give(s, &own); err != nil {
			t.Fatal(err)
		}
		if len(behind.lines) != 1 || len(own.Events) != 1 {
			t.Errorf("%s: %v went by, %d go on", how, behind.lines, len(own.Events))
		}
	}
}
