package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// Damage says that records can't be read any more: From up to, but not including, To. With Open there may have been more,
// and nobody knows how many.
type Damage struct {
	From, To uint64
	Open     bool
	Reason   string
}

func (d *Damage) Error() string {
	if d.Open {
		return fmt.Sprintf("journal records from %d on are lost, nobody knows how many: %s", d.From, d.Reason)
	}
	return fmt.Sprintf("journal records %d to %d are lost: %s", d.From, d.To-1, d.Reason)
}

const readerMemory = 512 << 10

// errMemory says that what was read must be used first.
var errMemory = errors.New("no memory is free")

// Reader reads durable records in order. It belongs to one goroutine.
type Reader struct {
	j    *Journal
	next uint64
	seg  segment
	f    *os.File
	at   int64    // of the next group in f
	body []byte   // what is left of the group: the records from at number on, up to end
	mem  []byte   // body and recs are parts of it
	num  uint64   // number of the record that body begins with
	end  uint64   // behind the last record of the group
	recs [][]byte // what Read returned
	hurt *Damage  // what the next Read returns

	header [groupSize]byte // scratch
}

// Reader returns one that begins with the record of that number.
func (j *Journal) Reader(number uint64) *Reader { return &Reader{j: j, next: max(number, 1)} }

// Next returns the number of the record that Read gives next.
func (r *Reader) Next() uint64 { return r.next }

// Read waits for durable records and returns up to about size bytes of them, with the number of the first. They are valid
// until the next call. *Damage: records are missing, and the next call goes on behind them. ErrClosed: the journal was
// closed and everything was read; else the error of ctx.
func (r *Reader) Read(ctx context.Context, size int) (first uint64, recs [][]byte, err error) {
	if r.hurt == nil {
		durable, err := r.await(ctx)
		if err != nil {
			return 0, nil, err
		}
		first = r.next
		if err := r.gather(durable, size); err != nil {
			return 0, nil, err
		}
		if len(r.recs) > 0 {
			return first, r.recs, nil
		}
	}
	d := r.hurt
	r.hurt, r.next = nil, d.To
	return 0, nil, d
}

// gather fills recs up to the record of the number durable. It stops at damage, which it leaves in hurt.
func (r *Reader) gather(durable uint64, size int) error {
	r.recs = r.recs[:0]
	if len(r.body) == 0 {
		r.mem = r.mem[:0]
	}
	for taken := 0; taken < size && r.next < durable && r.hurt == nil; {
		if r.next != r.num || r.num >= r.end {
			r.body = nil
			if err := r.load(); errors.Is(err, errMemory) {
				return nil
			} else if err != nil {
				return err
			}
			continue
		}
		rec, rest, whole, ok := cutRecord(r.body)
		if !ok {
			r.damaged(rest, whole)
			continue
		}
		r.recs = append(r.recs, rec)
		taken += len(rec) + frameSize
		r.body = rest
		r.num++
		r.next = r.num
	}
	return nil
}

// damaged notes that the record at num is not what was written. Where what follows is whole, only that one is lost, else
// the rest of its group.
func (r *Reader) damaged(rest []byte, whole bool) {
	from := r.num
	if r.num+1 == r.end {
		whole = whole && len(rest) == 0
	} else if whole {
		_, _, _, whole = cutRecord(rest)
	}
	if whole {
		r.num++
		r.body = rest
	} else {
		r.num, r.body = r.end, nil
	}
	r.hurt = &Damage{From: from, To: r.num, Reason: "damaged in " + r.seg.path}
}

// await returns the number behind the last durable record, once that is above next.
func (r *Reader) await(ctx context.Context) (uint64, error) {
	for {
		r.j.mu.Lock()
		next, finished := r.j.next, r.j.finished
		if next > r.next {
			r.j.mu.Unlock()
			return next, nil
		}
		if finished {
			r.j.mu.Unlock()
			return 0, ErrClosed
		}
		if r.j.durable == nil {
			r.j.durable = make(chan struct{})
		}
		durable := r.j.durable
		r.j.mu.Unlock()
		select {
		case <-durable:
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		}
	}
}

// load reads the group that holds next. Where there is none it notes the damage.
func (r *Reader) load() error {
	if err := r.seek(); err != nil || r.hurt != nil {
		return err
	}
	for {
		g, err := groupAt(r.f, &r.header, r.at, r.seg.size)
		switch {
		case err == nil && r.at+g.whole() > r.seg.size:
			err = errGroup
		case err == nil && g.end() <= r.next:
			r.at += g.whole()
			continue
		case err == nil && g.first <= r.next:
			return r.take(g)
		case err == nil:
			r.hurt = &Damage{From: r.next, To: min(g.first, r.seg.end()), Reason: "damaged in " + r.seg.path}
			return nil
		}
		if !errors.Is(err, errGroup) && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read journal: %w", err)
		}
		if r.at, err = nextGroup(r.f, r.at+1, r.seg.size, 1, r.seg.end()); errors.Is(err, io.EOF) {
			r.at = r.seg.size
			r.hurt = &Damage{From: r.next, To: r.seg.end(), Open: r.seg.open, Reason: "damaged in " + r.seg.path}
			return nil
		}
		if err != nil {
			return fmt.Errorf("read journal: %w", err)
		}
	}
}

// take reads the records of g and goes to the one of the number next.
func (r *Reader) take(g groupHeader) error {
	n := len(r.mem)
	if n+int(g.size) > cap(r.mem) {
		if len(r.recs) > 0 {
			return errMemory
		}
		if n = 0; int(g.size) > cap(r.mem) {
			r.mem = make([]byte, 0, max(int(g.size), readerMemory))
		}
	}
	r.mem = r.mem[:n+int(g.size)]
	if _, err := r.f.ReadAt(r.mem[n:], r.at+groupSize); err != nil {
		return fmt.Errorf("read journal: %w", err)
	}
	r.at += g.whole()
	r.body, r.num, r.end = r.mem[n:], g.first, g.end()
	for r.num < r.next {
		_, rest, whole, _ := cutRecord(r.body)
		if !whole {
			r.hurt = &Damage{From: r.next, To: r.end, Reason: "damaged in " + r.seg.path}
			r.num = r.end
			return nil
		}
		r.body = rest
		r.num++
	}
	return nil
}

// seek makes f the segment that holds next, or notes that there is none.
func (r *Reader) seek() error {
	r.j.mu.Lock()
	var seg segment
	to := r.j.next
	for _, s := range r.j.segments {
		if s.first > r.next {
			to = s.first
			break
		}
		seg = s
	}
	r.j.mu.Unlock()
	if seg.path == "" || seg.end() <= r.next {
		r.hurt = &Damage{From: r.next, To: to, Reason: "their segment is not there"}
		return nil
	}
	if r.f != nil && r.seg.path == seg.path {
		r.seg = seg
		return nil
	}
	r.Close()
	f, err := os.Open(seg.path)
	if errors.Is(err, os.ErrNotExist) {
		r.hurt = &Damage{From: r.next, To: seg.end(), Reason: seg.path + " is not there"}
		return nil
	}
	if err != nil {
		return fmt.Errorf("read journal: %w", err)
	}
	r.f, r.seg, r.at = f, seg, headerSize
	return nil
}

// Close releases the reader's file.
func (r *Reader) Close() {
	if r.f != nil {
		r.f.Close()
	}
	r.f = nil
}
