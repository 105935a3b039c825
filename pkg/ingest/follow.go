package ingest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"
)

const (
	// maxOpen is how many idle files stay open while following.
	maxOpen = 512
	// detachedGraces is how many times the grace a file stays open that was rotated out of our sight: its writer may not
	// have noticed yet.
	detachedGraces = 60
	// rotatingGraces is for how many graces after a rotation its files are looked for.
	rotatingGraces = 10
)

// follow reads files as they grow, until ctx is done.
func (t *tailer) follow(ctx context.Context) error {
	t.watch = newWatcher(t.cfg.Log)
	next := time.NewTimer(0)
	defer next.Stop()
	for ctx.Err() == nil {
		if len(t.ready)+len(t.logs.ready) > 0 {
			if err := t.turn(); err != nil {
				return err
			}
			if err := t.logs.turn(); err != nil {
				return err
			}
			t.watch.poll(t.changed)
		} else {
			select {
			case <-ctx.Done():
				return nil
			case <-next.C:
				t.rescan = t.rescan || len(t.held) == 0
			case ev, ok := <-t.watch.events():
				t.changed(ev, ok)
				t.watch.poll(t.changed)
			case err := <-t.watch.errors():
				// An overflow of the queue: look at everything.
				t.cfg.Log.Debug("file events", "error", err)
				t.rescan = true
			}
		}
		if t.rescan && time.Since(t.scanned) >= 10*t.scanTook || time.Since(t.scanned) > max(t.cfg.Poll, 20*t.scanTook) {
			if err := t.scan(); err != nil {
				return err
			}
		}
		// Many files make a scan dear: it never takes more than a twentieth of the time.
		wait := max(t.cfg.Poll, 20*t.scanTook)
		if t.rescan {
			wait = 10 * t.scanTook
		}
		next.Reset(t.release(wait))
	}
	return nil
}

// turn reads one block of every file that is ready.
func (t *tailer) turn() error {
	list := t.ready
	t.ready = t.spare[:0]
	t.spare = list
	for _, k := range list {
		k.queued = false
		if k.f == nil {
			continue
		}
		info, err := k.f.Stat()
		if err != nil {
			t.unreadable(k, &fileError{k.path, err})
			continue
		}
		before, end := k.offset(), endsNothing
		if t.overdue(k) {
			end = endsRecord
		}
		more, err := t.block(k, end)
		switch {
		case errors.Is(err, errTruncated):
			t.reg.lose(k, "truncated")
			t.rotating[k.family] = t.cfg.Now()
			t.rescan = true
			continue
		case isFileError(err):
			t.unreadable(k, err)
			continue
		case err != nil:
			return err
		}
		if k.offset() != before {
			k.quiet = t.cfg.Now()
		}
		if more {
			t.enqueue(k)
			continue
		}
		if k.stamp == (stamp{}) && t.waiting {
			t.waiting, t.rescan = false, true
		}
		k.stamp = stampOf(info)
		if k.z != nil {
			k.close()
		}
		if k.held > 0 {
			t.held[k] = struct{}{}
		} else {
			delete(t.held, k)
		}
	}
	return nil
}

// overdue tells whether a record of several lines has waited long enough for its next line.
func (t *tailer) overdue(k *file) bool {
	return k.held > 0 && t.cfg.Now().Sub(k.heldAt) >= k.cutter.multi.Timeout
}

// release lets the records go on that wait no longer, and returns when to look again; at most in wait.
func (t *tailer) release(wait time.Duration) time.Duration {
	for k := range t.held {
		switch {
		case k.f == nil:
			delete(t.held, k)
		case t.overdue(k):
			t.enqueue(k)
			return 0
		default:
			wait = min(wait, k.cutter.multi.Timeout-t.cfg.Now().Sub(k.heldAt))
		}
	}
	return max(wait, time.Millisecond)
}

func (t *tailer) enqueue(k *file) {
	if !k.queued {
		k.queued = true
		t.ready = append(t.ready, k)
	}
}

// scan looks at every path that the patterns match, and for files that were rotated away.
func (t *tailer) scan() error {
	start := time.Now()
	t.rescan = false
	t.round++
	clear(t.byPath)
	for _, sp := range t.files {
		p := sp.path
		t.watch.add(filepath.Dir(p))
		paths, err := t.expand(p)
		if err != nil {
			return err
		}
		for _, path := range paths {
			t.watch.add(filepath.Dir(path))
			if err := t.see(path); err != nil {
				return err
			}
		}
	}
	for _, list := range t.reg.files {
		for i := len(list) - 1; i >= 0; i-- {
			if err := t.review(list[i]); err != nil {
				return err
			}
		}
	}
	err := t.search(false)
	if err == nil {
		err = t.missed(t.see)
	}
	if err == nil {
		err = t.logs.vanished(false)
	}
	t.closeIdle()
	t.scanned, t.scanTook = time.Now(), time.Since(start)
	return err
}

