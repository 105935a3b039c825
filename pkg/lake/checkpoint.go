package lake

import (
	"fmt"
	"os"
)

const (
	// checkpointEvery is how many entries lie between two checkpoints.
	checkpointEvery = 100
	// checkpointsKept is how many stay; more than one, because the newest may be torn.
	checkpointsKept  = 3
	checkpointPrefix = "checkpoint-"
)

func checkpointName(n int64) string { return checkpointPrefix + entryName(n) }

// writeCheckpoint saves what the log says up to s.N. It is never the only truth: the entries stay.
func (l *Lake) writeCheckpoint(s *State) error {
	data, err := sealed(s)
	if err != nil {
		return fmt.Errorf("checkpoint %d: %w", s.N, err)
	}
	tmp := l.path("log", "tmp", newID())
	f, err := lockNew(tmp)
	if err != nil {
		return fmt.Errorf("checkpoint %d: %w", s.N, err)
	}
	defer f.Close()
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = os.Rename(tmp, l.path("log", checkpointName(s.N)))
	}
	if err != nil {
		os.Remove(tmp)
		return fmt.Errorf("checkpoint %d: %w", s.N, err)
	}
	if old := s.N - checkpointsKept*checkpointEvery; old > 0 {
		_ = os.Remove(l.path("log", checkpointName(old)))
	}
	return nil
}

// checkpoint reads one, or returns nil where it is missing, torn, or does not fit the entry that it stands for.
func (l *Lake) checkpoint(n int64) *State {
	data, err := os.ReadFile(l.path("log", checkpointName(n)))
	if err != nil {
		return nil
	}
	s := l.empty()
	if unseal(data, s) != nil || s.N != n {
		return nil
	}
	if _, sum, err := l.entry(n); err != nil || sum != s.Hash {
		return nil
	}
	return s
}
