package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"leat/pkg/event"
	"leat/pkg/stage"
)

// tailer reads all files of a Source in one goroutine: once, or as they grow.
type tailer struct {
	fileReader
	reg   *registry
	logs  *eventLogs
	files []spec
	ready []*file // with something to read, in turn
	spare []*file // memory for the next turn

	// rotating are families that were rotated lately, or while nobody looked: what became of their files must be found.
	rotating map[string]time.Time

	// What follow needs.
	watch    *watcher
	byPath   map[string]*file
	held     map[*file]struct{} // with a record that may go on
	faults   []error            // of a run without follow
	unread   map[string]error   // paths that can't be opened
	rescan   bool               // something appeared or disappeared
	waiting  bool               // a path waits until it can be told what it is
	round    int                // number of the scan
	scanned  time.Time          // when the last scan ended
	scanTook time.Duration
}

func newTailer(cfg *Config, em *emitter, files []spec, positions map[string]string) (*tailer, error) {
	reg, err := newRegistry(cfg, positions)
	if err != nil {
		return nil, err
	}
	t := &tailer{fileReader: fileReader{cfg: cfg, em: em}, reg: reg, files: files, byPath: map[string]*file{},
		rotating: map[string]time.Time{}, unread: map[string]error{}, held: map[*file]struct{}{}}
	now := cfg.Now()
	for _, list := range reg.files {
		for _, k := range list {
			if !t.covers(k.family) {
				continue
			}
			if k.pos.state == stateLive {
				k.lost = now
			}
			t.rotating[k.family] = now
		}
	}
	t.logs, err = newEventLogs(t, positions)
	return t, err
}

// covers tells whether a file of the family would be found under our patterns.
func (t *tailer) covers(fam string) bool {
	return t.specOf(fam) != nil
}

// specOf returns the first source under which a file of the family would be found; nil: none.
func (t *tailer) specOf(fam string) *spec {
	for i := range t.files {
		p := t.files[i].path
		if ok, _ := filepath.Match(p, fam); ok || p == fam || family(p) == fam {
			return &t.files[i]
		}
	}
	return nil
}

// wrapFile gives f the wrapper of its records, as its source asks for.
func (t *tailer) wrapFile(f *file) {
	var sp spec
	if found := t.specOf(f.family); found != nil {
		sp = *found
	}
	w := newWrapper(f.source, f.generation, sp.dataset)
	w.file(f.path)
	f.cutter = cutter{wrapper: w, multi: sp.multi, maxLine: t.cfg.MaxLine, long: func(b *event.Batch, at int64, line []byte) error {
		return t.spool(b, f, at, line[:min(len(line), stage.SpoolHead)], bytes.NewReader(line))
	}}
}

// run reads every file to its end and, when following, waits for more until ctx is done.
func (t *tailer) run(ctx context.Context) error {
	defer t.closeAll()
	if t.cfg.Follow {
		return t.follow(ctx)
	}
	for _, sp := range t.files {
		paths, err := t.expand(sp.path)
		if err != nil {
			return err
		}
		for _, path := range paths {
			if err := t.tryOnce(ctx, path); err != nil || ctx.Err() != nil {
				return err
			}
		}
	}
	if err := t.search(true); err != nil {
		return err
	}
	if err := t.drain(ctx); err != nil || ctx.Err() != nil {
		return err
	}
	if err := t.missed(func(path string) error { return t.tryOnce(ctx, path) }); err != nil || ctx.Err() != nil {
		return err
	}
	if err := t.logs.vanished(true); err != nil {
		return err
	}
	if err := t.logs.drain(ctx); err != nil || ctx.Err() != nil {
		return err
	}
	return t.forgetVanished()
}

// fault keeps the error of a file that can't be read: others are read all the same.
func (t *tailer) fault(path string, err error) error {
	if t.cfg.Follow {
		return t.refused(path, err)
	}
	t.faults = append(t.faults, err)
	return nil
}

// expand returns the paths that a pattern matches, of each family the oldest first.
func (t *tailer) expand(pattern string) ([]string, error) {
	if _, err := os.Lstat(pattern); err == nil {
		return []string{pattern}, nil
	}
	paths, err := filepath.Glob(pattern)
	if err != nil {
		return nil, fmt.Errorf("source %s: %w", pattern, err)
	}
	byAge(paths)
	return paths, nil
}

// tryOnce is once, but a file that can't be read is kept for the end: the others are read, and the stream ends in order.
func (t *tailer) tryOnce(ctx context.Context, path string) error {
	err := t.once(ctx, path)
	if isFileError(err) {
		if k := t.byOpenPath(path); k != nil {
			k.close()
		}
		t.batch.Reset()
		t.faults = append(t.faults, err)
		return nil
	}
	return err
}

// byOpenPath finds the open file that was read under a path.
func (t *tailer) byOpenPath(path string) *file {
	for _, k := range t.reg.byID {
		if k.f != nil && k.path == path {
			return k
		}
	}
	return nil
}

