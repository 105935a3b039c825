package ingest

import (
	"log/slog"
	"path/filepath"

	"github.com/fsnotify/fsnotify"
)

// watcher tells of changes in folders. Without one (no inotify watch left) polling alone finds them, later.
type watcher struct {
	w    *fsnotify.Watcher
	log  *slog.Logger
	dirs map[string]bool
}

func newWatcher(log *slog.Logger) *watcher {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		log.Warn("no file events; files are polled", "error", err)
	}
	return &watcher{w: w, log: log, dirs: map[string]bool{}}
}

// add watches a folder, once. One that can't be watched is polled.
func (w *watcher) add(dir string) {
	if w.w == nil || w.dirs[dir] {
		return
	}
	if err := w.w.Add(dir); err != nil {
		w.log.Debug("folder is polled", "dir", dir, "error", err)
		return
	}
	w.dirs[dir] = true
}

func (w *watcher) events() <-chan fsnotify.Event {
	if w.w == nil {
		return nil
	}
	return w.w.Events
}

func (w *watcher) errors() <-chan error {
	if w.w == nil {
		return nil
	}
	return w.w.Errors
}

// poll passes on the events that are there.
func (w *watcher) poll(handle func(fsnotify.Event, bool)) {
	for {
		select {
		case ev, ok := <-w.events():
			handle(ev, ok)
			if !ok {
				return
			}
		default:
			return
		}
	}
}

func (w *watcher) close() {
	if w.w != nil {
		w.w.Close()
	}
}

// changed notes what one file event asks for.
func (t *tailer) changed(ev fsnotify.Event, ok bool) {
	if !ok {
		return
	}
	if k := t.byPath[ev.Name]; k != nil && k.f != nil && ev.Op == fsnotify.Write {
		t.enqueue(k)
		return
	}
	if ev.Op == fsnotify.Chmod {
		return
	}
	if ev.Has(fsnotify.Remove | fsnotify.Rename) {
		// A removed folder is watched anew when it is back.
		delete(t.watch.dirs, ev.Name)
	}
	if t.matches(ev.Name) || t.covers(family(ev.Name)) {
		t.rescan = true
	}
}

func (t *tailer) matches(path string) bool {
	for _, sp := range t.files {
		p := sp.path
		if ok, _ := filepath.Match(p, path); ok || p == path {
			return true
		}
	}
	return false
}