// see looks at one path of a scan.
func (t *tailer) see(path string) error {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return nil // gone again, or no permission: admit tells of that
	}
	k := t.reg.byID[inodeOf(info)]
	if k == nil || k.f == nil && k.stamp != stampOf(info) {
		known := k
		if k, err = t.admit(path, false); err != nil {
			if known != nil {
				known.seen = t.round // there, though not readable
			}
			return t.refused(path, err)
		}
	}
	delete(t.unread, path)
	if k == nil {
		return nil
	}
	k.seen = t.round
	if k.path != path {
		k.path = path
		t.rotating[k.family] = t.cfg.Now()
		t.wrapFile(k)
	}
	t.byPath[path] = k
	if k.f != nil && k.stamp != stampOf(info) {
		t.enqueue(k)
	}
	return nil
}

// refused tells once that a path can't be read; it is tried again at each scan.
func (t *tailer) refused(path string, err error) error {
	if !isFileError(err) {
		return err
	}
	if t.unread[path] == nil {
		t.cfg.count("unreadable", "file:"+printable(family(path)), 1)
		t.cfg.Log.Error("can't read; will try again", "path", path, "error", err)
	}
	t.unread[path] = err
	return nil
}

func isFileError(err error) bool {
	var fe *fileError
	return errors.As(err, &fe)
}

// unreadable closes a file of which reading failed. Its position stays, and the next scan opens it anew.
func (t *tailer) unreadable(k *file, err error) {
	_ = t.refused(k.path, err)
	t.batch.Reset()
	k.close()
	k.stamp, k.held = stamp{}, 0
}

// review decides about a known file after a scan.
func (t *tailer) review(k *file) error {
	if !t.covers(k.family) || !k.lost.IsZero() {
		return nil
	}
	idle := t.cfg.Now().Sub(k.quiet)
	switch {
	case k.f == nil && k.seen == t.round:
		return nil
	case k.f == nil && k.pos.state == stateLive:
		k.lost = t.cfg.Now()
		k.reason = "disappeared"
		t.rotating[k.family] = k.lost
		return nil
	case k.f == nil:
		// Read to its end and gone: nothing will ask for its position again.
		return t.retire(k)
	}
	if k.seen != t.round {
		// Detached: only the open file leads to it.
		info, err := k.f.Stat()
		if err != nil {
			t.unreadable(k, &fileError{k.path, err})
			return nil
		}
		if k.seen == t.round-1 {
			t.rotating[k.family] = t.cfg.Now()
		}
		if k.stamp != stampOf(info) {
			t.enqueue(k)
			return nil
		}
		if idle < detachedGraces*t.cfg.Grace {
			return nil
		}
	} else if !isRotated(k.path) || idle < t.cfg.Grace {
		return nil
	}
	if k.queued || k.held > 0 {
		return nil
	}
	k.close()
	k.pos.state = stateDone
	return t.em.move(&k.origin, k.pos)
}

// retire forgets a file that is done, once it is nowhere any more: before, it must not be taken for a new one.
func (t *tailer) retire(k *file) error {
	if t.reg.keeps(k) || t.reg.locate(k) {
		return nil
	}
	t.reg.forget(k)
	k.pos.state = stateGone
	return t.em.move(&k.origin, k.pos)
}

// forgetVanished forgets, at the end of a run without follow, the done files of our patterns that are nowhere any more.
func (t *tailer) forgetVanished() error {
	for fam, list := range t.reg.files {
		if !t.covers(fam) {
			continue
		}
		for i := len(list) - 1; i >= 0; i-- {
			if k := list[i]; k.pos.state == stateDone && k.seen == 0 {
				if err := t.retire(k); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// closeIdle closes files that are read to their end, where too many are open.
func (t *tailer) closeIdle() {
	open := 0
	for _, k := range t.reg.byID {
		if k.f != nil {
			open++
		}
	}
	for _, k := range t.reg.byID {
		if open <= maxOpen {
			return
		}
		if k.f != nil && !k.queued && k.held == 0 && k.seen == t.round && t.cfg.Now().Sub(k.quiet) > t.cfg.Grace {
			k.close()
			open--
		}
	}
}
