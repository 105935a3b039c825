package detect

// Reload reads the rules anew; where all is well they replace the old ones, at the next mark or in an unmarked pipe between
// two batches, and else the old ones stay and the log says why.
func (s *Stage) Reload() {
	s.shared.again.Store(true)
	if !s.shared.loading.CompareAndSwap(false, true) {
		return
	}
	go func() {
		for s.shared.again.Swap(false) {
			s.reload()
		}
		s.shared.loading.Store(false)
		if s.shared.again.Load() {
			s.Reload() // asked for between the last look and the end
		}
	}()
}

// reload reads the rules anew and leaves them where the stage finds them.
func (s *Stage) reload() {
	set, err := load(s.cfg)
	if err == nil {
		_, err = newCorrelator(&s.cfg, set)
	}
	if err == nil && set.remembers() && s.shared.marked.Load() && s.cfg.State == "" {
		if err = ErrNoState; set.builtin() {
			set, err = set.withoutMemory(), nil
		}
	}
	if err != nil {
		s.cfg.Log.Error("rules not reloaded, the old ones stay", "error", err)
		return
	}
	s.shared.set.Store(set)
}
