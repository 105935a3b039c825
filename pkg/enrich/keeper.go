package enrich

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"go.yaml.in/yaml/v3"

	"leat/pkg/dimension"
)

// keeper holds one dimension at its newest: it reads its source, checks what came, and keeps a snapshot on disk from which
// the next start has it at once. It is used by one goroutine at a time.
type keeper struct {
	cfg  *DimensionConfig
	src  dimension.Source // nil: a MaxMind database
	dir  string           // of the snapshots; empty: none are kept
	note string           // says which configuration a snapshot on disk was made by
	log  *slog.Logger
	now  func() time.Time

	told    string    // the failure that was told of, so that each is told once
	saved   time.Time // when the snapshot on disk was written
	written time.Time // when the history on disk was
	dirty   *Snapshot // is newer than the one on disk
	seen    atomic.Int64
}

// confirm notes that the source said just now that its newest snapshot holds.
func (k *keeper) confirm(now time.Time) { k.seen.Store(now.UnixNano()) }

func newKeeper(c *Config, d *DimensionConfig, opt *Options) (*keeper, error) {
	k := &keeper{cfg: d, log: opt.Log, now: opt.Now, dir: cacheDir(c, opt)}
	if k.dir != "" {
		if err := os.MkdirAll(k.dir, 0o700); err != nil {
			return nil, fmt.Errorf("dimension %q: %w", d.name, err)
		}
	}
	var err error
	if k.note, err = c.fingerprint(d); err != nil {
		return nil, err
	}
	switch key, o := d.opener(); {
	case o != nil:
		env, err := c.environment(d, opt)
		if err != nil {
			return nil, fmt.Errorf("dimension %q: %w", d.name, err)
		}
		if k.src, err = o.Open(env); err != nil {
			return nil, c.file.At(c.file.Find("dimensions", d.name, key), "dimension %q: %v", d.name, err)
		}
	case d.Format != "mmdb":
		k.src = fileSource{d}
	}
	return k, nil
}

// environment is what a source, or what is asked key by key, gets; its folder is made.
func (c *Config) environment(d *DimensionConfig, opt *Options) (dimension.Env, error) {
	env := dimension.Env{Name: d.name, Base: filepath.Dir(c.path), Log: opt.Log, Now: opt.Now, Limits: d.limits()}
	if dir := cacheDir(c, opt); dir != "" {
		env.Dir = filepath.Join(dir, d.name)
		return env, os.MkdirAll(env.Dir, 0o700)
	}
	return env, nil
}

// cacheDir is where snapshots are kept; empty: nowhere.
func cacheDir(c *Config, opt *Options) string {
	if c.Cache != "" {
		return dimension.Below(filepath.Dir(c.path), c.Cache)
	}
	return opt.Cache
}

// fingerprint says which configuration a dimension has.
func (c *Config) fingerprint(d *DimensionConfig) (string, error) {
	raw, err := yaml.Marshal(c.file.Find("dimensions", d.name))
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(append(raw, d.path...))
	return hex.EncodeToString(sum[:]), nil
}

// file is where the snapshot lies.
func (k *keeper) file() string { return filepath.Join(k.dir, k.cfg.name+".dimension") }

// remote tells whether the source may be slow or away.
func (k *keeper) remote() bool { _, o := k.cfg.opener(); return o != nil }

// warm returns the snapshot that an earlier run left, or nil.
func (k *keeper) warm() *Snapshot {
	if k.dir == "" || k.src == nil {
		return nil
	}
	dim, stamp, note, err := dimension.Open(k.file())
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		k.log.Warn("the snapshot on disk is not used", "dimension", k.cfg.name, "error", err)
		return nil
	case note != k.note:
		return nil
	}
	k.saved = time.Now()
	s, err := snapshotOf(k.cfg, stamp, dim)
	if err != nil {
		k.log.Warn("the snapshot on disk is not used", "dimension", k.cfg.name, "error", err)
		return nil
	}
	return k.dated(s)
}

// load returns the dimension as its source has it now; dimension.ErrUnchanged where old still holds. With force it may have
// lost any number of rows. Errors tell lines and columns, never values: those are private data.
func (k *keeper) load(ctx context.Context, old *Snapshot, force bool) (*Snapshot, error) {
	s, err := k.fetch(ctx, old, force)
	if err != nil && !errors.Is(err, dimension.ErrUnchanged) {
		return nil, fmt.Errorf("load dimension %q from %s: %w", k.cfg.name, k.cfg.place(), err)
	}
	return s, err
}

