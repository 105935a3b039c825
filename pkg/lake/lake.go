package lake

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
)

// formatVersion is the layout that this program writes, and the newest that it reads.
const formatVersion = 1

var (
	// ErrNoLake says that a folder holds no lake.
	ErrNoLake = errors.New("no lake here")
	// ErrFormat says that the lake was written by a newer program.
	ErrFormat = errors.New("lake is of a newer format than this program knows")
	// ErrSuperseded says that another process has taken over; nothing was committed.
	ErrSuperseded = errors.New("superseded by another process; nothing was committed")
	// ErrBusy says that another process holds the lock.
	ErrBusy = errors.New("another process holds the lock")
	// ErrChain says that the log is damaged; the message names the entry.
	ErrChain = errors.New("lake log is damaged")
	// ErrUncertain says that an entry was linked, but could not be made durable: it may be gone after a power loss.
	ErrUncertain = errors.New("committed, but perhaps not durably")
)

// Lake is one lake on a local file system. It is safe for concurrent use, and many processes may have it open.
type Lake struct {
	dir string
	id  string
	now func() time.Time

	mu     sync.Mutex // guards state
	state  *State     // nil until first read
	commit sync.Mutex // one commit at a time in this process: the others would only lose the race
}

// format is the content of the file of that name.
type format struct {
	Format int    `json:"format"`
	ID     string `json:"id"`
}

// folders are what Init makes.
func folders() []string {
	return []string{"data", "log", "log/tmp", "staging", "trash", "ledger", "locks", "locks/readers", "locks/roles"}
}

// Init makes a lake in dir, or opens the one that is there. A folder that holds anything else is refused.
func Init(dir string) (*Lake, error) {
	l, err := Open(dir)
	if !errors.Is(err, ErrNoLake) {
		return l, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("make lake: %w", err)
	}
	if err := foreign(dir); err != nil {
		return nil, err
	}
	for _, f := range folders() {
		if err := os.MkdirAll(filepath.Join(dir, f), 0o700); err != nil {
			return nil, fmt.Errorf("make lake: %w", err)
		}
	}
	body, err := json.Marshal(format{formatVersion, newID()})
	if err != nil {
		return nil, fmt.Errorf("make lake: %w", err)
	}
	// The format file comes last and by a link: of two that make the lake at once, one id wins and both use it.
	err = linkNew(filepath.Join(dir, "log", "tmp"), filepath.Join(dir, "format"), append(body, '\n'))
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("make lake: %w", err)
	}
	for _, d := range []string{filepath.Join(dir, "log"), filepath.Join(dir, "locks"), dir, filepath.Dir(dir)} {
		if err := syncDir(d); err != nil {
			return nil, fmt.Errorf("make lake: %w", err)
		}
	}
	return Open(dir)
}

// foreign refuses a folder with contents of another kind: a lake in somebody's home would be swept with it.
func foreign(dir string) error {
	names, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("make lake: %w", err)
	}
	ours := map[string]bool{"lost+found": true, "format": true}
	for _, f := range folders() {
		ours[f] = true
	}
	for _, e := range names {
		if !ours[e.Name()] && !strings.HasPrefix(e.Name(), ".") {
			return fmt.Errorf("make lake in %q: the folder holds %q; give an empty or a new folder: %w", dir, e.Name(), ErrNoLake)
		}
	}
	return nil
}

// Open opens the lake in dir: ErrNoLake where there is none, ErrFormat where it is newer than this program.
func Open(dir string) (*Lake, error) {
	body, err := os.ReadFile(filepath.Join(dir, "format"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("open lake %q: %w", dir, ErrNoLake)
	}
	if err != nil {
		return nil, fmt.Errorf("open lake: %w", err)
	}
	var f format
	if err := json.Unmarshal(body, &f); err != nil || f.Format < 1 || f.ID == "" {
		return nil, fmt.Errorf("open lake %q: its file `format` is not one of a lake: %w", dir, ErrNoLake)
	}
	if f.Format > formatVersion {
		return nil, fmt.Errorf("open lake %q: format %d, this program knows up to %d: %w", dir, f.Format, formatVersion, ErrFormat)
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open lake: %w", err)
	}
	return &Lake{dir: abs, id: f.ID, now: time.Now}, nil
}

// Dir returns the lake's folder as an absolute path.
func (l *Lake) Dir() string { return l.dir }

// ID returns what names this lake and no other, wherever its folder is moved.
func (l *Lake) ID() string { return l.id }

func (l *Lake) path(elem ...string) string {
	return filepath.Join(append([]string{l.dir}, elem...)...)
}

func newID() string { return ulid.Make().String() }
