package stage

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"time"

	"leat/pkg/event"
)

const (
	// readSize is how much of the input is held at first.
	readSize = 256 << 10
	// blockSize is what one read takes at most; what is there is processed and written at once, so that queue depth, and
	// with it latency, stays small. A pipe gives no more, and of a file no more should be taken: the block, its events and what is
	// written of them stay in the core's own cache.
	blockSize = 64 << 10
	// DefaultMaxLine is the longest line that becomes an event; longer ones are spooled.
	DefaultMaxLine = 16 << 20
)

// Lines is the Source that reads NDJSON, and marks, from a pipe or file. Every line is checked once: one that is not a
// JSON object goes on as a pipeline_error that keeps it (with Raw it goes on as it is). Blank lines are skipped.
type Lines struct {
	In    io.Reader
	Stage string // name for pipeline_error and logs
	// Raw leaves lines unparsed: the first stage takes any text.
	Raw bool
	// MaxLine is the longest line in bytes (0 = DefaultMaxLine); longer ones are written to the folder Spool
	// (empty = a folder under the system's temporary one) and go on as a pipeline_error that names the file.
	MaxLine  int
	Spool    string
	Counters *Counters
	Log      *slog.Logger

	mu      sync.Mutex // guards sink against Tick
	tickErr error      // what ended the ticks; guarded by mu
	batch   event.Batch
	sink    Sink
	begun   bool // a line was seen
	hello   *Hello
	last    int64
	ended   bool
}

// Run reads until the end of input or until ctx is done.
func (l *Lines) Run(ctx context.Context, sink Sink) error {
	l.sink = sink
	if l.MaxLine == 0 {
		l.MaxLine = DefaultMaxLine
	}
	if l.Log == nil {
		l.Log = slog.New(slog.DiscardHandler)
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	defer wg.Wait()
	defer close(stop)
	if f, ok := l.In.(*os.File); ok {
		wg.Go(func() {
			select {
			case <-ctx.Done():
				// Works on what the runtime polls; a blocking terminal or pipe ends with the process.
				_ = f.SetReadDeadline(time.Unix(1, 0))
			case <-stop:
			}
		})
	}
	if wantsTicks(sink) {
		wg.Go(func() { l.ticks(stop) })
	}
	err := l.read(ctx)
	if terr := l.ticked(); terr != nil {
		err = terr
	}
	if err == nil && l.hello != nil && !l.ended {
		return ErrTail
	}
	return err
}

// ticks passes the time on until stop is closed. Where that fails, reading ends too.
func (l *Lines) ticks(stop <-chan struct{}) {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	for {
		select {
		case <-stop:
			return
		case now := <-t.C:
			if l.tick(now) == nil {
				continue
			}
			if f, ok := l.In.(*os.File); ok {
				_ = f.SetReadDeadline(time.Unix(1, 0))
			}
			return
		}
	}
}

func (l *Lines) tick(now time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tickErr = l.sink.(Ticker).Tick(now)
	return l.tickErr
}

// ticked returns what ended the ticks.
func (l *Lines) ticked() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.tickErr
}

func (l *Lines) read(ctx context.Context) error {
	buf := make([]byte, readSize)
	n := 0 // bytes of an unfinished line at the front of buf
	for {
		if n == len(buf) {
			if n > l.MaxLine {
				rest, err := l.spoolRest(buf[:n])
				if err != nil {
					return err
				}
				if buf = make([]byte, max(readSize, 2*len(rest))); rest != nil {
					n = copy(buf, rest)
					continue
				}
				return nil
			}
			buf = append(buf, make([]byte, min(len(buf), l.MaxLine+readSize-len(buf)))...)
		}
		k, err := l.In.Read(buf[n:min(len(buf), n+blockSize)])
		if k > 0 {
			end := bytes.LastIndexByte(buf[n:n+k], '\n')
			if end < 0 {
				n += k
			} else {
				end += n + 1
				if perr := l.take(buf[:end]); perr != nil {
					return perr
				}
				n = copy(buf, buf[end:n+k])
				if len(buf) > 4*readSize && n < readSize {
					buf = append(make([]byte, 0, readSize), buf[:n]...)[:readSize]
				}
			}
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			return l.finish(buf[:n])
		case ctx.Err() != nil:
			return context.Cause(ctx)
		default:
			return fmt.Errorf("read input: %w", err)
		}
	}
}

