package lake

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// An entry is fsynced before it gets its name, and its files before it. After a power loss on a disk that only claimed to
// have written, the newest entry may be cut, or end in zeros or in another file's bytes, or name files of which that is true.
// Then it counts as never written: sources are read again from the mark before. Nothing of it is deleted: the entry moves to
// trash/. That is done only where it is safe, see setAside; anything else stays an ErrChain, for a person.

// isTorn tells whether data is what a power loss leaves of a sealed file, and not a whole one in which a bit has changed.
// The second has its seal in form: then every byte was written once, others have acted upon it, and it must not vanish.
func isTorn(data []byte) bool {
	end := bytes.TrimSuffix(data, []byte{'\n'})
	seal := end[bytes.LastIndexByte(end, '\n')+1:]
	const before, after = `{"sha256":"`, `"}`
	digits, ok := bytes.CutPrefix(seal, []byte(before))
	digits, closed := bytes.CutSuffix(digits, []byte(after))
	if _, err := hex.Decode(make([]byte, sha256.Size), digits); err != nil || !ok || !closed || len(digits) != 2*sha256.Size {
		return true
	}
	// Whole but for its last line feed.
	return len(end) == len(data) && hash(end[:len(end)-len(seal)]) == string(digits)
}

// newest tells whether no later entry, and no checkpoint, vouches for entry n.
func (l *Lake) newest(n int64) bool {
	if _, err := os.Stat(l.path("log", entryName(n+1))); !errors.Is(err, fs.ErrNotExist) {
		return false
	}
	data, err := os.ReadFile(l.path("log", checkpointName(n)))
	return err != nil || unseal(data, l.empty()) != nil
}

// alone runs f while no other process takes entries away. An entry gets its name whole, so one that is not whole now was not made by
// anybody who lives.
func (l *Lake) alone(f func() error) error {
	for {
		lock, err := tryLock(l.path("locks", "roles", "log"), true)
		if errors.Is(err, ErrBusy) {
			time.Sleep(10 * time.Millisecond)
			continue
		}
		if err != nil {
			return err
		}
		return errors.Join(f(), lock.Close())
	}
}

// mend moves entry s.N+1 aside where it is torn. As nearly always it is not: then a race was lost.
func (l *Lake) mend(s *State) error {
	if why, err := l.torn(s.N + 1); err != nil || why == "" {
		return err
	}
	return l.alone(func() error {
		why, err := l.torn(s.N + 1)
		if err != nil || why == "" {
			return err // another was faster
		}
		return l.setAside(s, s.N+1, why)
	})
}

// errActedUpon says that what an entry says was done on the disk already.
var errActedUpon = errors.New("a file that the entries before it name is not there as they say")

// setAside moves the entry behind s, and what follows it up to entry last, to trash/, and notes that in the log. It refuses if a file
// that s names is not there as s says: then the entry was a removal that had been acted upon.
func (l *Lake) setAside(s *State, last int64, why string) error {
	n := s.N + 1
	for _, f := range s.Files {
		if info, err := os.Stat(l.path(filepath.FromSlash(f.Path))); err != nil || info.Size() != f.Bytes {
			return fmt.Errorf("%w: entry %d: %s; %w: %s", ErrChain, n, why, errActedUpon, f.Path)
		}
	}
	_, checkpoints, err := l.list()
	if err != nil {
		return err
	}
	for _, c := range checkpoints {
		if c >= n {
			if err := os.Remove(l.path("log", checkpointName(c))); err != nil {
				return fmt.Errorf("set entry %d aside: %w", n, err)
			}
		}
	}
	// The newest first: whatever is left if this process dies is a whole log.
	id := newID()
	for k := last; k >= n; k-- {
		name := fmt.Sprintf("torn-entry-%020d-%s.json", k, id)
		if err := os.Rename(l.path("log", entryName(k)), l.path("trash", name)); err != nil {
			return fmt.Errorf("set entry %d aside: %w", k, err)
		}
	}
	for _, dir := range []string{"trash", "log"} {
		if err := syncDir(l.path(dir)); err != nil {
			return fmt.Errorf("set entry %d aside: %w", n, err)
		}
	}
	note := &Entry{Kind: KindNote, Why: fmt.Sprintf("entry %d counts as never written: %s; it is kept as trash/torn-entry-*-%s.json", n, why, id)}
	if _, err = l.append(s, note); errors.Is(err, fs.ErrExist) {
		return nil // somebody's commit was next
	}
	return err
}

