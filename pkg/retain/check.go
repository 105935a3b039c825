package retain

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"leat/pkg/lake"
)

// orphanAge is how old a file in data/ must be before it counts as left over: a commit that is under way publishes its
// files moments before its log entry.
const orphanAge = time.Hour

// Orphans takes files out of data/ that no log entry names: what a crash left between publishing and committing. Their
// writers must be gone. They go through the log and the trash like any other file. It returns how many there were.
func (k *Keeper) Orphans(ctx context.Context) (int, error) {
	// The order matters. What was in data/, then made by no writer that is alive, and then named by no entry, can't be
	// committed any more: a dead writer is fenced, and one that ended in order has committed what it ever will.
	found, err := k.aged()
	if err != nil || len(found) == 0 {
		return 0, err
	}
	if err := k.lake.SweepWriters(ctx); err != nil {
		return 0, err
	}
	alive, err := os.ReadDir(filepath.Join(k.lake.Dir(), "staging"))
	if err != nil {
		return 0, err
	}
	found = slices.DeleteFunc(found, func(rel string) bool {
		return slices.ContainsFunc(alive, func(w fs.DirEntry) bool { return strings.HasPrefix(path.Base(rel), w.Name()+"-") })
	})
	var orphans []string
	_, err = k.lake.Commit(ctx, func(s *lake.State) (*lake.Entry, error) {
		if orphans = unnamed(s, found); len(orphans) == 0 {
			return nil, nil
		}
		return &lake.Entry{Kind: lake.KindRemove, Who: k.who, Why: "left over from commits that were never finished", Removed: orphans}, nil
	})
	if err != nil || len(orphans) == 0 {
		return 0, err
	}
	return len(orphans), k.Settle(ctx)
}

// aged lists the files in data/ that are old enough to be left over, by path relative to the lake.
func (k *Keeper) aged() (found []string, err error) {
	err = filepath.WalkDir(filepath.Join(k.lake.Dir(), "data"), func(p string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // moved to the trash meanwhile
		}
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(k.lake.Dir(), p)
		if err != nil {
			return err
		}
		if info, err := d.Info(); err == nil && k.now().Sub(info.ModTime()) > orphanAge {
			found = append(found, filepath.ToSlash(rel))
		}
		return nil
	})
	return found, err
}

// unnamed returns those of the files that a state neither has nor has removed.
func unnamed(s *lake.State, found []string) []string {
	named := map[string]bool{}
	for _, r := range s.Removals {
		for _, f := range r.Files {
			named[f.Path] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(found), func(rel string) bool {
		_, committed := s.Files[rel]
		return committed || named[rel]
	})
}

// Damage is a committed file that is not what the log says.
type Damage struct{ Path, What string }

// Verify reads committed files again and compares size and SHA-256 with the log: every of-th one, beginning with number
// first of them in the order of their paths. of = 1 reads all; who counts first up by one a run has read all after of runs.
func Verify(ctx context.Context, l *lake.Lake, first, of int) (files int, damaged []Damage, err error) {
	r, err := l.NewReader()
	if err != nil {
		return 0, nil, err
	}
	defer r.Close()
	for i, f := range r.State().Sorted() {
		if i%of != first%of {
			continue
		}
		if err := ctx.Err(); err != nil {
			return files, damaged, err
		}
		files++
		if what := examine(l, f); what != "" {
			damaged = append(damaged, Damage{f.Path, what})
		}
	}
	return files, damaged, nil
}

func examine(l *lake.Lake, f lake.File) string {
	abs, err := l.Abs(f.Path)
	if err != nil {
		return err.Error()
	}
	file, err := os.Open(abs)
	if errors.Is(err, fs.ErrNotExist) {
		return "missing"
	}
	if err != nil {
		return err.Error()
	}
	defer file.Close()
	sum := sha256.New()
	n, err := io.Copy(sum, file)
	switch {
	case err != nil:
		return err.Error()
	case n != f.Bytes:
		return fmt.Sprintf("%d bytes, not %d", n, f.Bytes)
	case hex.EncodeToString(sum.Sum(nil)) != f.SHA256:
		return "its SHA-256 is another"
	}
	return ""
}

// SetHold puts a hold into the log, or with Released lifts it. A case that is held already is refused: a second hold would
// take the place of the first and so end it.
func SetHold(ctx context.Context, l *lake.Lake, h lake.Hold, who, why string) error {
	for _, g := range h.Datasets {
		if _, err := path.Match(g, ""); err != nil {
			return fmt.Errorf("hold: %q is no glob; expected such as 'zeek.*'", g)
		}
	}
	_, err := l.Commit(ctx, func(s *lake.State) (*lake.Entry, error) {
		switch _, there := s.Holds[h.Case]; {
		case h.Released && !there:
			return nil, fmt.Errorf("no hold of case %q", h.Case)
		case !h.Released && there:
			return nil, fmt.Errorf("case %q has a hold; give another its own id, such as %s.2", h.Case, h.Case)
		}
		return &lake.Entry{Kind: lake.KindHold, Who: who, Why: why, Hold: &h}, nil
	})
	return err
}
