package ingest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
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

// pushes tells whether some source can't be read again.
func (s *Source) pushes() bool {
	return slices.ContainsFunc(s.list, func(sp spec) bool { return sp.kind != kindFile })
}

// Run reads until every source has ended or ctx is done, which is the orderly end of a followed one. It returns nil after
// the last mark is written; an error names its source.
func (s *Source) Run(ctx context.Context, sink stage.Sink) error {
	em := newEmitter(&s.cfg, sink)
	positions := map[string]string{}
	var journal *push
	if s.cfg.Resume != "" {
		// The journal first: where another process still holds it, that one must not be fenced for nothing.
		if s.pushes() {
			var err error
			if journal, err = openPush(&s.cfg); err != nil {
				return err
			}
			defer journal.j.Close()
		}
		led, hello, err := takeOver(ctx, s.cfg.Resume, s.cfg.Pipeline)
		if err != nil {
			return err
		}
		if err := em.begin(led, hello); err != nil {
			return err
		}
		positions = led.session.Positions
		if journal != nil {
			if err := journal.resume(em, positions); err != nil {
				return err
			}
		}
	}
	if err := s.read(ctx, em, journal, positions); err != nil {
		return err
	}
	return em.end()
}

// read runs a goroutine for each source that has to be waited for, and one for all files.
func (s *Source) read(ctx context.Context, em *emitter, journal *push, positions map[string]string) error {
	all := newGroup(ctx)
	// The helpers live until every source has ended.
	background := newGroup(context.WithoutCancel(ctx))
	helper := func(f func(context.Context) error) {
		background.run(func(ctx context.Context) error {
			err := f(ctx)
			if err != nil {
				all.fail(err)
			}
			return err
		})
	}
	helper(em.clock)
	inputs := newGroup(all.ctx)
	if err := s.start(inputs, all, em, journal, positions); err != nil {
		all.fail(err)
	}
	if journal != nil {
		helper(journal.cut)
		all.run(journal.drain)
		all.run(func(context.Context) error {
			err := inputs.wait()
			// Nothing more comes: drain may end when it has emitted what is there.
			return errors.Join(err, journal.j.Close())
		})
	} else {
		all.run(func(context.Context) error { return inputs.wait() })
	}
	err := all.wait()
	background.cancel()
	if berr := background.wait(); err == nil {
		err = berr
	}
	return err
}

// start opens every source. Those that can't be read again run in inputs, files in all.
func (s *Source) start(inputs, all *group, em *emitter, journal *push, positions map[string]string) error {
	var files []string
	for _, sp := range s.list {
		name := withoutQuery(sp.text)
		switch sp.kind {
		case kindFile:
			files = append(files, sp.path)
		case kindStdin:
			st := &stream{name: "-", in: s.cfg.Stdin, cfg: &s.cfg, to: s.inlet(all, em, journal, "stdin")}
			inputs.run(st.run)
		case kindStream:
			st := &stream{name: sp.path, cfg: &s.cfg, to: s.inlet(all, em, journal, "stream:"+printable(sp.path))}
			inputs.run(func(ctx context.Context) error { return st.runPath(ctx, sp.path) })
		case kindTCP, kindTLS:
			l, err := listenTCP(sp, &s.cfg, func() inlet { return s.inlet(all, em, journal, unique(name)) })
			if err != nil {
				return err
			}
			inputs.run(l.run)
		case kindUDP:
			l, err := listenUDP(sp, &s.cfg, em)
			if err != nil {
				return err
			}
			if l.to = s.inlet(all, em, journal, unique(name)); journal != nil {
				l.to = journal.inlet(all.ctx, l.drop)
			}
			inputs.run(l.run)
		}
	}
	if len(files) > 0 {
		t, err := newTailer(&s.cfg, em, files, positions)
		if err != nil {
			return err
		}
		all.run(t.run)
	}
	return nil
}

// unique names a listener or connection of this run: the count of its messages begins anew with each.
func unique(name string) string { return name + "#" + rand.Text() }

func (s *Source) inlet(g *group, em *emitter, journal *push, name string) inlet {
	if journal != nil {
		return journal.inlet(g.ctx, nil)
	}
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
