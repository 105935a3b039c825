package persist

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"leat/pkg/event"
	"leat/pkg/lake"
	"leat/pkg/row"
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
	cfg     *Config
	conv    *converter
	writer  *lake.Writer
	jobs    chan job
	done    chan struct{}
	pending []lake.Staged
	covered []*generation // converted and not committed yet

	mu  sync.Mutex
	err error
}

func newCommitter(ctx context.Context, cfg *Config, conv *converter, w *lake.Writer) *committer {
	c := &committer{cfg: cfg, conv: conv, writer: w, jobs: make(chan job), done: make(chan struct{})}
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
	files, bad, err := c.conv.convertAll(ctx, j.gen)
	if err != nil {
		return err
	}
	c.pending = append(c.pending, files...)
	c.covered = append(c.covered, j.gen)
	if len(bad) > 0 {
		if err := c.confess(ctx, j.gen, bad); err != nil {
			return err
		}
	}
	if !j.commit {
		return nil
	}
	if j.mark != nil {
		j.mark.Files, j.mark.Generation = c.pending, int64(j.gen.number)
		_, err = c.writer.CommitMark(ctx, *j.mark)
	} else if len(c.pending) > 0 {
		_, err = c.writer.CommitThrough(ctx, c.pending, j.why, int64(j.gen.number))
	}
	if err == nil {
		// Not before: until the log has their rows, a reader has them from here.
		for _, g := range c.covered {
			g.discard()
		}
	}
	c.pending, c.covered = nil, nil
	if errors.Is(err, lake.ErrSuperseded) {
		return fmt.Errorf("another process has taken over this pipeline: %w", err)
	}
	return err
}

// confess adds a file of pipeline_errors that stand for the rows that were damaged.
func (c *committer) confess(ctx context.Context, of *generation, bad []badRow) error {
	now := c.cfg.Now()
	g := newGeneration(of.dir, of.number)
	g.suffix = "-errors"
	enc := row.NewEncoder(c.conv.cols)
	var b event.Batch
	var line []byte
	for _, r := range bad {
		e := confess(&b, c.conv.cols, r, now)
		if err := e.Parse(); err != nil {
			return fmt.Errorf("damaged row: %w", err)
		}
		line = enc.Append(line[:0], e)
		p := partition{errorDataset, now.Unix() / 86400, len(line) > bigLine}
		s, ok := g.spills[p]
		if !ok {
			s = g.open(p)
		}
		if err := s.add(line, enc); err != nil {
			return err
		}
		c.cfg.Log.Warn("a damaged row is kept as a pipeline_error", "error", r.err)
	}
	c.cfg.Counters.Failed(len(bad))
	files, worse, err := c.conv.convertAll(ctx, g)
	if err == nil && len(worse) > 0 {
		err = fmt.Errorf("pipeline_error of a row: %w", worse[0].err)
	}
	c.pending = append(c.pending, files...)
	c.covered = append(c.covered, g)
	return err
}
