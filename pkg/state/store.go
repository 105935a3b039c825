package state

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
)

var (
	// ErrHeld says that another process has the store.
	ErrHeld = errors.New("the state is in use by another process")
	// ErrMissing says that the store does not hold the mark from which the stream goes on.
	ErrMissing = errors.New("no state for the mark at which the stream goes on")
	// ErrOther says that the store belongs to another lake, pipeline or stage.
	ErrOther = errors.New("the state belongs to another lake")
	// ErrFormat says that a newer leat wrote the store.
	ErrFormat = errors.New("the state has a format that this version does not read")
)

// minLog is how long the changes may be, in bytes, before a new base is thought of.
const minLog = 1 << 20

// Point is where a stream goes on.
type Point struct {
	Lake string // its id
	Mark int64  // 0 = from nothing
	// Run is the run that committed Mark; "" = not known (the lake was written by an older leat), and not checked.
	Run string
}

// Mark is a mark of the stream as Save needs it.
type Mark struct {
	N     int64
	Run   string
	Since int64 // a mark that the lake has committed
}

// Snapshot is the state at one mark: a base, and the changes since, in order. The first base of all is nil.
type Snapshot struct {
	Base    []byte
	Changes [][]byte
}

// Store is the state of one stage in one pipeline. Its methods are called by one goroutine.
type Store struct {
	dir   string
	stamp stamp
	lock  *os.File

	log     *os.File
	logSize int64
	base    int64 // size of the newest base
	last    int64 // the newest mark
	buf     []byte
	broken  error

	writing sync.WaitGroup // the base in the making
	mu      sync.Mutex
	basing  bool
	baseErr error
}

// Open takes the store of a stage in a pipeline below dir. Nothing is read before Resume.
// It returns ErrHeld where another process has it.
func Open(dir, stage, pipeline string) (*Store, error) {
	for _, name := range []string{stage, pipeline} {
		if name == "" || len(name) > 200 || name[0] == '.' || strings.ContainsAny(name, "/\x00") {
			return nil, fmt.Errorf("state: %q can't be a folder's name", name)
		}
	}
	s := &Store{dir: filepath.Join(dir, stage, pipeline), stamp: stamp{Format: format, Stage: stage, Pipeline: pipeline}}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	var err error
	if s.lock, err = os.OpenFile(filepath.Join(s.dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	if err := syscall.Flock(int(s.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = s.lock.Close()
		return nil, fmt.Errorf("%w: %s", ErrHeld, s.dir)
	}
	return s, nil
}

// Resume gives the state at exactly p, and forgets all later ones. Where the store does not have it, that is ErrMissing, or
// the empty state where missingOK is set; from nothing (mark 0) the store begins anew.
func (s *Store) Resume(p Point, missingOK bool) (Snapshot, error) {
	s.stamp.Lake = p.Lake
	snap, err := s.restore(p)
	if errors.Is(err, ErrMissing) && missingOK {
		snap, err = Snapshot{}, s.begin(p)
	}
	if err != nil {
		return Snapshot{}, err
	}
	s.last = p.Mark
	return snap, s.newLog(p.Mark)
}

// begin makes the empty state the one of p.
func (s *Store) begin(p Point) error {
	if err := s.clear(); err != nil {
		return err
	}
	return s.writeBase(record{mark: p.Mark, run: p.Run})
}

// Save makes the changes since the last mark durable under m. base is called now and then and returns the whole state as of
// m; what it returns is written beside the stream. After an error the store is broken and every further Save fails:
// after a failed fsync nobody knows what is on the disk, so the process ends and resumes from what is.
func (s *Store) Save(m Mark, changes []byte, base func(dst []byte) []byte) error {
	if s.broken == nil {
		s.broken = s.save(m, changes, base)
	}
	return s.broken
}

func (s *Store) save(m Mark, changes []byte, base func(dst []byte) []byte) error {
	if s.log == nil {
		return errors.New("state: saved before it was resumed")
	}
	if m.N <= s.last {
		return fmt.Errorf("state: mark %d does not come after mark %d", m.N, s.last)
	}
	s.buf = appendRecord(s.buf[:0], record{m.N, m.Run, changes})
	if int64(len(s.buf)) > maxRecord {
		return fmt.Errorf("state: %d bytes changed under one mark; at most %d", len(changes), int64(maxRecord))
	}
	if _, err := s.log.Write(s.buf); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	if err := s.log.Sync(); err != nil {
		return fmt.Errorf("state: %w", err)
	}
	s.last, s.logSize = m.N, s.logSize+int64(len(s.buf))
	if cap(s.buf) > 4<<20 {
		s.buf = nil
	}
	idle, err := s.idle()
	if err != nil || !idle {
		return err
	}
	if err := s.sweep(m.Since); err != nil {
		return err
	}
	if s.logSize < max(minLog, 2*s.base) {
		return nil
	}
	return s.rebase(m, base(nil))
}

// rebase begins a new file of changes and writes the base that goes before it, beside the stream.
func (s *Store) rebase(m Mark, whole []byte) error {
	if err := s.newLog(m.N); err != nil {
		return err
	}
	s.base = int64(len(whole))
	s.mu.Lock()
	s.basing = true
	s.mu.Unlock()
	s.writing.Go(func() {
		err := s.writeBase(record{m.N, m.Run, whole})
		s.mu.Lock()
		defer s.mu.Unlock()
		s.basing, s.baseErr = false, err
	})
	return nil
}

// idle tells whether no base is in the making, and how the last one went.
func (s *Store) idle() (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.basing, s.baseErr
}

// Close waits for the base that is in the making and lets go of the store. It saves nothing.
func (s *Store) Close() error {
	s.writing.Wait()
	var err error
	if s.log != nil {
		err = s.log.Close()
	}
	_, baseErr := s.idle()
	return errors.Join(err, baseErr, s.lock.Close())
}
