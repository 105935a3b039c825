package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// Damage says that records can't be read any more: From up to, but not including, To.
type Damage struct {
	From, To uint64
	Reason   string
}

func (d *Damage) Error() string {
	return fmt.Sprintf("journal records %d to %d are lost: %s", d.From, d.To-1, d.Reason)
}

// Reader reads durable records in order. It belongs to one goroutine.
type Reader struct {
	j    *Journal
	next uint64
	seg  segment
	f    *os.File
	in   *blockReader
	at   uint64 // number of the record that in stands at
	data []byte
	recs [][]byte
	rec  []byte
}

// Reader returns one that begins with the record of that number.
func (j *Journal) Reader(number uint64) *Reader { return &Reader{j: j, next: max(number, 1)} }

// Next returns the number of the record that Read gives next.
func (r *Reader) Next() uint64 { return r.next }

// Read waits for durable records and returns up to about size bytes of them, with the number of the first. They are valid
// until the next call. *Damage: records are missing, and the next call goes on behind them. ErrClosed: the journal was
// closed and everything was read; else the error of ctx.
func (r *Reader) Read(ctx context.Context, size int) (first uint64, recs [][]byte, err error) {
	end, err := r.await(ctx)
	if err != nil {
		return 0, nil, err
	}
	if err := r.seek(); err != nil {
		return 0, nil, err
	}
	first = r.next
	end = min(end, r.seg.first+r.seg.count)
	r.data, r.recs = r.data[:0], r.recs[:0]
	starts := make([]int, 0, 64)
	for r.next < end && len(r.data) < size {
		r.rec, err = readRecord(r.in, r.next, r.rec)
		if err != nil {
			break
		}
		starts = append(starts, len(r.data))
		r.data = append(r.data, r.rec...)
		r.next++
		r.at = r.next
	}
	for i, s := range starts {
		e := len(r.data)
		if i+1 < len(starts) {
			e = starts[i+1]
		}
		r.recs = append(r.recs, r.data[s:e])
	}
	switch {
	case len(r.recs) > 0:
		// What is wrong behind them shows again at the next call.
		if err != nil {
			r.drop()
		}
		return first, r.recs, nil
	case errors.Is(err, errTorn), errors.Is(err, io.EOF):
		d := &Damage{From: r.next, To: end, Reason: "damaged in " + r.seg.path}
		r.drop()
		r.next = end
		return 0, nil, d
	}
	r.drop()
	return 0, nil, fmt.Errorf("read journal: %w", err)
}

// await returns the number behind the last durable record, once that is above next.
func (r *Reader) await(ctx context.Context) (uint64, error) {
	for {
		r.j.mu.Lock()
		next, finished, durable := r.j.next, r.j.finished, r.j.durable
		r.j.mu.Unlock()
		if next > r.next {
			return next, nil
		}
		if finished {
			return 0, ErrClosed
		}
		select {
		case <-durable:
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
}

// seek makes in stand at next.
func (r *Reader) seek() error {
	r.j.mu.Lock()
	var seg segment
	for _, s := range r.j.segments {
		if s.first > r.next {
			if seg.path == "" || seg.first+seg.count <= r.next {
				r.j.mu.Unlock()
				d := &Damage{From: r.next, To: s.first, Reason: "their segment is not there"}
				r.next = s.first
				return d
			}
			break
		}
		seg = s
	}
	next := r.j.next
	r.j.mu.Unlock()
	if seg.path == "" || seg.first+seg.count <= r.next {
		d := &Damage{From: r.next, To: next, Reason: "their segment is not there"}
		r.next = next
		return d
	}
	if r.f != nil && r.seg.path == seg.path && r.at == r.next {
		r.seg, r.in.limit = seg, seg.size
		return nil
	}
	r.drop()
	f, err := os.Open(seg.path)
	if err != nil {
		return fmt.Errorf("read journal: %w", err)
	}
	r.f, r.seg, r.at = f, seg, seg.first
	r.in = newBlockReader(f, headerSize, seg.size)
	for r.at < r.next {
		if r.rec, err = readRecord(r.in, r.at, r.rec); err != nil {
			d := &Damage{From: r.next, To: seg.first + seg.count, Reason: "damaged in " + seg.path}
			r.next = d.To
			r.drop()
			return d
		}
		r.at++
	}
	return nil
}

func (r *Reader) drop() {
	if r.f != nil {
		r.f.Close()
	}
	r.f, r.in = nil, nil
}

// Close releases the reader's file.
func (r *Reader) Close() { r.drop() }
