package persist

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"syscall"

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
	merger  *merger
	merges  int // commits with merged files since the last purge

	mu  sync.Mutex
	err error
}

func newCommitter(ctx context.Context, cfg *Config, conv *converter, w *lake.Writer) *committer {
	c := &committer{cfg: cfg, conv: conv, writer: w, jobs: make(chan job), done: make(chan struct{}), merger: newMerger(conv.dir, cfg.KeepSmall)}
	go func() {
		defer close(c.done)
		for j := range c.jobs {
			if c.failed() == nil {
				c.fail(c.run(ctx, j))
			}
		}
		if c.failed() == nil {
			c.purge(ctx)
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
	var plan func(*spill) ([]*kept, int)
	if j.commit {
		plan = c.merger.plan
	}
	done, err := c.conv.convertAll(ctx, j.gen, plan)
	if errors.Is(err, syscall.ENOSPC) && c.merger.space > 0 {
		// What is kept only to save files must not fill the disk.
		c.merger.forget()
		done, err = c.conv.convertAll(ctx, j.gen, nil)
	}
	if err != nil {
		return err
	}
	c.covered = append(c.covered, j.gen)
	if err := c.confess(ctx, j.gen, done); err != nil {
		return err
	}
	if !j.commit {
		c.pending = append(c.pending, files(done)...)
		return nil
	}
	s, err := c.commit(ctx, j, done)
	if errors.Is(err, lake.ErrReplaced) {
		// Somebody has taken one of those files out, or holds them: their rows are not ours to bring again.
		c.merger.forget()
		if done, err = c.conv.convertAll(ctx, j.gen, nil); err != nil {
			return err
		}
		s, err = c.commit(ctx, j, done)
	}
	if errors.Is(err, lake.ErrSuperseded) {
		return fmt.Errorf("another process has taken over this pipeline: %w", err)
	}
	if err != nil {
		return err
	}
	c.settle(ctx, s, done)
	return nil
}

// commit brings what was converted since the last commit, done last of all, into the lake.
func (c *committer) commit(ctx context.Context, j job, done []converted) (*lake.State, error) {
	m := lake.MarkCommit{}
	if j.mark != nil {
		m = *j.mark
	}
	m.Files = append(slices.Clip(c.pending), files(done)...)
	m.Generation, m.Replaced = int64(j.gen.number), replaced(done)
	if j.mark != nil {
		return c.writer.CommitMark(ctx, m)
	}
	if len(m.Files) == 0 {
		return nil, nil
	}
	return c.writer.CommitThrough(ctx, m, j.why)
}

// purgeEvery is how many merges gather before the files that they replaced are deleted.
const purgeEvery = 8

// settle clears up behind a commit. Not before: until the log has the rows of a spill, a reader has them from there.
func (c *committer) settle(ctx context.Context, s *lake.State, done []converted) {
	if s != nil {
		c.merger.number++
		paths := committed(s)
		for i := range done {
			c.merger.keep(&done[i], paths[done[i].file.SHA256])
		}
	}
	for _, g := range c.covered {
		g.discard()
	}
	c.pending, c.covered = nil, nil
	if len(replaced(done)) > 0 {
		c.merges++
	}
	if c.merges >= purgeEvery {
		c.merges = 0
		c.purge(ctx)
	}
}

// purge deletes the files that were replaced; what can't be is left for retain.
func (c *committer) purge(ctx context.Context) {
	if _, err := c.writer.Purge(ctx); err != nil {
		c.cfg.Log.Warn("small files that were merged can't be deleted now", "error", err)
	}
}

// confess adds a file of pipeline_errors that stand for the rows that were damaged.
func (c *committer) confess(ctx context.Context, of *generation, done []converted) error {
	var bad []badRow
	for i := range done {
		bad = append(bad, done[i].bad...)
	}
	if len(bad) == 0 {
		return nil
	}
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
	made, err := c.conv.convertAll(ctx, g, nil)
	if err != nil {
		return err
	}
	for i := range made {
		if len(made[i].bad) > 0 {
			return fmt.Errorf("pipeline_error of a row: %w", made[i].bad[0].err)
		}
	}
	c.pending = append(c.pending, files(made)...)
	c.covered = append(c.covered, g)
	return nil
}
