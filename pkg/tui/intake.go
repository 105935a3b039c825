package tui

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"leat/pkg/event"
	"leat/pkg/stage"
)

const (
	// maxWaiting is how many alerts may wait for the next frame; of more the oldest are left out of the view.
	maxWaiting = 20_000
	// maxKeep is the longest line that the view takes, in bytes; longer ones are counted as left out.
	maxKeep = 1 << 20
)

// intake reads lines and holds the alerts among them until the screen takes them. It never waits for the screen.
type intake struct {
	all bool      // take every event, not only alerts
	tee io.Writer // gets every byte; may be nil

	counters *stage.Counters // may be nil

	mu      sync.Mutex
	waiting []*row
	stats   counts
	steps   []*row // respond's steps about alerts
	ended   bool
	err     error
}

// counts are totals since the start.
type counts struct {
	lines, alerts, bad, left uint64
}

// read takes lines from in until its end. What can't be passed on (tee) is an error; what can't be shown is counted.
func (in *intake) read(ctx context.Context, r io.Reader) error {
	if in.tee != nil {
		// Block by block, before anything is looked at: also control lines and what is no JSON.
		r = io.TeeReader(r, in.tee)
	}
	br := bufio.NewReaderSize(r, 256<<10)
	var long []byte
	var skipped bool
	slots := make([]event.Value, rowFields.Len())
	var e event.Event
	// What is passed on is read to its end, whoever has stopped looking.
	for in.tee != nil || ctx.Err() == nil {
		part, err := br.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			if skipped = skipped || len(long)+len(part) > maxKeep; skipped {
				long = long[:0]
			} else {
				long = append(long, part...)
			}
			continue
		case skipped || len(long)+len(part) > maxKeep:
			in.mu.Lock()
			in.stats.lines++
			in.stats.left++
			in.mu.Unlock()
			skipped, long = false, nil
		default:
			line := part
			if len(long) > 0 {
				line = append(long, part...)
			}
			in.take(bytes.TrimSpace(line), &e, slots)
			long = nil
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// take looks at one line.
func (in *intake) take(line []byte, e *event.Event, slots []event.Value) {
	if len(line) == 0 || bytes.HasPrefix(line, []byte(`{"@leat"`)) {
		return
	}
	var r *row
	e.Reset(line)
	bad := e.Parse() != nil
	if !bad {
		rowFields.Read(e, slots)
		step := slots[fRespondAlert].Kind == event.String
		if in.all || step || slots[fKind].Is("alert") {
			r = newRow(slots, bytes.Clone(line))
		}
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.stats.lines++
	in.counters.Read(1, len(line)+1)
	if bad {
		in.stats.bad++
		in.counters.Failed(1)
	}
	if r == nil {
		return
	}
	if r.isAlert {
		in.stats.alerts++
	} else if !in.all {
		in.steps = append(in.steps, r)
		if len(in.steps) > maxWaiting {
			in.steps = append(in.steps[:0], in.steps[maxWaiting/2:]...)
		}
		return
	}
	if len(in.waiting) >= maxWaiting {
		n := maxWaiting / 10
		in.stats.left += uint64(n)
		in.waiting = append(in.waiting[:0], in.waiting[n:]...)
	}
	in.waiting = append(in.waiting, r)
}

// arrival is what came since the last frame.
type arrival struct {
	rows  []*row
	steps []*row
	stats counts
	ended bool
	err   error
	now   time.Time
}

// drain hands over what waits.
func (in *intake) drain(now time.Time) arrival {
	in.mu.Lock()
	defer in.mu.Unlock()
	a := arrival{rows: in.waiting, steps: in.steps, stats: in.stats, ended: in.ended, err: in.err, now: now}
	in.waiting, in.steps = nil, nil
	return a
}

// result is the error that reading ended with, if it has.
func (in *intake) result() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.err
}

// end notes that nothing more will come.
func (in *intake) end(err error) {
	in.mu.Lock()
	in.ended, in.err = true, err
	in.mu.Unlock()
}
