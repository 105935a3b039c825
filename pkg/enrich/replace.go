package enrich

import (
	"errors"

	"leat/pkg/dimension"
)

// reread takes enrich.yaml anew. Where it, or any file, is broken, all stays as it was.
func (w *watcher) reread() {
	old := w.sh.cfg.Load()
	cfg, err := Load(old.path)
	if err == nil {
		err = w.replace(cfg)
	}
	if err != nil {
		w.sh.metrics.failed("")
		w.sh.opt.Log.Error("reload refused; the old configuration stays", "error", err)
		return
	}
	w.follow()
	w.sh.opt.Log.Info("configuration reloaded", "file", cfg.path)
}

// replace loads every file anew and goes on with cfg. A source whose part of the configuration is what it was keeps what
// it has.
func (w *watcher) replace(cfg *Config) error {
	if err := w.sh.sameLive(cfg); err != nil {
		return err
	}
	w.stop()
	w.remote.Wait()
	defer w.ask()
	g := w.sh.next.Load()
	dims, keepers := map[string]*Snapshot{}, map[string]*keeper{}
	var opened []error
	for _, name := range cfg.dimensionNames() {
		if cfg.Dimensions[name].live() {
			continue
		}
		k, err := newKeeper(cfg, cfg.Dimensions[name], &w.sh.opt)
		if err != nil {
			opened = append(opened, err)
			continue
		}
		if was := w.keepers[name]; was != nil && was.note == k.note && k.remote() {
			opened = append(opened, k.close())
			keepers[name], dims[name] = was, g.dims[name]
			was.cfg = k.cfg
			continue
		}
		keepers[name] = k
		if k.remote() {
			if dims[name] = k.warm(); dims[name] != nil {
				continue
			}
		}
		if dims[name], err = w.anew(k, g.dims[name]); err != nil && !(k.cfg.Optional && g.dims[name] == nil) {
			opened = append(opened, err)
		}
	}
	next, err := cfg.bind(dims, w.sh)
	if err = errors.Join(errors.Join(opened...), err); err != nil {
		for name, k := range keepers {
			if k != w.keepers[name] {
				err = errors.Join(err, k.close())
			}
		}
		return err
	}
	for name, s := range dims {
		if s != nil && s != g.dims[name] {
			w.sh.took(s)
		}
	}
	gone := map[string]*keeper{}
	for name, k := range w.keepers {
		if keepers[name] != k {
			gone[name] = k
		}
	}
	w.keepers = keepers
	w.sh.cfg.Store(cfg)
	w.sh.next.Store(next)
	return closeKeepers(gone)
}

// anew reads what k's configuration, which may be a new one, names.
func (w *watcher) anew(k *keeper, old *Snapshot) (*Snapshot, error) {
	if was := w.keepers[k.cfg.name]; was != nil && was.note == k.note {
		s, err := w.read(k, old)
		if errors.Is(err, dimension.ErrUnchanged) {
			return old, nil
		}
		return s, err
	}
	s, err := w.read(k, nil)
	if err == nil {
		err = guard(k.cfg, old, s)
	}
	return s, err
}
