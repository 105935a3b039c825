package lake

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
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
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errTorn) && l.newest(b.s.N+1) {
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
	entries, checkpoints, err := l.list()
	if err != nil {
		return nil, err
	}
	if err := l.complete(entries); err != nil {
		return nil, err
	}
	for _, n := range slices.Backward(checkpoints) {
		if s := l.checkpoint(n); s != nil {
			return s, nil
		}
	}
	return l.empty(), nil
}

// complete refuses a log with a gap: behind it, the next commit would take a number that was given before.
func (l *Lake) complete(entries []int64) error {
	want := int64(1)
	for _, n := range entries {
		for ; want < n; want++ {
			// A listing beside commits may show an entry and not the one before it: ask again by name.
			if _, err := os.Stat(l.path("log", entryName(want))); err != nil {
				return fmt.Errorf("%w: entry %d is missing, and there is an entry %d: %w", ErrChain, want, n, err)
			}
		}
		want = n + 1
	}
	return nil
}

// list reads the names in log/: the numbers of the entries and of the checkpoints, in order.
func (l *Lake) list() (entries, checkpoints []int64, err error) {
	dir, err := os.Open(l.path("log"))
	if err != nil {
		return nil, nil, fmt.Errorf("read log: %w", err)
	}
	defer dir.Close()
	for {
		names, err := dir.Readdirnames(4096)
		for _, file := range names {
			name, isJSON := strings.CutSuffix(file, ".json")
			digits, isCheckpoint := strings.CutPrefix(name, checkpointPrefix)
			n, err := strconv.ParseInt(digits, 10, 64)
			switch {
			case err != nil || !isJSON || len(digits) != 20:
			case isCheckpoint:
				checkpoints = append(checkpoints, n)
			default:
				entries = append(entries, n)
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, fmt.Errorf("read log: %w", err)
		}
	}
	slices.Sort(entries)
	slices.Sort(checkpoints)
	return entries, checkpoints, nil
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
	if err := synced(f.Sync()); err != nil {
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
	return synced(d.Sync())
}
