package persist

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"
	"time"

	"leat/pkg/lake"
	"leat/pkg/stage"
)

// ErrRefused says that what came in is not for this lake in its present state, or not in this way: a matter of how the
// pipe was put together. Nothing was committed.
var ErrRefused = errors.New("refused")

// admit checks a hello against the lake's record: only a stream that was begun by the newest opener of its pipeline may commit.
func (s *Sink) admit(h stage.Hello) error {
	if s.cfg.Unmarked {
		return fmt.Errorf("%w: a marked stream came in, and --unmarked was given", ErrRefused)
	}
	if h.Lake != s.lake.ID() {
		return fmt.Errorf("%w: the stream is for lake %q, and this is lake %q", ErrRefused, h.Lake, s.lake.ID())
	}
	st, err := s.lake.State()
	if err != nil {
		return err
	}
	p, ok := st.Pipelines[h.Pipeline]
	switch {
	case !ok:
		return fmt.Errorf("%w: no pipeline %q was ever opened on this lake (forged hello?)", ErrRefused, h.Pipeline)
	case h.Epoch < p.Epoch:
		return fmt.Errorf("%w: the stream is of epoch %d of pipeline %q, and another process opened epoch %d at %s (pid %d on %s)",
			ErrRefused, h.Epoch, h.Pipeline, p.Epoch, p.Opened.Format(time.RFC3339), p.PID, p.Host)
	case h.Epoch != p.Epoch || h.Run != p.Run:
		return fmt.Errorf("%w: the lake did not give out this run of pipeline %q (forged hello?)", ErrRefused, h.Pipeline)
	case h.Resume != p.Mark:
		return fmt.Errorf("%w: the stream goes on behind mark %d of pipeline %q, and the lake holds mark %d (an old copy of a stream?)",
			ErrRefused, h.Resume, h.Pipeline, p.Mark)
	}
	return nil
}

// openedWith is how long before this process an ingest of the same pipe may have opened its pipeline.
const openedWith = 30 * time.Second

// unmarked is asked when the first event comes without a hello: a filter may have taken the marks away.
func (s *Sink) unmarked() error {
	if !s.cfg.Unmarked {
		st, err := s.lake.State()
		if err != nil {
			return err
		}
		for _, p := range sorted(st.Pipelines) {
			if p.Open && !s.gone(p) {
				return fmt.Errorf("%w: the marks were filtered out before me: pipeline %q is open on this lake (since %s, pid %d on %s) and these events come without its hello. "+
					"Put `leat via --` before the filter between ingest and persist; if these events are no part of that pipeline, give --unmarked",
					ErrRefused, p.Name, p.Opened.Format(time.RFC3339), p.PID, p.Host)
			}
		}
	}
	s.cfg.Log.Warn("no marks in this pipe: delivery is at least once; for exactly once begin it with `ingest --resume LAKE`")
	return nil
}

// gone tells whether a pipeline that was never ended can't be the one in whose pipe this process is: its opener ran on
// this host, is dead, and opened it well before this process began.
func (s *Sink) gone(p lake.Pipeline) bool {
	host, err := os.Hostname()
	if err != nil || host != p.Host || s.started.Sub(p.Opened) < openedWith {
		return false
	}
	return errors.Is(syscall.Kill(p.PID, 0), syscall.ESRCH)
}

func sorted(pipelines map[string]lake.Pipeline) []lake.Pipeline {
	var out []lake.Pipeline
	for _, p := range pipelines {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b lake.Pipeline) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return out
}
