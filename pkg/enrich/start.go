package enrich

import (
	"context"
	"errors"
	"time"

	"leat/pkg/dimension"
)

// first loads every dimension at the start. One that an earlier run left on disk is in use at once, whatever became of its
// source.
func (sh *shared) first(ctx context.Context, cfg *Config) (*generation, map[string]*keeper, error) {
	dims, keepers := map[string]*Snapshot{}, map[string]*keeper{}
	var faults []error
	for _, name := range cfg.dimensionNames() {
		d := cfg.Dimensions[name]
		if d.live() {
			continue
		}
		k, err := newKeeper(cfg, d, &sh.opt)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		keepers[name] = k
		s := k.warm()
		if s == nil || !k.remote() || sh.opt.Fresh {
			now, err := sh.load(ctx, k, s)
			if err == nil && s != nil {
				// One that the rules do not fit is refused, as it would be while the stream flows.
				_, err = cfg.bind(map[string]*Snapshot{name: now}, sh)
			}
			switch {
			case err == nil:
				k.save(now, true)
				s = now
			case errors.Is(err, dimension.ErrUnchanged):
			case s != nil:
				k.failed(err, k.failure(err))
				sh.refused(k, s, err)
			case d.Optional:
				sh.metrics.failed(name)
				sh.opt.Log.Warn("optional dimension is not there; its look-ups have the status error", "dimension", name, "error", err)
			default:
				faults = append(faults, cfg.file.At(d.at(), "%v", err))
			}
		}
		if s != nil {
			sh.took(s)
		}
		dims[name] = s
	}
	err := errors.Join(faults...)
	if err == nil {
		var g *generation
		if g, err = cfg.bind(dims, sh); err == nil {
			return g, keepers, nil
		}
	}
	return nil, nil, errors.Join(err, closeKeepers(keepers))
}

// firstWait is how long a start waits for a source that is optional: it is asked again at once, beside the stream.
const firstWait = 10 * time.Second

func (sh *shared) load(ctx context.Context, k *keeper, had *Snapshot) (*Snapshot, error) {
	if k.cfg.Optional && k.remote() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, firstWait)
		defer cancel()
	}
	return k.load(ctx, had, sh.opt.Force)
}

func closeKeepers(keepers map[string]*keeper) error {
	var faults []error
	for _, k := range keepers {
		faults = append(faults, k.close())
	}
	return errors.Join(faults...)
}

func (sh *shared) took(s *Snapshot) {
	sh.metrics.loaded(s)
	log := sh.opt.Log.Info
	if s.Duplicates > 0 {
		log = sh.opt.Log.Warn
	}
	log("dimension loaded", "dimension", s.Name, "version", s.Version, "rows", s.Rows, "keys", s.Keys, "duplicates", s.Duplicates)
}
