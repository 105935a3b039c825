package stage

import (
	"context"
	"errors"
	"time"

	"leat/pkg/event"
)

// Stage is one step of a pipe. Process looks at the batch's events in order, edits them in place, drops some
// (Event.Drop) and adds others (Batch.After). It must not keep any event, or bytes of one, after it returns.
// It is called by one goroutine at a time.
//
// An event that can't be handled is no error: the stage calls Batch.Fail and goes on. Events that failed before
// (event.kind: pipeline_error, see Passes) are to be left as they are. An error from Process ends the process.
type Stage interface {
	Process(b *event.Batch) error
}

// Marker is a Stage or Sink with state that must agree with the lake. Hello is called once, before the first batch, with
// the mark to restore (Hello.Resume; 0 = begin empty). Mark is called when every event before the mark was processed: the
// stage makes the changes since the last mark durable under m.N before it returns.
// In an unmarked pipe neither is called.
type Marker interface {
	Hello(h Hello) error
	Mark(m Mark) error
}

// Flusher is a Stage that holds events back (joins, windows) or has ones of its own to tell. Flush is called before each
// mark and at the end of input, with an empty batch to which the stage may push events.
type Flusher interface {
	Flush(b *event.Batch) error
}

// Ticker is a Stage or Sink that must act while nothing comes in. Tick is called about every second.
type Ticker interface {
	Tick(now time.Time) error
}

// Releaser is a Ticker with events of its own to tell as time goes on, while nothing comes in. Release is called right after
// each Tick, between two batches and never within one, with an empty batch to which the stage may push events; they go on through
// the stages behind it, and reach the output before whatever comes next. In a marked pipe a replay must give the same events between the
// same marks: a stage releases there by Flush alone.
type Releaser interface {
	Ticker
	Release(b *event.Batch) error
}

// Cloner is a Stage without state between events; clones may run side by side (--workers).
type Cloner interface {
	Clone() Stage
}

// Sink takes what a source or the stage before it has produced, in order. Batch's events are the caller's again when it
// returns. Close tells the end of input; a Sink that saw a hello and no mark with End must treat what came after the
// last mark as not having come. Close is called once, also after an error.
type Sink interface {
	Marker
	Batch(b *event.Batch) error
	Close() error
}

// Source produces batches and marks until ctx is done or its input ends. It returns nil at the end of input.
type Source interface {
	Run(ctx context.Context, sink Sink) error
}

// ErrClosed says that the reader of our output has gone: a reason to exit quietly.
var ErrClosed = errors.New("output closed by its reader")

// ErrTail says that the input ended without the end of its marked stream: what came after the last mark is not
// committed, and comes again on the next --resume. Commands exit with 3.
var ErrTail = errors.New("input ended without its final mark; what came after the last mark was discarded and will come again")

var kindPath = event.MustPath("event.kind")

// Passes tells whether e is none of a stage's business: it failed to parse, or it is a pipeline_error.
// It parses e where that was not done.
func Passes(e *event.Event) bool {
	return e.Failed() || e.Parse() != nil || e.Get(kindPath).Is(event.KindError)
}

// Reloader is a Stage that can take its configuration anew (SIGHUP). Reload returns at once; what was loaded and checked
// replaces the old at the next mark, or between two batches of an unmarked pipe, and where loading fails the old stays.
type Reloader interface {
	Reload()
}
