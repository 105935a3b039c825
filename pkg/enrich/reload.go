package enrich

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/fsnotify/fsnotify"

	"leat/pkg/dimension"
)

const (
	defaultPoll = 2 * time.Second
	// settle is how long a changed file must stay as it is before it is read: a writer may be at work on it.
	settle = 150 * time.Millisecond
)

// watcher keeps dimensions at their newest: one goroutine for all files, one for each source that may be slow.
type watcher struct {
	sh     *shared
	notify *fsnotify.Watcher // nil: only polling
	hup    chan struct{}
	done   chan struct{}
	wg     sync.WaitGroup

	keepers map[string]*keeper
	remote  sync.WaitGroup // the goroutines of the sources
	stop    context.CancelFunc
	ctx     context.Context // of reading files
	end     context.CancelFunc
	mu      sync.Mutex // held while the next generation is made
}

func startWatcher(sh *shared, keepers map[string]*keeper) *watcher {
	w := &watcher{sh: sh, hup: make(chan struct{}, 1), done: make(chan struct{}), keepers: keepers}
	w.ctx, w.end = context.WithCancel(context.Background())
	if !sh.opt.Fixed {
		// Where the system has no watches left, polling sees the change too.
		if n, err := fsnotify.NewWatcher(); err == nil {
			w.notify = n
			w.follow()
		} else {
			sh.opt.Log.Warn("files are polled only", "error", err)
		}
	}
	w.ask()
	w.wg.Go(w.run)
	return w
}

// follow watches the folders of all files: a file that is replaced by rename is another one.
func (w *watcher) follow() {
	if w.notify == nil {
		return
	}
	for _, d := range w.sh.cfg.Load().Dimensions {
		if d.path == "" {
			continue
		}
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

func (w *watcher) close() error {
	close(w.done)
	w.end()
	w.wg.Wait()
	w.stop()
	w.remote.Wait()
	err := closeKeepers(w.keepers)
	if w.notify != nil {
		err = errors.Join(err, w.notify.Close())
	}
	return err
}

// ask starts the goroutines that ask the sources, each at its interval.
func (w *watcher) ask() {
	ctx, stop := context.WithCancel(context.Background())
	w.stop = stop
	if w.sh.opt.Fixed {
		return
	}
	for _, k := range w.keepers {
		if k.remote() {
			w.remote.Go(func() { w.keep(ctx, k) })
		}
	}
}

// keep asks one source until ctx ends: at once, and then at its interval.
func (w *watcher) keep(ctx context.Context, k *keeper) {
	t := time.NewTicker(k.cfg.Interval)
	defer t.Stop()
	for {
		old := w.sh.next.Load().dims[k.cfg.name]
		s, err := k.load(ctx, old, false)
		if err == nil {
			err = w.install(k.cfg.name, s)
		}
		switch {
		case ctx.Err() != nil:
			return
		case errors.Is(err, dimension.ErrUnchanged):
			w.mended(k, old)
			k.confirm(w.sh.opt.Now())
		case err != nil:
			if k.failed(err, err.Error()) {
				w.sh.refused(k, old, err)
			}
		default:
			w.mended(k, s)
			k.confirm(w.sh.opt.Now())
			k.save(s, old == nil)
		}
		k.save(nil, false)
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
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
			w.changed()
		case <-tick:
			w.changed()
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

// changed loads the files that are not those in use. One that is refused leaves its old snapshot in use.
func (w *watcher) changed() {
	cfg, g := w.sh.cfg.Load(), w.sh.next.Load()
	for _, name := range cfg.dimensionNames() {
		k, old := w.keepers[name], g.dims[name]
		if k == nil || k.remote() {
			continue
		}
		key, _, err := cursorOf(k.cfg.path)
		switch {
		case err != nil && old == nil, err == nil && key == k.told:
			continue
		case err == nil && old != nil && key == old.Cursor:
			// Where the file that was refused gave way to the one in use.
			w.mended(k, old)
			continue
		case err != nil:
			key = notThere
		}
		s, err := w.read(k, old)
		if err == nil {
			err = w.install(name, s)
		}
		switch {
		case err == nil:
			w.mended(k, s)
			k.save(s, true)
		case errors.Is(err, dimension.ErrUnchanged):
		case k.failed(err, key):
			w.sh.refused(k, old, err)
		}
	}
}

// refused counts and tells a failure, of a dimension that has s still.
func (sh *shared) refused(k *keeper, s *Snapshot, err error) {
	sh.metrics.failed(k.cfg.name)
	sh.tell(notice{action: "dimension-failed", cfg: k.cfg, snap: s, reason: firstLine(err.Error())})
}

// mended tells that what was refused, or away, is well again with s.
func (w *watcher) mended(k *keeper, s *Snapshot) {
	if k.mended() {
		w.sh.tell(notice{action: "dimension-recovered", cfg: k.cfg, snap: s})
	}
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

// install makes the next generation with a new snapshot in it, once the rules are found to fit.
func (w *watcher) install(name string, s *Snapshot) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	cfg, g := w.sh.cfg.Load(), w.sh.next.Load()
	dims := maps.Clone(g.dims)
	dims[name] = s
	next, err := cfg.bind(dims, w.sh)
	if err != nil {
		return fmt.Errorf("load dimension %q: %w", name, err)
	}
	w.sh.took(s)
	w.sh.next.Store(next)
	return nil
}

// read reads a file once it stays as it is.
func (w *watcher) read(k *keeper, old *Snapshot) (*Snapshot, error) {
	if !k.remote() {
		fi, err := os.Stat(k.cfg.path)
		if err == nil && time.Since(fi.ModTime()) < settle && !w.pause(settle) {
			return nil, errChanging
		}
	}
	return k.load(w.ctx, old, false)
}
