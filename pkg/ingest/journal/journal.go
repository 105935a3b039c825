package journal

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

var (
	// ErrFull says that the journal has reached its bound.
	ErrFull = errors.New("journal is full")
	// ErrBusy says that another process has the journal open.
	ErrBusy = errors.New("another process has the journal open")
	// ErrClosed says that the journal was closed.
	ErrClosed = errors.New("journal is closed")
)

// Options bound a journal.
type Options struct {
	MaxBytes     int64 // on disk; 0 = 1 GiB
	SegmentBytes int64 // after which a new file begins; 0 = a sixteenth of MaxBytes, at most 64 MiB
	Log          *slog.Logger
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
	bytes    int64         // on disk
	group    *group        // appended, not yet written
	closed   bool          // takes nothing more
	finished bool          // and everything is written
	wake     *sync.Cond    // a group is there, or closed
	durable  chan struct{} // closed and replaced when more is durable
	room     chan struct{} // closed and replaced when there is more room

	// The flusher's own.
	file    *os.File
	buf     []byte
	flusher sync.WaitGroup
}

// group is what one fsync makes durable.
type group struct {
	data []byte
	ends []int
	done chan struct{}
	err  error
}

// Open opens the journal in dir, or makes one. A torn end is cut.
func Open(dir string, opts Options) (*Journal, error) {
	if opts.MaxBytes == 0 {
		opts.MaxBytes = 1 << 30
	}
	if opts.SegmentBytes == 0 {
		opts.SegmentBytes = max(min(opts.MaxBytes/16, 64<<20), 4<<10)
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	j := &Journal{dir: dir, opts: opts, next: 1, durable: make(chan struct{}), room: make(chan struct{})}
	j.wake = sync.NewCond(&j.mu)
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

func (j *Journal) takeLock() error {
	f, err := os.OpenFile(filepath.Join(j.dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		holder, _ := os.ReadFile(f.Name())
		f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return fmt.Errorf("process %s: %w", strings.TrimSpace(string(holder)), ErrBusy)
		}
		return err
	}
	// The number is for people; the lock is what counts.
	_ = f.Truncate(0)
	_, _ = f.WriteAt(fmt.Appendf(nil, "%d\n", os.Getpid()), 0)
	j.lock = f
	return nil
}

// load finds the segments, and cuts what a crash left at the end of the last.
func (j *Journal) load() error {
	names, err := os.ReadDir(j.dir)
	if err != nil {
		return err
	}
	for _, n := range names {
		first, ok := segmentFirst(n.Name())
		if !ok {
			continue
		}
		info, err := n.Info()
		if err != nil {
			return err
		}
		j.segments = append(j.segments, segment{path: filepath.Join(j.dir, n.Name()), first: first, size: info.Size()})
	}
	for len(j.segments) > 0 {
		last := &j.segments[len(j.segments)-1]
		s, id, torn, err := measure(last.path)
		if errors.Is(err, errTorn) || err == nil && s.first != last.first {
			// Not even its header is whole: no record in it was ever vouched for, unless it is damaged; keep it aside then.
			j.opts.Log.Warn("journal segment without a header is set aside", "file", last.path, "bytes", last.size)
			if err := os.Rename(last.path, last.path+".bad"); err != nil {
				return err
			}
			j.segments = j.segments[:len(j.segments)-1]
			j.next = max(j.next, s.first)
			continue
		}
		if err != nil {
			return err
		}
		if torn > 0 {
			j.opts.Log.Warn("torn end of the journal is cut", "file", last.path, "bytes", torn)
			if err := os.Truncate(last.path, s.size); err != nil {
				return err
			}
		}
		*last = s
		j.id, j.next = id, s.first+s.count
		break
	}
	for i := range j.segments {
		if i+1 < len(j.segments) {
			j.segments[i].count = j.segments[i+1].first - j.segments[i].first
		}
		j.bytes += j.segments[i].size
	}
	if j.id == (journalID{}) {
		if _, err := rand.Read(j.id[:]); err != nil {
			return err
		}
	}
	return nil
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

// Append adds records and returns when they are durable. While the journal is full it waits for Cut, or until ctx is done;
// with wait false it returns ErrFull at once. After an error none of the records counts, and Append may be called again.
func (j *Journal) Append(ctx context.Context, wait bool, recs ...[]byte) error {
	size := int64(0)
	for _, r := range recs {
		if len(r) > maxRecord {
			return fmt.Errorf("journal: record of %d bytes", len(r))
		}
		size += frameSize + int64(len(r))
	}
	j.mu.Lock()
	for !j.closed && j.bytes+j.waiting()+size > j.opts.MaxBytes && j.bytes+j.waiting() > headerSize {
		if !wait {
			j.mu.Unlock()
			return ErrFull
		}
		room := j.room
		j.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		j.mu.Lock()
	}
	if j.closed {
		j.mu.Unlock()
		return ErrClosed
	}
	if j.group == nil {
		j.group = &group{done: make(chan struct{})}
	}
	g := j.group
	for _, r := range recs {
		g.data = append(g.data, r...)
		g.ends = append(g.ends, len(g.data))
	}
	j.wake.Signal()
	j.mu.Unlock()
	<-g.done
	return g.err
}

func (j *Journal) waiting() int64 {
	if j.group == nil {
		return 0
	}
	return int64(len(j.group.data) + frameSize*len(j.group.ends))
}

// Cut removes the segments of which every record's number is below number.
func (j *Journal) Cut(number uint64) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	for len(j.segments) > 1 && j.segments[1].first <= number {
		if err := os.Remove(j.segments[0].path); err != nil && !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("cut journal: %w", err)
		}
		j.bytes -= j.segments[0].size
		j.segments = j.segments[1:]
		close(j.room)
		j.room = make(chan struct{})
	}
	return nil
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

// Close makes durable what was appended and closes the journal.
func (j *Journal) Close() error {
	j.mu.Lock()
	j.closed = true
	j.wake.Signal()
	close(j.room)
	j.room = make(chan struct{})
	j.mu.Unlock()
	j.flusher.Wait()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.finished = true
	close(j.durable)
	j.durable = make(chan struct{})
	return j.lock.Close()
}
