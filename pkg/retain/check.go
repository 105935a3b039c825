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
	// Clears up behind dead writers, and thereby fences them.
	if err := k.lake.SweepWriters(ctx); err != nil {
		return 0, err
	}
	alive, err := os.ReadDir(filepath.Join(k.lake.Dir(), "staging"))
	if err != nil {
		return 0, err
	}
	s, err := k.lake.State()
	if err != nil {
		return 0, err
	}
	known := map[string]bool{}
	for _, r := range s.Removals {
		for _, f := range r.Files {
			known[f.Path] = true
		}
	}
	var orphans []string
	root := filepath.Join(k.lake.Dir(), "data")
	err = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(k.lake.Dir(), p)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if _, ok := s.Files[rel]; ok || known[rel] {
			return nil
		}
		for _, w := range alive {
			if strings.HasPrefix(d.Name(), w.Name()+"-") {
				return nil
			}
		}
		if info, err := d.Info(); err == nil && k.now().Sub(info.ModTime()) > orphanAge {
			orphans = append(orphans, rel)
		}
		return nil
	})
	if err != nil || len(orphans) == 0 {
		return 0, err
	}
	_, err = k.lake.Commit(ctx, func(s *lake.State) (*lake.Entry, error) {
		e := &lake.Entry{Kind: lake.KindRemove, Who: k.who, Why: "left over from commits that were never finished"}
		for _, o := range orphans {
			if _, committed := s.Files[o]; !committed {
				e.Removed = append(e.Removed, o)
			}
		}
		if len(e.Removed) == 0 {
			return nil, nil
		}
		return e, nil
	})
	if err != nil {
		return 0, err
	}
	return len(orphans), k.Settle(ctx)
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
