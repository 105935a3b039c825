package ingest

import (
	"context"
	"fmt"

	"leat/pkg/lake"
	"leat/pkg/stage"
)

// lakeLedger reads a pipeline's committed mark from the lake's log.
type lakeLedger struct {
	lake    *lake.Lake
	session lake.Session
}

// takeOver makes the lake if there is none, fences every older process of the pipeline and returns what to resume from.
func takeOver(ctx context.Context, dir, pipeline string) (*lakeLedger, stage.Hello, error) {
	l, err := lake.Init(dir)
	if err != nil {
		return nil, stage.Hello{}, fmt.Errorf("resume from lake %q: %w", dir, err)
	}
	s, err := l.OpenPipeline(ctx, pipeline)
	if err != nil {
		return nil, stage.Hello{}, fmt.Errorf("resume from lake %q: %w", dir, err)
	}
	h := stage.Hello{Lake: s.Lake, Pipeline: s.Pipeline, Epoch: s.Epoch, Run: s.Run, Resume: s.Mark, ResumeRun: s.MarkRun}
	return &lakeLedger{lake: l, session: s}, h, nil
}

func (l *lakeLedger) committed() (int64, map[string]string, error) {
	st, err := l.lake.State()
	if err != nil {
		return 0, nil, fmt.Errorf("read the lake's log: %w", err)
	}
	p := st.Pipelines[l.session.Pipeline]
	if p.Epoch != l.session.Epoch || p.Run != l.session.Run {
		return 0, nil, fmt.Errorf("pipeline %q was taken over by epoch %d (host %s, pid %d): %w",
			p.Name, p.Epoch, p.Host, p.PID, lake.ErrSuperseded)
	}
	return p.Mark, p.Positions, nil
}
