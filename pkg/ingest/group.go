package ingest

import (
	"context"
	"sync"
)

// group is some goroutines of which the first error stops all.
type group struct {
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	mu     sync.Mutex
	ended  bool
	err    error
}

func newGroup(parent context.Context) *group {
	ctx, cancel := context.WithCancel(parent)
	return &group{ctx: ctx, cancel: cancel}
}

func (g *group) run(f func(context.Context) error) {
	g.wg.Go(func() {
		if err := f(g.ctx); err != nil {
			g.fail(err)
		}
	})
}

func (g *group) fail(err error) {
	g.mu.Lock()
	if !g.ended && g.err == nil {
		g.err = err
	}
	g.mu.Unlock()
	g.cancel()
}

// failed tells whether it was an error that stopped the group.
func (g *group) failed() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.err != nil
}

func (g *group) wait() error {
	g.wg.Wait()
	g.cancel()
	// fail may be called from outside until the very end.
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ended = true
	return g.err
}