// once reads one path to its present end.
func (t *tailer) once(ctx context.Context, path string) error {
	for {
		k, err := t.admit(path, true)
		if err != nil {
			return err
		}
		if k == nil {
			return t.logs.drain(ctx)
		}
		err = t.toEnd(ctx, k)
		if !errors.Is(err, errTruncated) {
			return err
		}
		t.reg.lose(k, "truncated while it was read")
	}
}

// toEnd reads k to its end and closes it.
func (t *tailer) toEnd(ctx context.Context, k *file) error {
	for more := true; more && ctx.Err() == nil; {
		var err error
		if more, err = t.block(k, endsAll); err != nil {
			return err
		}
	}
	if ctx.Err() == nil {
		return t.finished(k)
	}
	return nil
}

// block reads one block of k, whatever it is.
func (t *tailer) block(k *file, end ending) (more bool, err error) {
	if k.z == nil {
		return t.read(k, end)
	}
	more, damage, err := t.readInflated(k)
	if err == nil && damage != nil {
		err = t.damaged(k, damage)
	}
	return more, err
}

// damaged tells that a compressed file ended before its time.
func (t *tailer) damaged(k *file, damage error) error {
	k.pos.state = stateDone
	return t.em.tell(notice{
		action: "source_damaged", isError: true, path: k.path, source: k.name, reason: damage.Error(),
		message: fmt.Sprintf("%s: compressed file ends early or is damaged behind byte %d of its contents (%v); what could be read went on",
			k.path, k.offset(), damage),
		from: k.offset(), to: -1, dropped: -1,
	}, &k.origin, k.pos)
}

// admit looks at a path and returns its file if there is something to read.
func (t *tailer) admit(path string, final bool) (*file, error) {
	c, err := t.cfg.look(path)
	if err != nil || c == nil {
		return nil, err
	}
	defer func() {
		if c.f != nil {
			c.f.Close()
		}
	}()
	if s, ok := t.reg.settled[c.id]; ok && s == stampOf(c.info) {
		return nil, nil
	}
	if !final && c.comp != plain && t.cfg.Now().Sub(c.info.ModTime()) < t.cfg.Grace {
		return nil, nil // perhaps still being written
	}
	if log, err := t.logs.isLog(c); err != nil || log {
		if err == nil {
			err = t.logs.admit(c)
		}
		return nil, err
	}
	k, v := t.reg.match(c, final)
	switch v {
	case ignore:
		if t.reg.byID[c.id] != nil {
			t.reg.byID[c.id].seen = max(t.round, 1)
		}
		t.reg.settled[c.id] = stampOf(c.info)
		return nil, nil
	case wait:
		t.waiting = true
		return nil, nil
	case unreadable:
		return nil, t.damagedFromStart(c)
	case fresh:
		if old := t.reg.byID[c.id]; old != nil {
			// It was closed, and its inode holds something else now.
			t.reg.lose(old, "truncated or replaced")
		}
		if k, err = t.reg.add(c); err != nil {
			return nil, err
		}
	case bound:
		if k.path != path && k.f != nil {
			k.path = path
		}
	}
	k.seen = max(t.round, 1)
	t.wrapFile(k)
	return k, nil
}

// damagedFromStart tells of a compressed file of which not one byte can be read.
func (t *tailer) damagedFromStart(c *candidate) error {
	t.reg.settled[c.id] = stampOf(c.info)
	return t.em.tell(notice{
		action: "source_damaged", isError: true, path: c.path, source: "file:" + printable(family(c.path)), reason: c.bad.Error(),
		message: fmt.Sprintf("%s: compressed file is damaged from its first byte (%v)", c.path, c.bad), from: 0, to: -1, dropped: -1,
	}, nil, cursor{})
}

// finished closes a file that was read to its end in a run without follow.
func (t *tailer) finished(k *file) error {
	if isRotated(k.path) && k.pos.state == stateLive {
		if info, err := k.f.Stat(); err == nil && t.cfg.Now().Sub(info.ModTime()) > t.cfg.Grace {
			k.pos.state = stateDone
		}
	}
	k.stamp.size = k.offset()
	k.close()
	return t.em.move(&k.origin, k.pos)
}

// drain reads what is ready to its end.
func (t *tailer) drain(ctx context.Context) error {
	for len(t.ready) > 0 && ctx.Err() == nil {
		k := t.ready[0]
		t.ready, k.queued = t.ready[1:], false
		switch err := t.toEnd(ctx, k); {
		case isFileError(err):
			t.faults = append(t.faults, err)
			k.close()
		case err != nil && !errors.Is(err, errTruncated):
			return err
		}
	}
	return nil
}

func (t *tailer) closeAll() {
	for _, k := range t.reg.byID {
		k.close()
	}
	t.logs.closeAll()
	if t.watch != nil {
		t.watch.close()
	}
}
