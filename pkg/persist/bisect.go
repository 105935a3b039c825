package persist

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"leat/internal/duck"
	"leat/pkg/event"
	"leat/pkg/lake"
	"leat/pkg/row"
)

// badRow is a row that DuckDB does not take.
type badRow struct {
	row []byte
	err error
}

// blamesInput tells whether a copy failed for what is in the spill, so that a part of it may pass.
func blamesInput(err error) bool {
	var count *countError
	return duck.BadInput(err) || errors.As(err, &count)
}

// bisect makes files of all rows of a spill that did not pass as a whole, but those that don't pass alone. The spill stays.
func (c *converter) bisect(ctx context.Context, from source, p partition) (files []lake.Staged, bad []badRow, err error) {
	halves, err := split(from)
	if err != nil {
		return nil, nil, fmt.Errorf("bisect: %w", err)
	}
	for i := range halves {
		h := &halves[i]
		name := partName(h.path)
		err := c.copy(ctx, &h.source, name)
		switch {
		case err == nil:
			_ = os.Remove(h.path)
			files = append(files, h.staged(name, p))
		case !blamesInput(err):
			return nil, nil, err
		case h.rows == 1:
			line, rerr := os.ReadFile(h.path)
			if rerr != nil {
				return nil, nil, fmt.Errorf("bisect: %w", rerr)
			}
			_ = os.Remove(h.path)
			bad = append(bad, badRow{bytes.TrimSuffix(line, []byte("\n")), err})
		default:
			f, b, err := c.bisect(ctx, h.source, p)
			if err != nil {
				return nil, nil, err
			}
			_ = os.Remove(h.path)
			files, bad = append(files, f...), append(bad, b...)
		}
	}
	return files, bad, nil
}

// half is a part of a spill, with what the lake's log wants to know of it.
type half struct {
	source
	min, max int64
	kinds    map[string]int64
}

func (h *half) staged(name string, p partition) lake.Staged {
	return lake.Staged{Name: name, File: lake.File{
		Dataset: p.dataset, Date: p.date(), Rows: h.rows, MinTime: h.min, MaxTime: h.max, Kinds: h.kinds,
	}}
}

// split writes the first and the second half of a file of rows to files beside it. A file of one row has one half.
func split(from source) ([]half, error) {
	in, err := os.Open(from.path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	r := bufio.NewReaderSize(in, 1<<20)
	var out []half
	for i, rows := range []int64{from.rows / 2, from.rows - from.rows/2} {
		if rows == 0 {
			continue
		}
		h := half{source: from, kinds: map[string]int64{}}
		h.path = fmt.Sprintf("%s%c", from.path, 'a'+i)
		h.rows = rows
		if err := h.fill(r); err != nil {
			return nil, err
		}
		out = append(out, h)
	}
	return out, nil
}

func (h *half) fill(r *bufio.Reader) error {
	f, err := os.OpenFile(h.path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	var e event.Event
	for range h.rows {
		line, err := r.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			f.Close()
			return err
		}
		h.note(&e, line)
		if _, err := w.Write(line); err != nil {
			f.Close()
			return err
		}
	}
	if err := w.Flush(); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}

// note reads from a row what its spill was told by the encoder. A time is of microseconds here: the bounds are widened by one.
func (h *half) note(e *event.Event, line []byte) {
	e.Reset(line)
	if e.Parse() != nil {
		return
	}
	if k := e.Get(event.MustPath("event.kind")); k.Kind == event.String {
		h.kinds[k.String()]++
	}
	if ns, ok := event.ParseTime(e.Get(event.MustPath("@timestamp")).Text(nil)); ok {
		if h.min == 0 && h.max == 0 {
			h.min, h.max = ns, ns+999
		}
		h.min, h.max = min(h.min, ns), max(h.max, ns+999)
	}
}

// confess makes the pipeline_error that stands for a bad row: the event as text.
func confess(b *event.Batch, dec *row.Decoder, bad badRow, now time.Time) *event.Event {
	text, err := dec.Append(nil, bad.row)
	if err != nil {
		// Not even a row: kept as it is.
		text = bad.row
	}
	line := append([]byte(nil), `{"@timestamp":"`...)
	line = event.AppendTime(line, now.UnixNano())
	line = append(line, `","event":{`...)
	line, escaped := event.AppendRecord(line, text)
	line = append(line, '}')
	if escaped {
		line = append(line, `,"leat":{"escaped":true}`...)
	}
	e := b.Push(append(line, '}'))
	b.Fail(e, "persist", "row", bad.err.Error())
	return e
}
