package enrich

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	defaultPoll = 2 * time.Second
	// settle is how long a changed file must stay as it is before it is read: a writer may be at work on it.
	settle = 150 * time.Millisecond
)

// first loads every dimension at the start.
func (sh *shared) first(cfg *Config) (*generation, error) {
	dims := map[string]*Snapshot{}
	var faults []error
	for _, name := range cfg.dimensionNames() {
		d := cfg.Dimensions[name]
		s, err := LoadDimension(d)
		switch {
		case err == nil:
			sh.took(s)
		case d.Optional:
			sh.metrics.failed(name)
			sh.opt.Log.Warn("optional dimension is not there; its look-ups have the status error", "dimension", name, "error", err)
		default:
			faults = append(faults, cfg.file.At(d.at(), "%v", err))
		}
		dims[name] = s
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return cfg.bind(dims)
}

func (sh *shared) took(s *Snapshot) {
	sh.metrics.loaded(s)
	log := sh.opt.Log.Info
	if s.Duplicates > 0 {
		log = sh.opt.Log.Warn
	}
	log("dimension loaded", "dimension", s.Name, "version", s.Version, "rows", s.Rows, "keys", s.Keys, "duplicates", s.Duplicates)
}

// guard refuses a snapshot that lost more of its rows than max_shrink allows.
func guard(d *DimensionConfig, old, now *Snapshot) error {
	if old == nil || *d.MaxShrink >= 1 {
		return nil
	}
	if lost := old.Rows - now.Rows; float64(lost) > *d.MaxShrink*float64(old.Rows) {
		return fmt.Errorf("refused: %d of %d rows vanished, more than max_shrink (%g); where this is meant, set max_shrink: 1",
			lost, old.Rows, *d.MaxShrink)
	}
	return nil
}

// watcher loads files that changed, one goroutine for all of them.
type watcher struct {
	sh     *shared
	notify *fsnotify.Watcher // nil: only polling
	hup    chan struct{}
	done   chan struct{}
	wg     sync.WaitGroup
	failed map[string]fileStat // files that were refused, so that each is told of once
}

func startWatcher(sh *shared) (*watcher, error) {
	w := &watcher{sh: sh, hup: make(chan struct{}, 1), done: make(chan struct{}), failed: map[string]fileStat{}}
	if !sh.opt.Fixed {
		// Where the system has no watches left, polling sees the change too.
		if n, err := fsnotify.NewWatcher(); err == nil {
			w.notify = n
			w.follow()
		} else {
			sh.opt.Log.Warn("files are polled only", "error", err)
		}
	}
	w.wg.Go(w.run)
	return w, nil
}

// follow watches the folders of all files: a file that is replaced by rename is another one.
func (w *watcher) follow() {
	if w.notify == nil {
		return
	}
	for _, d := range w.sh.cfg.Load().Dimensions {
		if err := w.notify.Add(filepath.Dir(d.path)); err != nil {
			w.sh.opt.Log.Warn("folder is polled only", "dimension", d.name, "error", err)
		}
	}
}

func (w *watcher) reload() {
	select {
	case w.hup <- struct{}{}:
	default: // one that waits already will see everything
	}
}

func (w *watcher) close() {
	close(w.done)
	w.wg.Wait()
	if w.notify != nil {
		_ = w.notify.Close()
	}
}

func (w *watcher) run() {
	var events chan fsnotify.Event
	var tick <-chan time.Time
	if w.notify != nil {
		events = w.notify.Events
	}
	if !w.sh.opt.Fixed {
		poll := w.sh.cfg.Load().Poll
		if poll == 0 {
			poll = defaultPoll
		}
		t := time.NewTicker(poll)
		defer t.Stop()
		tick = t.C
	}
	for {
		select {
		case <-w.done:
			return
		case <-w.hup:
			w.reread()
		case <-events:
			if !w.pause(settle) {
				return
			}
			w.changed(false)
		case <-tick:
			w.changed(false)
		}
	}
}

// pause waits, and takes what is told meanwhile; it is false when the stage closes.
func (w *watcher) pause(d time.Duration) bool {
	select {
	case <-w.done:
		return false
	case <-time.After(d):
	}
	for w.notify != nil {
		select {
		case <-w.notify.Events:
			continue
		default:
		}
		break
	}
	return true
}

// reread takes enrich.yaml anew. Where it, or any file, is broken, all stays as it was.
func (w *watcher) reread() {
	old := w.sh.cfg.Load()
	cfg, err := Load(old.path)
	if err != nil {
		w.sh.metrics.failed("")
		w.sh.opt.Log.Error("reload refused; the old configuration stays", "error", err)
		return
	}
	w.sh.cfg.Store(cfg)
	if !w.changed(true) {
		w.sh.cfg.Store(old)
		return
	}
	w.follow()
	w.sh.opt.Log.Info("configuration reloaded", "file", cfg.path)
}

// changed loads the files that are not those in use (with all: every file) and makes the next generation. A file that is
// refused leaves its old snapshot in use; with all, it leaves everything.
func (w *watcher) changed(all bool) bool {
	cfg, g := w.sh.cfg.Load(), w.sh.next.Load()
	dims := map[string]*Snapshot{}
	var fresh []*Snapshot
	for _, name := range cfg.dimensionNames() {
		d, old := cfg.Dimensions[name], g.dims[name]
		dims[name] = old
		stat, err := statOf(d.path)
		if !all && (err == nil && (old != nil && stat == old.stat || stat == w.failed[name]) || errors.Is(err, os.ErrNotExist) && old == nil) {
			continue
		}
		s, err := w.load(d, old, stat)
		if err != nil {
			if d.Optional && old == nil {
				continue
			}
			if w.refuse(name, stat, err); all {
				return false
			}
			continue
		}
		delete(w.failed, name)
		dims[name] = s
		fresh = append(fresh, s)
	}
	if len(fresh) == 0 && !all && maps.Equal(dims, g.dims) {
		return true
	}
	next, err := cfg.bind(dims)
	if err != nil {
		w.sh.metrics.failed("")
		w.sh.opt.Log.Error("reload refused", "error", err)
		return false
	}
	for _, s := range fresh {
		w.sh.took(s)
	}
	w.sh.next.Store(next)
	return true
}

// load reads a file once it stays as it is.
func (w *watcher) load(d *DimensionConfig, old *Snapshot, stat fileStat) (*Snapshot, error) {
	if time.Since(stat.mtime) < settle && !w.pause(settle) {
		return nil, errChanging
	}
	s, err := LoadDimension(d)
	if err != nil {
		return nil, err
	}
	err = guard(d, old, s)
	if err == nil {
		// Are the columns there that the rules write?
		_, err = w.sh.cfg.Load().bind(map[string]*Snapshot{d.name: s})
	}
	if err != nil {
		return nil, fmt.Errorf("load dimension %q from %s: %w", d.name, d.path, err)
	}
	return s, nil
}

// refuse tells of a file that is not taken, once for each state of it. One that is being written is tried again.
func (w *watcher) refuse(name string, stat fileStat, err error) {
	if errors.Is(err, errChanging) {
		return
	}
	if had, ok := w.failed[name]; ok && had == stat {
		return
	}
	w.failed[name] = stat
	w.sh.metrics.failed(name)
	w.sh.opt.Log.Error("dimension refused; the old snapshot stays in use", "dimension", name, "error", err)
}
