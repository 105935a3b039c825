package ingest

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
)

// search looks for lost files among the siblings of their families. What is not found within the time of grace (at once,
// with final) is told as a gap.
func (t *tailer) search(final bool) error {
	for fam, list := range t.reg.files {
		for _, k := range slices.Clone(list) {
			if k.lost.IsZero() || k.f != nil {
				continue
			}
			if t.searchFor(k, fam, final) || !final && t.cfg.Now().Sub(k.lost) < t.cfg.Grace {
				continue
			}
			// A file that is renamed or compressed while the folder is listed may be missed once.
			if k.misses++; k.misses < 2 && (!final || t.searchFor(k, fam, final)) {
				continue
			}
			if err := t.gap(k); err != nil {
				return err
			}
		}
	}
	return nil
}

// searchFor binds k where it is found. It also returns true while a sibling is still being compressed.
func (t *tailer) searchFor(k *file, fam string, final bool) bool {
	for _, path := range siblings(fam) {
		c, err := t.cfg.look(path)
		if isFileError(err) && t.maybeHere(k, path) {
			_ = t.refused(path, err)
			return true // it is there, and may be readable later
		}
		if err != nil || c == nil {
			continue // not readable is not found
		}
		unfinished := !final && c.comp != plain && t.cfg.Now().Sub(c.info.ModTime()) < t.cfg.Grace
		if !unfinished && t.reg.byID[c.id] == nil {
			if z, ok := c.holds(k); ok {
				t.reg.bind(k, c, z)
				k.seen = max(t.round, 1)
				t.wrapFile(k)
				t.enqueue(k)
				return true
			}
		}
		c.f.Close()
		if unfinished {
			return true
		}
	}
	return false
}

// maybeHere tells whether path has the inode that k had when it was read, or can't even be asked for it.
func (t *tailer) maybeHere(k *file, path string) bool {
	info, err := os.Stat(path)
	if err != nil {
		return !errors.Is(err, os.ErrNotExist)
	}
	return inodeOf(info) == inode{k.pos.dev, k.pos.ino} && k.not != inodeOf(info)
}

// missed calls read for the files that were written and rotated away while nobody looked: of a rotating family those that
// are newer than a known one, whether or not a pattern matches them.
func (t *tailer) missed(read func(path string) error) error {
	for fam, since := range t.rotating {
		if t.cfg.Now().Sub(since) > rotatingGraces*t.cfg.Grace {
			delete(t.rotating, fam)
			continue
		}
		waited := t.waiting
		t.waiting = false
		known := false
		for _, path := range byTime(siblings(fam)) {
			if t.reg.knows(path) {
				known = true
			} else if known {
				if err := read(path); err != nil {
					return err
				}
			}
		}
		if t.waiting {
			t.rotating[fam] = t.cfg.Now()
		}
		t.waiting = t.waiting || waited
	}
	return nil
}

// byTime sorts the paths of one family by their last change: not every rotation counts downwards.
func byTime(paths []string) []string {
	changed := map[string]time.Time{}
	for _, p := range paths {
		if info, err := os.Stat(p); err == nil {
			changed[p] = info.ModTime()
		}
	}
	slices.SortStableFunc(paths, func(a, b string) int { return changed[a].Compare(changed[b]) })
	return paths
}

// gap tells that k's position can't be found again.
func (t *tailer) gap(k *file) error {
	k.lost = time.Time{}
	k.pos.state = stateDone
	if !t.reg.keeps(k) {
		k.pos.state = stateGone
		t.reg.forget(k)
	}
	return t.em.tell(notice{
		action: "source_gap", path: k.path, source: k.name, reason: k.reason,
		message: fmt.Sprintf("%s: position %d can't be found again (%s); what stood behind it, if anything, is missing", k.path, k.offset(), k.reason),
		from:    k.offset(), to: -1, dropped: -1,
	}, &k.origin, k.pos)
}