// torn is why entry n is not whole, or empty.
func (l *Lake) torn(n int64) (string, error) {
	_, _, err := l.entry(n)
	switch {
	case err == nil, errors.Is(err, fs.ErrNotExist):
		return "", nil
	case errors.Is(err, errTorn) && l.newest(n):
		return "it is not whole, as after a power loss", nil
	}
	return "", err
}

// hollow finds the newest mark's commit if only sweeping came behind it, and says why it counts as never written: a file that it names
// is not whole. Empty = it is whole, or not to be taken back: what came without marks can't be read again.
func (l *Lake) hollow(last int64) (n int64, why string) {
	for n = last; n > 0; n-- {
		e, _, err := l.entry(n)
		switch {
		case err != nil || weakened("no-torn-check"):
			return 0, ""
		case e.Kind == KindPurge, e.Kind == KindFence, e.Kind == KindNote:
			continue
		case e.Kind != KindCommit || e.Pipeline == "":
			return 0, ""
		}
		for _, f := range e.Added {
			if err := l.whole(f); err != nil {
				return n, fmt.Sprintf("its file %s is not whole (%v), as after a power loss", f.Path, err)
			}
		}
		return 0, ""
	}
	return 0, ""
}

// whole compares a file with what the log says of it.
func (l *Lake) whole(f File) error {
	file, err := os.Open(l.path(filepath.FromSlash(f.Path)))
	if err != nil {
		return err
	}
	defer file.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, file)
	if err != nil {
		return err
	}
	if n != f.Bytes {
		return fmt.Errorf("%d of %d bytes", n, f.Bytes)
	}
	if hex.EncodeToString(sum.Sum(nil)) != f.SHA256 {
		return errors.New("its SHA-256 is another")
	}
	return nil
}

// checkNewest sees to it, before a process begins to write, that the newest commit is on the disk with its files. While another writer
// lives there was no power loss since its commit, and its view of the log must not be turned back.
func (l *Lake) checkNewest(ctx context.Context) error {
	l.commit.Lock()
	defer l.commit.Unlock()
	return l.alone(func() error {
		s, err := l.reload()
		if err != nil || s.N == 0 {
			return err
		}
		if err := l.dropTornCheckpoints(); err != nil {
			return err
		}
		n, why := l.hollow(s.N)
		if why == "" {
			return nil
		}
		if lives, err := l.writerLives(); err != nil || lives {
			return err
		}
		before, err := l.stateAt(ctx, n-1)
		if err != nil {
			return err
		}
		if err := l.setAside(before, s.N, why); errors.Is(err, errActedUpon) {
			return nil // the commit stays; who reads the file, or verifies it, is told
		} else if err != nil {
			return err
		}
		_, err = l.reload()
		return err
	})
}

// dropTornCheckpoints removes those that are not whole and of which the entry is: they only save reading.
func (l *Lake) dropTornCheckpoints() error {
	_, checkpoints, err := l.list()
	if err != nil {
		return err
	}
	for _, n := range checkpoints {
		path := l.path("log", checkpointName(n))
		data, err := os.ReadFile(path)
		if err != nil || unseal(data, l.empty()) == nil {
			continue
		}
		if _, _, err := l.entry(n); err != nil {
			continue
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("drop a torn checkpoint: %w", err)
		}
	}
	return nil
}

// reload reads the state anew: what this process knows may have been set aside by another.
func (l *Lake) reload() (*State, error) {
	l.mu.Lock()
	l.state = nil
	l.mu.Unlock()
	return l.State()
}

func (l *Lake) writerLives() (bool, error) {
	ids, err := l.writers()
	if err != nil {
		return false, err
	}
	for _, id := range ids {
		f, err := tryLock(l.path("locks", id), false)
		if errors.Is(err, ErrBusy) {
			return true, nil
		}
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return false, err
		}
		if err := f.Close(); err != nil {
			return false, err
		}
	}
	return false, nil
}

// stateAt replays the log up to entry n.
func (l *Lake) stateAt(ctx context.Context, n int64) (*State, error) {
	from := l.empty()
	_, checkpoints, err := l.list()
	if err != nil {
		return nil, err
	}
	for _, c := range checkpoints {
		if c <= n {
			if s := l.checkpoint(c); s != nil {
				from = s
			}
		}
	}
	b := newBuilder(from)
	for b.s.N < n {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		e, sum, err := l.entry(b.s.N + 1)
		if err != nil {
			return nil, err
		}
		if err := b.apply(e, sum); err != nil {
			return nil, fmt.Errorf("%w: entry %d: %w", ErrChain, b.s.N+1, err)
		}
	}
	return b.state(), nil
}
