package journal

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
)

var (
	// ErrFull says that the journal has reached its bound.
	ErrFull = errors.New("journal is full")
	// ErrBusy says that another process has the journal open.
	ErrBusy = errors.New("another process has the journal open")
	// ErrClosed says that the journal was closed.
	ErrClosed = errors.New("journal is closed")
)

// Mode says what an Append does where the journal is full.
type Mode int

const (
	// Wait holds the caller back until Cut makes room.
	Wait Mode = iota
	// Try returns ErrFull.
	Try
	// Reserve is Try with some room (Options.Reserve) above the bound: for telling that something was lost.
	Reserve
	// Force goes above the bound: for what was taken from a sender before it could be stopped.
	Force
)

// groupMax is how many bytes may wait for the disk before Wait holds back.
const groupMax = 4 << 20

// Options bound a journal.
type Options struct {
	// MaxBytes bounds what is on disk and not yet cut; 0 = 1 GiB. One segment that is committed as a whole may stand
	// beside it until it is closed.
	MaxBytes int64
	// Reserve is what Reserve may use above MaxBytes; 0 = 1 MiB.
	Reserve      int64
	SegmentBytes int64 // after which a new file begins; 0 = a sixteenth of MaxBytes, at most 64 MiB
	Log          *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.MaxBytes == 0 {
		o.MaxBytes = 1 << 30
	}
	if o.Reserve == 0 {
		o.Reserve = 1 << 20
	}
	if o.SegmentBytes == 0 {
		o.SegmentBytes = max(min(o.MaxBytes/16, 64<<20), 4<<10)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// Journal is an open journal. It is safe for concurrent use.
type Journal struct {
	dir  string
	id   journalID
	opts Options
	lock *os.File

	mu       sync.Mutex
	segments []segment     // the last one is written to, if file is open
	next     uint64        // number of the next record
	cut      uint64        // below it everything is committed elsewhere
	bytes    int64         // on disk
	pending  int64         // appended, not yet on disk
	group    *group        // what the next fsync is for
	free     []*group      // memory for the next ones
	closed   bool          // takes nothing more
	finished bool          // and everything is written
	wake     *sync.Cond    // a group is there, or closed
	flushed  *sync.Cond    // a group is done
	durable  chan struct{} // closed when more is durable; nil: nobody waits
	room     chan struct{} // closed when there is more room; nil: nobody waits

	// The flusher's own.
	file    *os.File
	flusher sync.WaitGroup
}

// group is what one fsync makes durable: its header, then the records.
type group struct {
	buf     []byte
	count   uint32
	waiters int // until the last of them has seen err it can't be used again
	done    bool
	err     error
}

// Open opens the journal in dir, or makes one. An unfinished end is cut.
func Open(dir string, opts Options) (*Journal, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	j := &Journal{dir: dir, opts: opts.withDefaults(), next: 1}
	j.wake, j.flushed = sync.NewCond(&j.mu), sync.NewCond(&j.mu)
	if err := j.takeLock(); err != nil {
		return nil, fmt.Errorf("open journal %q: %w", dir, err)
	}
	if err := j.load(); err != nil {
		j.lock.Close()
		return nil, fmt.Errorf("open journal %q: %w", dir, err)
	}
	j.flusher.Go(j.flush)
	return j, nil
}

// ID names this journal and no other.
func (j *Journal) ID() string { return hex.EncodeToString(j.id[:]) }

// Next returns the number that the next record gets.
func (j *Journal) Next() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.next
}

// First returns the number of the oldest record that is there, or Next where there is none.
func (j *Journal) First() uint64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.segments) == 0 {
		return j.next
	}
	return j.segments[0].first
}

// Bytes returns how much the journal holds on disk.
func (j *Journal) Bytes() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.bytes
}

