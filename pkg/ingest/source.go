package ingest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"leat/pkg/stage"
)

// Source reads its sources and hands on batches of wrapped records, with marks between them where it resumes from a lake.
type Source struct {
	cfg  Config
	list []spec
}

// New checks the configuration; nothing is opened yet.
func New(cfg Config) (*Source, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	list, err := parseSources(cfg.Sources)
	if err != nil {
		return nil, err
	}
	if errs := checkPaths(list, cfg.Follow); len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return &Source{cfg: cfg, list: list}, nil
}

// checkPaths finds what can't be read before anything is written. A FIFO or device becomes a stream.
func checkPaths(list []spec, follow bool) (errs []error) {
	for i, s := range list {
		if s.kind != kindFile {
			continue
		}
		info, err := os.Stat(s.path)
		switch {
		case err == nil && info.IsDir():
			errs = append(errs, fmt.Errorf("source %q: a directory; expected a file or a glob such as %q", s.text, s.text+"/*"))
		case err == nil && info.Mode()&(fs.ModeNamedPipe|fs.ModeCharDevice|fs.ModeSocket) != 0:
			list[i].kind = kindStream
		case err == nil:
			f, err := os.Open(s.path)
			if err != nil {
				errs = append(errs, fmt.Errorf("source: %w", err))
				continue
			}
			f.Close()
		case follow:
		case !errors.Is(err, fs.ErrNotExist):
			errs = append(errs, fmt.Errorf("source: %w", err))
		default:
			if paths, _ := filepath.Glob(s.path); len(paths) == 0 {
				errs = append(errs, fmt.Errorf("source %q: no such file", s.text))
			}
		}
	}
	return errs
}

// Run reads until every source has ended or ctx is done, which is the orderly end of a followed one. It returns nil after
// the last mark is written; an error names its source.
func (s *Source) Run(ctx context.Context, sink stage.Sink) error {
	em := newEmitter(&s.cfg, sink)
	positions := map[string]string{}
	if s.cfg.Resume != "" {
		led, hello, err := takeOver(ctx, s.cfg.Resume, s.cfg.Pipeline)
		if err != nil {
			return err
		}
		if err := em.begin(led, hello); err != nil {
			return err
		}
		positions = led.session.Positions
	}
	if err := s.read(ctx, em, positions); err != nil {
		return err
	}
	return em.end()
}

// read runs a goroutine for each source that has to be waited for, and one for all files.
func (s *Source) read(ctx context.Context, em *emitter, positions map[string]string) error {
	group := newGroup(ctx)
	clock, stopClock := context.WithCancel(context.WithoutCancel(ctx))
	var clockErr error
	var clocks sync.WaitGroup
	clocks.Go(func() {
		if clockErr = em.clock(clock); clockErr != nil {
			group.fail(clockErr)
		}
	})
	if err := s.start(group, em, positions); err != nil {
		group.fail(err)
	}
	err := group.wait()
	stopClock()
	clocks.Wait()
	return err
}

func (s *Source) start(g *group, em *emitter, positions map[string]string) error {
	var files []string
	for _, sp := range s.list {
		switch sp.kind {
		case kindFile:
			files = append(files, sp.path)
		case kindStdin:
			st := &stream{name: "-", in: s.cfg.Stdin, cfg: &s.cfg, to: s.direct(em, "stdin")}
			g.run(st.run)
		case kindStream:
			f, err := os.Open(sp.path)
			if err != nil {
				return fmt.Errorf("source: %w", err)
			}
			st := &stream{name: sp.path, in: f, cfg: &s.cfg, to: s.direct(em, "stream:"+printable(sp.path))}
			g.run(func(ctx context.Context) error {
				defer f.Close()
				return st.run(ctx)
			})
		default:
			return fmt.Errorf("source %s: not there yet", sp.text)
		}
	}
	if len(files) > 0 {
		t, err := newTailer(&s.cfg, em, files, positions)
		if err != nil {
			return err
		}
		g.run(t.run)
	}
	return nil
}

func (s *Source) direct(em *emitter, name string) inlet {
	return &direct{em: em, wrap: newWrapper(name, 0, s.cfg.Dataset)}
}

// group is some goroutines of which the first error stops all.
type group struct {
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	once   sync.Once
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
	g.once.Do(func() { g.err = err })
	g.cancel()
}

func (g *group) wait() error {
	g.wg.Wait()
	g.cancel()
	// fail may be called from outside until the very end.
	g.once.Do(func() {})
	return g.err
}
