package persist

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"leat/pkg/lake"
)

// job is one step of the committer: convert what a generation holds, and then commit, if it says so, all that was
// converted since the last commit.
type job struct {
	gen    *generation
	commit bool
	mark   *lake.MarkCommit // nil: of an unmarked pipe
	why    string
}

// committer converts and commits in a goroutine of its own, in the order of the jobs. After its first error it does nothing more.
type committer struct {
	conv    *converter
	writer  *lake.Writer
	jobs    chan job
	done    chan struct{}
	pending []lake.Staged

	mu  sync.Mutex
	err error
}

func newCommitter(ctx context.Context, conv *converter, w *lake.Writer) *committer {
	c := &committer{conv: conv, writer: w, jobs: make(chan job), done: make(chan struct{})}
	go func() {
		defer close(c.done)
		for j := range c.jobs {
			if c.failed() == nil {
				c.fail(c.run(ctx, j))
			}
		}
	}()
	return c
}

func (c *committer) failed() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

func (c *committer) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
	}
}

// submit hands a job over, waiting while the one before it is at work.
func (c *committer) submit(j job) error {
	c.jobs <- j
	return c.failed()
}

// close waits for what was submitted and returns the first error.
func (c *committer) close() error {
	close(c.jobs)
	<-c.done
	return c.failed()
}

func (c *committer) run(ctx context.Context, j job) error {
	for _, s := range j.gen.order {
		files, err := c.conv.convert(ctx, s)
		if err != nil {
			return fmt.Errorf("dataset %s, date %s: %w", s.dataset, s.date(), err)
		}
		c.pending = append(c.pending, files...)
	}
	if !j.commit {
		return nil
	}
	var err error
	if j.mark != nil {
		j.mark.Files = c.pending
		_, err = c.writer.CommitMark(ctx, *j.mark)
	} else if len(c.pending) > 0 {
		_, err = c.writer.CommitFiles(ctx, c.pending, j.why)
	}
	c.pending = nil
	if errors.Is(err, lake.ErrSuperseded) {
		return fmt.Errorf("another process has taken over this pipeline: %w", err)
	}
	return err
}