// Append adds records and returns when they are durable. mode says what it does while the journal is full; waiting ends
// with ctx. After an error none of the records counts, and Append may be called again. recs are copied.
func (j *Journal) Append(ctx context.Context, mode Mode, recs ...[]byte) error {
	size := int64(0)
	for _, r := range recs {
		if len(r) > maxRecord {
			return fmt.Errorf("journal: record of %d bytes", len(r))
		}
		size += frameSize + int64(len(r))
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for !j.closed && !j.fits(mode, size) {
		if mode != Wait {
			return ErrFull
		}
		if j.room == nil {
			j.room = make(chan struct{})
		}
		if err := j.awaitRoom(ctx, j.room); err != nil {
			return err
		}
	}
	if j.closed {
		return ErrClosed
	}
	g := j.collect()
	for _, r := range recs {
		g.buf = appendRecord(g.buf, r)
	}
	g.count += uint32(len(recs))
	j.pending += size
	g.waiters++
	j.wake.Signal()
	for !g.done {
		j.flushed.Wait()
	}
	err := g.err
	if g.waiters--; g.waiters == 0 && cap(g.buf) <= 2*groupMax {
		j.free = append(j.free, g)
	}
	return err
}

// awaitRoom waits without the mutex, which the caller holds.
func (j *Journal) awaitRoom(ctx context.Context, room <-chan struct{}) error {
	j.mu.Unlock()
	defer j.mu.Lock()
	select {
	case <-room:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// collect returns the group that the next fsync is for.
func (j *Journal) collect() *group {
	if j.group != nil {
		return j.group
	}
	if n := len(j.free); n > 0 {
		j.group, j.free = j.free[n-1], j.free[:n-1]
	} else {
		j.group = &group{}
	}
	*j.group = group{buf: append(j.group.buf[:0], make([]byte, groupSize)...)}
	return j.group
}

// fits tells whether size bytes more may come.
func (j *Journal) fits(mode Mode, size int64) bool {
	used := j.bytes + j.pending
	if n := len(j.segments); n > 0 && j.segments[n-1].end() <= j.cut {
		// Wholly committed, and only there since it is written to.
		used -= j.segments[n-1].size
	}
	bound := j.opts.MaxBytes
	switch mode {
	case Force:
		return true
	case Reserve:
		bound += j.opts.Reserve
	case Wait:
		if j.group != nil && len(j.group.buf) >= groupMax {
			return false
		}
	}
	// A record that alone is larger than the bound must go through all the same.
	return used+size <= bound || used <= headerSize
}

// Cut removes the segments of which every record's number is below number.
func (j *Journal) Cut(number uint64) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if number > j.cut {
		j.cut = number
		j.makeRoom()
	}
	return j.dropCut()
}

// dropCut removes what is committed, except for the segment that is written to.
func (j *Journal) dropCut() error {
	for len(j.segments) > 1 && j.segments[1].first <= j.cut {
		if err := os.Remove(j.segments[0].path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("cut journal: %w", err)
		}
		j.bytes -= j.segments[0].size
		j.segments = j.segments[1:]
		j.makeRoom()
	}
	return nil
}

// makeRoom wakes those that wait for room.
func (j *Journal) makeRoom() {
	if j.room != nil {
		close(j.room)
		j.room = nil
	}
}

// SkipTo makes number the next record's, where it is higher: numbers that were used in a journal that was lost must not
// be used again.
func (j *Journal) SkipTo(number uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if number > j.next {
		j.next = number
	}
}

// Close makes durable what was appended and closes the journal. A second Close does nothing.
func (j *Journal) Close() error {
	j.mu.Lock()
	closed := j.closed
	j.closed = true
	j.wake.Signal()
	j.makeRoom()
	j.mu.Unlock()
	if closed {
		return nil
	}
	j.flusher.Wait()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.finished = true
	j.tellDurable()
	return j.lock.Close()
}

// tellDurable wakes the readers that wait.
func (j *Journal) tellDurable() {
	if j.durable != nil {
		close(j.durable)
		j.durable = nil
	}
}