// finish handles a last line without a line feed. In a marked stream that is a torn line and will come again.
func (l *Lines) finish(rest []byte) error {
	if len(rest) == 0 {
		return nil
	}
	if l.hello != nil {
		l.Log.Warn("input ends within a line", "bytes", len(rest))
		return nil
	}
	return l.take(append(rest, '\n'))
}

// take processes whole lines.
func (l *Lines) take(block []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.tickErr != nil {
		return l.tickErr
	}
	start := time.Now()
	size := len(block)
	l.batch.Reset()
	count := 0
	for len(block) > 0 {
		end := bytes.IndexByte(block, '\n')
		line := block[:end]
		block = block[end+1:]
		if len(line) > 1 && line[0] == '{' && line[1] == '"' && IsControl(line) {
			done, err := l.control(line)
			if err != nil {
				return err
			}
			if done {
				continue
			}
			count++
			continue
		}
		if blank(line) {
			continue
		}
		l.begun = true
		count++
		e := l.batch.Push(line)
		if len(line) > l.MaxLine {
			s, _, err := l.spool(line, bytes.NewReader(nil))
			if err != nil {
				return err
			}
			if err := l.failSpooled(e, s); err != nil {
				return err
			}
			continue
		}
		if l.Raw {
			continue
		}
		if err := e.Parse(); err != nil {
			l.batch.Fail(e, l.Stage, "json", err.Error())
			l.Counters.Failed(1)
		}
	}
	l.Counters.Read(count, size)
	err := l.send()
	l.Counters.took(start)
	return err
}

func blank(line []byte) bool { return len(bytes.TrimSpace(line)) == 0 }

func (l *Lines) send() error {
	if len(l.batch.Events) == 0 {
		return nil
	}
	if l.ended {
		return errors.New("events after the last mark of a finished stream: two writers on one pipe?")
	}
	err := l.sink.Batch(&l.batch)
	l.batch.Reset()
	return err
}

// control handles a line that claims to be a control line. One that this stream's ingest did not write is an event of a
// hostile or confused source: it goes on as a pipeline_error, and done is false.
func (l *Lines) control(line []byte) (done bool, err error) {
	c, err := parseControl(line)
	switch {
	case err != nil:
	case c.hello != nil && !l.begun:
		l.begun = true
		l.hello = c.hello
		l.last = c.hello.Resume
		return true, l.sink.Hello(*c.hello)
	case c.hello != nil:
		err = errors.New("control line: a hello that is not the first line")
	case l.hello == nil:
		err = errors.New("control line: a mark in a stream without a hello")
	case c.mark.Run != l.hello.Run:
		err = errors.New("control line: a mark of another run (forged, or two pipes mixed)")
	case c.mark.N <= l.last:
		err = errors.New("control line: a mark that was there before")
	default:
		if err := l.send(); err != nil {
			return true, err
		}
		l.last = c.mark.N
		l.ended = c.mark.End
		l.Counters.mark()
		return true, l.sink.Mark(*c.mark)
	}
	l.begun = true
	e := l.batch.Push(line)
	// As text: the key @leat must not go on as a key.
	l.failRaw(e, "control", err.Error())
	return false, nil
}

// failRaw makes e a pipeline_error that keeps its line as text, even where it is JSON.
func (l *Lines) failRaw(e *event.Event, reason, message string) {
	line := e.Line()
	dst := l.batch.Begin(len(line) + 64)
	dst = append(dst, `{"event":{`...)
	dst, escaped := event.AppendRecord(dst, line)
	dst = append(dst, '}')
	if escaped {
		dst = append(dst, `,"leat":{"escaped":true}`...)
	}
	dst = append(dst, '}')
	e.Replace(l.batch.End(dst))
	l.batch.Fail(e, l.Stage, reason, message)
	l.Counters.Failed(1)
}

// Pump runs src into sink and closes sink. The error is that of the source, or else of closing.
func Pump(ctx context.Context, src Source, sink Sink) error {
	err := src.Run(ctx, sink)
	if cerr := sink.Close(); err == nil {
		err = cerr
	}
	return err
}
