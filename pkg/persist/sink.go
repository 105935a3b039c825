package persist

import (
	"context"
	"errors"
	"time"

	"leat/pkg/event"
	"leat/pkg/lake"
	"leat/pkg/row"
	"leat/pkg/stage"
)

// Sink writes to one lake. It is a stage.Sink and a stage.Ticker.
type Sink struct {
	cfg    Config
	lake   *lake.Lake
	writer *lake.Writer
	conv   *converter
	commit *committer
	cancel context.CancelFunc

	enc     *row.Encoder
	line    []byte
	scratch []byte

	gen     *generation
	number  int                    // of the newest generation
	parts   map[partition]struct{} // since the last commit
	names   map[string]string      // dataset -> name of its partitions, of some that were seen
	since   time.Time              // when the oldest event of gen came
	today   int64
	dirty   bool // events since the last commit
	last    *spill
	started time.Time
	flushed time.Time // when gen was written out last

	hello *stage.Hello
	prev  int64 // the mark that was handed to the committer last
	begun bool
	err   error
}

// New opens, or makes, the lake and becomes one of its writers; what dead writers left is swept.
func New(ctx context.Context, cfg Config) (*Sink, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	l, err := lake.Init(cfg.Dir)
	if err != nil {
		return nil, err
	}
	w, err := l.NewWriter(ctx)
	if err != nil {
		return nil, err
	}
	cols := row.Standard()
	conv, err := newConverter(cols, w.Staging(), cfg.Threads)
	if err != nil {
		_ = w.Close()
		return nil, err
	}
	// Commits go on when the input was told to end: what is in the pipe belongs to the lake.
	bg, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s := &Sink{
		cfg: cfg, lake: l, writer: w, conv: conv, commit: newCommitter(bg, &cfg, conv, w), cancel: cancel,
		enc: row.NewEncoder(cols), scratch: make([]byte, 0, 128), parts: map[partition]struct{}{}, names: map[string]string{}, started: cfg.Now(),
	}
	s.next()
	return s, nil
}

func (s *Sink) next() {
	s.number++
	s.gen = newGeneration(s.writer.Staging(), s.number)
	s.last = nil
}

// Hello begins a marked pipe.
func (s *Sink) Hello(h stage.Hello) error {
	if s.err != nil {
		return s.err
	}
	if err := s.admit(h); err != nil {
		return s.fail(err)
	}
	s.hello, s.prev, s.begun = &h, h.Resume, true
	return nil
}

// Batch takes events in. They are in the lake when a commit comes that covers them.
func (s *Sink) Batch(b *event.Batch) error {
	if err := s.ready(); err != nil {
		return err
	}
	for _, e := range b.Events {
		if err := e.Parse(); err != nil {
			b.Fail(e, "persist", "json", err.Error())
			s.cfg.Counters.Failed(1)
			if err := e.Parse(); err != nil {
				return s.fail(err)
			}
		}
		if err := s.take(e); err != nil {
			return s.fail(err)
		}
	}
	if s.gen.rows >= s.cfg.MaxRows || s.gen.bytes >= s.cfg.MaxBytes {
		return s.roll("size")
	}
	return s.Tick(s.cfg.Now())
}

// ready tells whether events may come.
func (s *Sink) ready() error {
	if s.err == nil {
		s.err = s.commit.failed()
	}
	if s.err != nil {
		return s.err
	}
	if !s.begun {
		s.begun = true
		if err := s.unmarked(); err != nil {
			return s.fail(err)
		}
	}
	return nil
}

func (s *Sink) take(e *event.Event) error {
	s.line = s.enc.Append(s.line[:0], e)
	if s.gen.rows == 0 {
		s.since = s.cfg.Now()
		s.today = s.since.Unix() / 86400
	}
	sp := s.spill()
	n := len(s.line)
	s.gen.rows++
	s.gen.bytes += int64(n)
	s.dirty = true
	return sp.add(s.line, s.enc)
}