func (k *keeper) fetch(ctx context.Context, old *Snapshot, force bool) (*Snapshot, error) {
	if k.src == nil {
		return loadGeo(k.cfg)
	}
	var had dimension.Stamp
	if old != nil {
		had = old.Stamp
	}
	ctx, cancel := context.WithTimeout(ctx, k.cfg.Timeout)
	defer cancel()
	got, err := k.src.Fetch(ctx, had)
	if err != nil {
		return nil, err
	}
	if k.cfg.History != nil {
		past, err := k.past(old)
		if err != nil {
			return nil, err
		}
		begun := *got
		begun.AsOf = begins(past, got.AsOf, k.now())
		if got.Table, err = k.remember(past, &begun); err != nil {
			return nil, err
		}
	}
	s, err := newSnapshot(k.cfg, got)
	if err != nil {
		return nil, err
	}
	if !force {
		err = guard(k.cfg, old, s)
	}
	return k.dated(s), err
}

// dated lets the age of a snapshot from elsewhere count from the last answer of its source.
func (k *keeper) dated(s *Snapshot) *Snapshot {
	if k.remote() {
		s.confirmed = &k.seen
	}
	return s
}

// guard refuses a snapshot that lost more of its rows than max_shrink allows.
func guard(d *DimensionConfig, old, now *Snapshot) error {
	if old == nil || *d.MaxShrink >= 1 {
		return nil
	}
	was := d.standing(old)
	if lost := was - d.standing(now); float64(lost) > *d.MaxShrink*float64(was) {
		return fmt.Errorf("refused: %d of %d rows vanished, more than max_shrink (%g); where this is meant, set max_shrink: 1, or start once with --force",
			lost, was, *d.MaxShrink)
	}
	return nil
}

// standing is the number of rows that hold now: of a table that remembers, those that did not end.
func (d *DimensionConfig) standing(s *Snapshot) int {
	to := -1
	if d.History != nil {
		to = s.dim.Table.Column(validTo)
	}
	if to < 0 {
		return s.Rows
	}
	n := 0
	for row := range s.Rows {
		if len(s.dim.Cell(row, to)) == 0 {
			n++
		}
	}
	return n
}

// saveEvery is the least time between two writings of a snapshot: a directory may change every second.
const saveEvery = 30 * time.Second

// save writes the snapshot that is now in use to the disk; with now also where one was written a moment ago.
func (k *keeper) save(s *Snapshot, now bool) {
	if s != nil && s.dim != nil {
		k.dirty = s
	}
	if k.dirty == nil || k.dir == "" || !now && time.Since(k.saved) < saveEvery {
		return
	}
	s, k.dirty, k.saved = k.dirty, nil, time.Now()
	err := s.dim.WriteFile(k.file(), s.Stamp, k.note)
	if err = errors.Join(err, k.saveHistory(s, now)); err != nil {
		k.log.Warn("the snapshot is not on disk: the next start reads its source anew", "dimension", k.cfg.name, "error", err)
	}
}

// failed tells of a failure, once for each key: the state of the file, or the words of the error. One that passes by itself
// (a file that is being written) isn't told.
func (k *keeper) failed(err error, key string) (fresh bool) {
	if errors.Is(err, errChanging) || errors.Is(err, context.Canceled) || k.told == key {
		return false
	}
	k.told = key
	k.log.Error("dimension refused; the old snapshot stays in use", "dimension", k.cfg.name, "error", err)
	return true
}

// notThere is the key of the failure of a file that is gone.
const notThere = "not there"

// failure is the key under which a failure at the start is told: that which the watcher of files goes on with.
func (k *keeper) failure(err error) string {
	if k.remote() {
		return err.Error()
	}
	if key, _, err := cursorOf(k.cfg.path); err == nil {
		return key
	}
	return notThere
}

// mended forgets what failed, and tells whether anything did.
func (k *keeper) mended() bool {
	if k.told == "" {
		return false
	}
	k.log.Info("dimension answers again", "dimension", k.cfg.name)
	k.told = ""
	return true
}

func (k *keeper) close() error {
	k.save(nil, true)
	if k.src == nil {
		return nil
	}
	return k.src.Close()
}

// place says where the dimension lives, for messages.
func (d *DimensionConfig) place() string {
	if key, o := d.opener(); o != nil {
		return "its source (" + key + ")"
	}
	return d.path
}
