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

	"leat/pkg/ingest/journal"
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
	list, err := parseSources(cfg.inputs())
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
	return slices.ContainsFunc(s.list, func(sp spec) bool { return sp.kind != kindFile && sp.kind != kindJournald })
}

// ErrLost says that records were received and could not be kept; events of the stream tell which and how many.
var ErrLost = errors.New("records were received and are lost; source_gap events tell of them")

// Run reads until every source has ended or ctx is done, which is the orderly end of a followed one: what was received by
// then goes on, or stays in the journal. It returns nil after the last mark is written; an error names its source.
// *ListenError: an address can't be used, and nothing was done yet.
func (s *Source) Run(ctx context.Context, sink stage.Sink) error {
	// Addresses first, then the journal: where another process holds one of them, that one must not be fenced for nothing.
	// Nothing is received from a listener before the lake has us as its pipeline's owner.
	bound, err := s.bind()
	if err != nil {
		return err
	}
	defer bound.close()
	r := &session{Source: s, em: newEmitter(&s.cfg, sink), bound: bound}
	positions := map[string]string{}
	if s.cfg.Resume != "" {
		if s.pushes() {
			if r.journal, err = openPush(&s.cfg); err != nil {
				return err
			}
			defer r.journal.j.Close()
		}
		led, hello, err := takeOver(ctx, s.cfg.Resume, s.cfg.Pipeline)
		if err != nil {
			return err
		}
		if err := r.em.begin(led, hello); err != nil {
			return err
		}
		positions = led.session.Positions
		if r.journal != nil {
			if err := r.journal.resume(r.em, positions); err != nil {
				return err
			}
		}
	}
	if err := r.read(ctx, positions); err != nil {
		return err
	}
	if err := r.em.end(); err != nil {
		return err
	}
	if r.files != nil && len(r.files.faults) > 0 {
		return errors.Join(r.files.faults...)
	}
	if r.journal != nil && r.journal.lost.Load() > 0 {
		return fmt.Errorf("%d %w", r.journal.lost.Load(), ErrLost)
	}
	return nil
}

// session is one Run of a Source.
type session struct {
	*Source
	em      *emitter
	journal *push // nil in an unmarked stream, or where everything can be read again
	bound   sockets
	files   *tailer // nil: there are none
	all     *group
}

// patient returns a context that ends StopTime after that of g was done by the caller, or at once where g failed.
func (s *Source) patient(g *group) (ctx context.Context, release func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(g.ctx))
	stop := context.AfterFunc(g.ctx, func() {
		if !g.failed() {
			sleep(ctx, s.cfg.StopTime)
		}
		cancel()
	})
	return ctx, func() { stop(); cancel() }
}

// read runs a goroutine for each source that has to be waited for, and one for all files.
func (r *session) read(ctx context.Context, positions map[string]string) error {
	r.all = newGroup(ctx)
	all := r.all
	patience, release := r.patient(all)
	defer release()
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
	helper(r.em.clock)
	inputs := newGroup(all.ctx)
	if r.journal != nil {
		r.journal.patience = patience
	}
	if err := r.start(inputs, positions); err != nil {
		all.fail(err)
	}
	if journal := r.journal; journal != nil {
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

// start runs every source: those that can't be read again in inputs, files in all.
func (r *session) start(inputs *group, positions map[string]string) error {
	var files []spec
	for i, sp := range r.list {
		switch sp.kind {
		case kindFile:
			files = append(files, sp)
		case kindStdin:
			st := &stream{name: "-", in: r.cfg.Stdin, cfg: &r.cfg, multi: sp.multi, to: r.inlet(sp, "stdin")}
			inputs.run(st.run)
		case kindStream:
			st := &stream{name: sp.path, cfg: &r.cfg, multi: sp.multi, to: r.inlet(sp, "stream:"+printable(sp.path))}
			inputs.run(func(ctx context.Context) error { return st.runPath(ctx, sp.path) })
		case kindExec:
			c := &command{
				spec: sp, cfg: &r.cfg, argv: func() []string { return sp.argv },
				inlet: func() inlet { return r.inlet(sp, unique(sp.name())) },
			}
			inputs.run(c.run)
		case kindJournald:
			o, err := journaldOrigin(sp, positions)
			if err != nil {
				return err
			}
			c := &command{
				spec: sp, cfg: &r.cfg, argv: func() []string { return journalctl(sp, r.cfg.Follow, o) },
				inlet: func() inlet { return newJournald(r.em, o, sp.dataset) },
			}
			inputs.run(c.run)
		case kindTCP, kindTLS:
			l := &tcpListener{spec: sp, cfg: &r.cfg, ln: r.bound[i].tcp, inlet: func() inlet { return r.inlet(sp, unique(sp.name())) }}
			inputs.run(l.run)
		case kindHTTP, kindHTTPS:
			l := &httpListener{spec: sp, cfg: &r.cfg, ln: r.bound[i].tcp, inlet: func() inlet { return r.inlet(sp, unique(sp.name())) }}
			inputs.run(l.run)
		case kindUDP:
			l := &udpListener{spec: sp, cfg: &r.cfg, conn: r.bound[i].udp, to: r.inlet(sp, unique(sp.name())), tell: r.tell}
			if r.journal != nil {
				l.to = r.journal.inlet(r.all.ctx, sp.name(), sp.dataset, l.drop)
			}
			inputs.run(l.run)
		}
	}
	if len(files) > 0 {
		t, err := newTailer(&r.cfg, r.em, files, positions)
		if err != nil {
			return err
		}
		r.files = t
		r.all.run(t.run)
	}
	return nil
}

// tell hands on a notice of what can't be read again, through the journal where there is one. last: it can't be told later.
// An error of the journal is returned only where the notice may be told again.
func (r *session) tell(n notice, last bool) error {
	if r.journal == nil {
		return r.em.tell(n, nil, cursor{})
	}
	mode := journal.Reserve
	if last {
		mode = journal.Force
	}
	err := r.journal.note(n, mode)
	if err != nil && last {
		return r.em.tell(n, nil, cursor{})
	}
	return err
}

// unique names a listener or connection of this run: the count of its messages begins anew with each.
func unique(name string) string { return name + "#" + rand.Text() }

// inlet returns one for a source, whose records' ids are made of name where they don't go through the journal.
func (r *session) inlet(sp spec, name string) inlet {
	if r.journal != nil {
		return r.journal.inlet(r.all.ctx, sp.name(), sp.dataset, nil)
	}
	return &direct{em: r.em, wrap: newWrapper(name, 0, sp.dataset)}
}