// spill returns where the row that was encoded last belongs.
func (s *Sink) spill() *spill {
	name := datasetOf(s.enc, s.scratch)
	day, big := dayOf(s.enc, s.today), len(s.line) > bigLine
	if l := s.last; l != nil && l.day == day && l.big == big && l.dataset == string(name) {
		return l
	}
	p := partition{s.named(name), day, big}
	if _, ok := s.parts[p]; !ok {
		if len(s.parts) >= maxPartitions {
			p = partition{lake.OtherDataset, s.today, big}
		}
		s.parts[p] = struct{}{}
	}
	sp, ok := s.gen.spills[p]
	if !ok {
		sp = s.gen.open(p)
	}
	s.last = sp
	return sp
}

// maxNames bounds the memory of names: they are anybody's to make up.
const maxNames = 1024

// named returns the name of the dataset's partitions.
func (s *Sink) named(dataset []byte) string {
	if n, ok := s.names[string(dataset)]; ok {
		return n
	}
	if len(s.names) >= maxNames {
		clear(s.names)
	}
	n := lake.PartitionName(string(dataset))
	if len(dataset) <= len(n)+maxNames {
		s.names[string(dataset)] = n
	}
	return n
}

// roll hands over what was taken in. Only in an unmarked pipe that commits.
func (s *Sink) roll(why string) error {
	if err := s.gen.flush(); err != nil {
		return s.fail(err)
	}
	j := job{gen: s.gen, commit: s.hello == nil, why: why}
	s.next()
	if j.commit {
		s.dirty = false
		clear(s.parts)
	}
	if err := s.commit.submit(j); err != nil {
		return s.fail(err)
	}
	return nil
}

// Mark commits all that came before it, together with its positions. One that says nothing new is skipped.
func (s *Sink) Mark(m stage.Mark) error {
	if err := s.ready(); err != nil {
		return err
	}
	if s.hello == nil {
		return s.fail(errors.New("a mark in a pipe without a hello"))
	}
	if !s.dirty && len(m.Sources) == 0 && !m.End {
		return nil
	}
	if err := s.gen.flush(); err != nil {
		return s.fail(err)
	}
	j := job{gen: s.gen, commit: true, mark: &lake.MarkCommit{
		Pipeline: s.hello.Pipeline, Run: s.hello.Run, Epoch: s.hello.Epoch,
		Prev: s.prev, Mark: m.N, Since: m.Since, Positions: m.Sources, End: m.End,
	}}
	s.prev, s.dirty = m.N, false
	clear(s.parts)
	s.next()
	if err := s.commit.submit(j); err != nil {
		return s.fail(err)
	}
	return nil
}

// hotEvery is how far what can be read before its commit lies behind what was taken in, at most.
const hotEvery = time.Second

// Tick commits what has waited for MaxAge in an unmarked pipe, and lets others read what waits for a commit (see Hot).
func (s *Sink) Tick(now time.Time) error {
	if s.err == nil {
		s.err = s.commit.failed()
	}
	if s.err != nil {
		return s.err
	}
	if s.hello == nil && s.gen.rows > 0 && now.Sub(s.since) >= s.cfg.MaxAge {
		return s.roll("age")
	}
	// Ticks come about every second: one that comes a little early must not wait for the next.
	if now.Sub(s.flushed) > hotEvery*9/10 {
		s.flushed = now
		if err := s.gen.flush(); err != nil {
			return s.fail(err)
		}
	}
	return nil
}

// Close commits the rest of an unmarked pipe; that of a marked one is thrown away. It waits for all commits.
func (s *Sink) Close() error {
	if s.err == nil && s.hello == nil && s.gen.rows > 0 {
		// The error, if any, is kept by the committer.
		_ = s.roll("end of input")
	}
	s.gen.discard()
	err := s.commit.close()
	if s.err != nil {
		err = s.err
	}
	s.cancel()
	if werr := s.writer.Close(); err == nil {
		err = werr
	}
	return err
}

func (s *Sink) fail(err error) error {
	if s.err == nil {
		s.err = err
	}
	return s.err
}
