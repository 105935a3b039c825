package detect

import (
	"io/fs"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// settle is how long files must stay as they are before they are read: a writer may be at work on them.
const settle = 300 * time.Millisecond

// watcher asks for a reload where a file changes that rules are read from.
type watcher struct {
	stage  *Stage
	notify *fsnotify.Watcher
	names  map[string]bool // files and links that count; folders below count as a whole
	dirs   map[string]bool
	done   chan struct{}
	ended  chan struct{}
}

// watch begins to follow what s's rules are read from. Where the system has no watches left, it is told once, and SIGHUP
// remains.
func (s *Stage) watch() {
	n, err := fsnotify.NewWatcher()
	if err != nil {
		s.cfg.Log.Warn("rules are not watched; SIGHUP reads them again", "error", err)
		return
	}
	w := &watcher{stage: s, notify: n, done: make(chan struct{}), ended: make(chan struct{})}
	w.follow()
	s.watcher = w
	go w.run()
}

// follow adds all that is there now; a file is followed by its folder, because editors and links replace it.
func (w *watcher) follow() {
	src := w.stage.cfg.sources()
	w.names, w.dirs = map[string]bool{}, map[string]bool{}
	for _, path := range src.watched() {
		path = filepath.Clean(path)
		w.names[path] = true
		w.add(filepath.Dir(path))
		root := path
		if real, err := filepath.EvalSymlinks(path); err == nil {
			root = real
		}
		_ = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				w.dirs[p] = true
				w.add(p)
			}
			return nil
		})
	}
}

func (w *watcher) add(dir string) {
	if err := w.notify.Add(dir); err != nil {
		w.stage.cfg.Log.Warn("folder is not watched; SIGHUP reads its rules again", "folder", dir, "error", err)
	}
}

func (w *watcher) run() {
	defer close(w.ended)
	timer := time.NewTimer(time.Hour)
	timer.Stop()
	defer timer.Stop()
	for {
		select {
		case <-w.done:
			return
		case ev, ok := <-w.notify.Events:
			if !ok {
				return
			}
			name := filepath.Clean(ev.Name)
			if ev.Op != fsnotify.Chmod && (w.names[name] || w.dirs[filepath.Dir(name)]) {
				timer.Reset(settle)
			}
		case err, ok := <-w.notify.Errors:
			if !ok {
				return
			}
			// Changes may have been lost: whatever they were, reading everything finds them.
			w.stage.cfg.Log.Warn("watching rules", "error", err)
			timer.Reset(settle)
		case <-timer.C:
			w.follow()
			w.stage.Reload()
		}
	}
}

func (w *watcher) close() {
	close(w.done)
	<-w.ended
	_ = w.notify.Close()
}
