package lake

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

func entryName(n int64) string { return fmt.Sprintf("%020d.json", n) }

// State returns the newest state. Where nothing was committed since the last call it costs one failed open; else it reads
// what was added. The first call reads the newest checkpoint and the entries behind it.
func (l *Lake) State() (*State, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state == nil {
		s, err := l.load()
		if err != nil {
			return nil, err
		}
		l.state = s
	}
	s, err := l.follow(l.state)
	if err != nil {
		return nil, err
	}
	l.state = s
	return s, nil
}

// empty is the state before the first entry. The chain begins at the lake's id, so that no other lake's log fits here.
func (l *Lake) empty() *State {
	return &State{Hash: hash([]byte(l.id)), Pipelines: map[string]Pipeline{}, Files: map[string]File{}}
}

// follow applies the entries behind s.
func (l *Lake) follow(s *State) (*State, error) {
	b := newBuilder(s)
	for {
		e, sum, err := l.entry(b.s.N + 1)
		if errors.Is(err, fs.ErrNotExist) {
			break
		}
		if err != nil {
			return nil, err
		}
		if err := b.apply(e, sum); err != nil {
			return nil, fmt.Errorf("%w: entry %d: %w", ErrChain, b.s.N+1, err)
		}
	}
	if b.s.N == s.N {
		return s, nil
	}
	return b.state(), nil
}

// Entry reads one log entry; errors.Is(err, fs.ErrNotExist) where there is none of that number.
func (l *Lake) Entry(n int64) (*Entry, error) {
	e, _, err := l.entry(n)
	return e, err
}

// entry returns an entry with the SHA-256 of its bytes.
func (l *Lake) entry(n int64) (*Entry, string, error) {
	data, err := os.ReadFile(l.path("log", entryName(n)))
	if err != nil {
		return nil, "", fmt.Errorf("read log: %w", err)
	}
	e := new(Entry)
	if err := unseal(data, e); err != nil {
		return nil, "", fmt.Errorf("%w: entry %d: %w", ErrChain, n, err)
	}
	return e, hash(data), nil
}

// load builds the state from the newest checkpoint that is good, else from the log's beginning.
func (l *Lake) load() (*State, error) {
	last, count, checkpoints, err := l.list()
	if err != nil {
		return nil, err
	}
	if count != last {
		return nil, fmt.Errorf("%w: it has %d entries, and the newest is number %d: entries are missing", ErrChain, count, last)
	}
	for i := len(checkpoints) - 1; i >= 0; i-- {
		if s := l.checkpoint(checkpoints[i]); s != nil {
			return s, nil
		}
	}
	return l.empty(), nil
}

// list reads the names in log/: the newest entry's number, how many entries there are, the checkpoints in order.
func (l *Lake) list() (last, count int64, checkpoints []int64, err error) {
	names, err := os.ReadDir(l.path("log"))
	if err != nil {
		return 0, 0, nil, fmt.Errorf("read log: %w", err)
	}
	for _, e := range names {
		name, ok := strings.CutSuffix(e.Name(), ".json")
		if !ok {
			continue
		}
		digits, isCheckpoint := strings.CutPrefix(name, checkpointPrefix)
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || len(digits) != 20 {
			continue
		}
		if isCheckpoint {
			checkpoints = append(checkpoints, n)
			continue
		}
		last = max(last, n)
		count++
	}
	return last, count, checkpoints, nil
}

// linkNew writes body to a file in tmp, makes it durable, and gives it the name target. The error is fs.ErrExist where
// target is there already. The name is there whole or not at all; making it durable is the caller's (syncDir).
func linkNew(tmp, target string, body []byte) error {
	name := filepath.Join(tmp, newID())
	f, err := lockNew(name)
	if err != nil {
		return err
	}
	// The lock tells sweepers that the file is not left over, so it is let go last.
	defer f.Close()
	defer os.Remove(name)
	if _, err := f.Write(body); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := fault("before-link"); err != nil {
		return err
	}
	return os.Link(name, target)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
