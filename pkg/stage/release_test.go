package stage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"leat/pkg/event"
)

// timer holds each event back until a tick, or the end.
type timer struct {
	holder
	due bool
}

func (h *timer) Tick(time.Time) error { h.due = true; return nil }

func (h *timer) Release(b *event.Batch) error {
	if !h.due {
		return errors.New("released without a tick")
	}
	h.due = false
	return h.Flush(b)
}

// TestRelease: what a tick releases goes through the stages behind, once, and before what comes next.
func TestRelease(t *testing.T) {
	r := &record{}
	c := NewChain(r, &upper{}, &timer{}, &upper{})
	send := func(lines ...string) {
		var b event.Batch
		for _, l := range lines {
			if err := b.Push([]byte(l)).Parse(); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Batch(&b); err != nil {
			t.Fatal(err)
		}
	}
	tick := func() {
		if err := c.Tick(time.Time{}); err != nil {
			t.Fatal(err)
		}
		r.got = append(r.got, "tick")
	}
	send(`{"n":1}`, `{"n":5}`)
	tick()
	tick()
	send(`{"n":2}`)
	if err := c.Mark(Mark{N: 1}); err != nil {
		t.Fatal(err)
	}
	tick()
	send(`{"n":3}`)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	want := `{"n":1}|{"n":5}|{"after":5}|{"after":0}|tick|tick|{"n":2}|mark 1  false|tick|{"n":3}`
	if got := strings.Join(r.got, "|"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// told is a Sink that passes on what it got.
type told struct {
	record
	lines chan string
	err   error
}

func (s *told) Batch(b *event.Batch) error {
	if s.err != nil {
		return s.err
	}
	for _, e := range b.Events {
		s.lines <- string(e.Append(nil))
	}
	return nil
}

// idlePipe is the reading end of a pipe in which one line stands, and which stays open.
func idlePipe(t *testing.T) (rd, wr *os.File) {
	t.Helper()
	rd, wr, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rd.Close(); wr.Close() })
	if _, err := io.WriteString(wr, "{\"n\":1}\n"); err != nil {
		t.Fatal(err)
	}
	return rd, wr
}

func TestReleaseInAnIdlePipe(t *testing.T) {
	rd, wr := idlePipe(t)
	sink := &told{lines: make(chan string, 9)}
	done := make(chan error)
	go func() { done <- Pump(context.Background(), &Lines{In: rd}, NewChain(sink, &timer{})) }()
	if got := <-sink.lines; got != `{"n":1}` {
		t.Errorf("released %s", got)
	}
	wr.Close()
	if err := <-done; err != nil || len(sink.lines) > 0 {
		t.Errorf("%v, and %d more", err, len(sink.lines))
	}
}

// A sink that fails at a release ends the run, though nothing comes in.
func TestReleaseFails(t *testing.T) {
	rd, _ := idlePipe(t)
	want := fmt.Errorf("reader: %w", ErrClosed)
	if err := Pump(context.Background(), &Lines{In: rd}, NewChain(&told{err: want}, &timer{})); !errors.Is(err, ErrClosed) {
		t.Errorf("ended with %v", err)
	}
}
