package retain

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"leat/pkg/lake"
)

// ErrChanged says that files of a plan are not in the lake any more as the plan saw them: plan again.
var ErrChanged = errors.New("the lake has changed since the plan was made; plan again")

// ErrHeldNow says that a hold came after the plan.
var ErrHeldNow = errors.New("a legal hold has come since the plan was made; plan again")

// Keeper applies plans to one lake. It holds the lake's role "retain": one at a time.
type Keeper struct {
	lake *lake.Lake
	lock *lake.Lock
	who  string
	now  func() time.Time
}

// NewKeeper takes the role, or returns lake.ErrBusy where another process has it. who is named in log and ledger.
func NewKeeper(l *lake.Lake, who string, now func() time.Time) (*Keeper, error) {
	lock, err := l.TryLock("retain")
	if err != nil {
		return nil, err
	}
	return &Keeper{lake: l, lock: lock, who: who, now: now}, nil
}

// Close gives the role back.
func (k *Keeper) Close() error { return k.lock.Close() }

// Apply takes the files of a plan out of the lake, in one log entry, and moves them to the trash. Calling it again with
// the same plan does nothing more.
func (k *Keeper) Apply(ctx context.Context, p *Plan) (removed []Verdict, err error) {
	list, _ := p.Removed()
	if len(list) == 0 {
		return nil, k.Settle(ctx)
	}
	_, err = k.lake.Commit(ctx, func(s *lake.State) (*lake.Entry, error) {
		m := &maker{state: s}
		e := &lake.Entry{Kind: lake.KindRemove, Who: k.who, Why: "retain plan " + p.ID(), Meta: map[string]string{}}
		for _, v := range list {
			f, ok := s.Files[v.Path]
			if !ok || f.SHA256 != v.SHA256 {
				return nil, fmt.Errorf("%s: %w", v.Path, ErrChanged)
			}
			if c := m.held(f); c != "" {
				return nil, fmt.Errorf("%s is held by case %s: %w", v.Path, c, ErrHeldNow)
			}
			e.Removed = append(e.Removed, v.Path)
			e.Meta[v.Path] = v.Reason
		}
		return e, nil
	})
	if err != nil {
		return nil, err
	}
	return list, k.Settle(ctx)
}

// Settle brings the disk to where the log says it is: files that were taken out, and that no reader needs, move to the
// trash. A run that was killed is taken up by the next one here.
func (k *Keeper) Settle(ctx context.Context) error {
	oldest, err := k.lake.OldestReader()
	if err != nil {
		return err
	}
	s, err := k.lake.State()
	if err != nil {
		return err
	}
	if err := k.tell(s); err != nil {
		return err
	}
	for _, n := range numbers(s.Removals) {
		if n > oldest {
			continue
		}
		for _, f := range s.Removals[n].Files {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := k.toTrash(f.Path); err != nil {
				return fmt.Errorf("move %s to the trash: %w", f.Path, err)
			}
		}
	}
	return nil
}

func numbers(removals map[int64]lake.Removal) []int64 {
	out := make([]int64, 0, len(removals))
	for n := range removals {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

func (k *Keeper) trash(rel string) string {
	return filepath.Join(k.lake.Dir(), "trash", filepath.FromSlash(rel))
}

func (k *Keeper) toTrash(rel string) error {
	from, err := k.lake.Abs(rel)
	if err != nil {
		return err
	}
	to := k.trash(rel)
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	// Not there: an earlier run has moved it.
	if err := os.Rename(from, to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	// An empty partition is of no use; persist makes it again when it needs it.
	_ = os.Remove(filepath.Dir(from))
	return nil
}

// syncNearest makes the entries of a folder durable, or, where it is gone, of the nearest folder above that is there.
func syncNearest(dir string) error {
	d, err := os.Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return syncNearest(filepath.Dir(dir))
	}
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Empty deletes what has been in the trash for longer than keep, and tells the log. It returns the bytes.
func (k *Keeper) Empty(ctx context.Context, keep time.Duration) (int64, error) {
	oldest, err := k.lake.OldestReader()
	if err != nil {
		return 0, err
	}
	s, err := k.lake.State()
	if err != nil {
		return 0, err
	}
	// Nothing leaves the disk before the ledger tells of it.
	if err := k.tell(s); err != nil {
		return 0, err
	}
	var purged []int64
	dirs := map[string]bool{}
	freed := int64(0)
	for _, n := range numbers(s.Removals) {
		r := s.Removals[n]
		if n > oldest || !r.Purge && k.now().Sub(r.Time) < keep {
			continue
		}
		for _, f := range r.Files {
			// A reader may have kept it in place until now.
			if err := k.toTrash(f.Path); err != nil {
				return freed, fmt.Errorf("empty the trash: %w", err)
			}
			at := k.trash(f.Path)
			if err := os.Remove(at); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return freed, fmt.Errorf("empty the trash: %w", err)
			}
			// The rename out of data/ and the deletion: neither may come back once the log says that the file is gone.
			abs, err := k.lake.Abs(f.Path)
			if err != nil {
				return freed, fmt.Errorf("empty the trash: %w", err)
			}
			dirs[filepath.Dir(abs)], dirs[filepath.Dir(at)] = true, true
			freed += f.Bytes
		}
		purged = append(purged, n)
	}
	if len(purged) == 0 {
		return 0, nil
	}
	for dir := range dirs {
		if err := syncNearest(dir); err != nil {
			return freed, fmt.Errorf("empty the trash: %w", err)
		}
		if strings.HasPrefix(dir, k.trash("")+string(filepath.Separator)) {
			_ = os.Remove(dir)
		}
	}
	_, err = k.lake.Commit(ctx, func(*lake.State) (*lake.Entry, error) {
		return &lake.Entry{Kind: lake.KindPurge, Who: k.who, Why: "their time in the trash is over", Purged: purged}, nil
	})
	return freed, err
}

// overdueAfter is how long a reader may pin files whose time in the trash is over before somebody has to look: queries end
// within minutes.
const overdueAfter = time.Hour

// Overdue returns the bytes that should have left the disk more than an hour ago and have not.
func (k *Keeper) Overdue(keep time.Duration) (int64, error) {
	s, err := k.lake.State()
	if err != nil {
		return 0, err
	}
	late := int64(0)
	for _, r := range s.Removals {
		due := r.Time.Add(overdueAfter)
		if !r.Purge {
			due = due.Add(keep)
		}
		if k.now().After(due) {
			late += r.Bytes()
		}
	}
	return late, nil
}

// DiskOf returns what the file system of a folder has.
func DiskOf(dir string) (Disk, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return Disk{}, fmt.Errorf("free space of %q: %w", dir, err)
	}
	return Disk{Total: int64(st.Blocks) * st.Bsize, Free: int64(st.Bavail) * st.Bsize}, nil
}
