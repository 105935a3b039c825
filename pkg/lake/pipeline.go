package lake

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
)

// Session is what a process needs to go on with a pipeline that it has taken over.
type Session struct {
	Lake      string // the lake's id
	Pipeline  string
	Run       string // unguessable: what bears it comes from this session
	Epoch     int64
	Mark      int64             // the newest committed mark; 0 = none
	MarkRun   string            // the run that committed it; "" = not known
	Positions map[string]string // as of that mark; the caller's own
}

// OpenPipeline fences every older process of that pipeline (epoch+1 and a new run id) and returns what to resume from.
func (l *Lake) OpenPipeline(ctx context.Context, name string) (Session, error) {
	if name == "" {
		return Session{}, errors.New("open pipeline: it has no name")
	}
	if err := l.checkNewest(ctx); err != nil {
		return Session{}, fmt.Errorf("open pipeline %q: %w", name, err)
	}
	var id [16]byte
	if _, err := rand.Read(id[:]); err != nil {
		return Session{}, fmt.Errorf("open pipeline %q: %w", name, err)
	}
	run := hex.EncodeToString(id[:])
	s, err := l.Commit(ctx, func(s *State) (*Entry, error) {
		return &Entry{Kind: KindOpen, Pipeline: name, Epoch: s.Pipelines[name].Epoch + 1, Run: run}, nil
	})
	if err != nil {
		return Session{}, fmt.Errorf("open pipeline %q: %w", name, err)
	}
	p := s.Pipelines[name]
	positions := maps.Clone(p.Positions)
	if positions == nil {
		positions = map[string]string{}
	}
	return Session{Lake: l.id, Pipeline: name, Run: run, Epoch: p.Epoch, Mark: p.Mark, MarkRun: p.MarkRun, Positions: positions}, nil
}

// admits tells whether a mark may be committed on s: compare-and-swap on (pipeline, epoch, run, previous mark).
func (m *MarkCommit) admits(s *State) error {
	p := s.Pipelines[m.Pipeline]
	if (p.Epoch != m.Epoch || p.Run != m.Run) && !weakened("no-fence") {
		return fmt.Errorf("pipeline %q is at epoch %d, opened by %s (pid %d) at %s; this is epoch %d: %w",
			m.Pipeline, p.Epoch, p.Host, p.PID, p.Opened.Format("2006-01-02 15:04:05Z07:00"), m.Epoch, ErrSuperseded)
	}
	if weakened("no-mark-check") {
		return nil
	}
	if p.Mark != m.Prev {
		return fmt.Errorf("pipeline %q holds mark %d, not %d: %w", m.Pipeline, p.Mark, m.Prev, ErrSuperseded)
	}
	if m.Mark <= m.Prev {
		return fmt.Errorf("mark %d does not come after mark %d", m.Mark, m.Prev)
	}
	if m.Since > p.Mark {
		return fmt.Errorf("mark %d names only what changed since mark %d, and the lake holds mark %d", m.Mark, m.Since, p.Mark)
	}
	return nil
}
