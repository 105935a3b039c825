package ingest

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// registry knows every file that is or was read, and finds them again under other names.
//
// A file is known by what it holds: the bytes of its beginning and those right before the position. Device and inode only
// decide which of several equal candidates it is.
type registry struct {
	cfg   *Config
	files map[string][]*file // by family
	byID  map[inode]*file    // files whose inode is known to hold them, open or not
	gens  map[string]int64   // highest generation by source
	// settled are candidates from which nothing is to be read, as they were when that was seen.
	settled map[inode]stamp
}

// newRegistry takes the positions of the lake. What is none of a file is left alone.
func newRegistry(cfg *Config, positions map[string]string) (*registry, error) {
	r := &registry{cfg: cfg, files: map[string][]*file{}, byID: map[inode]*file{}, gens: map[string]int64{}, settled: map[inode]stamp{}}
	for name, pos := range positions {
		source, gen, ok := splitName(name)
		if !ok || pos == "" {
			continue
		}
		c, err := parseCursor(pos)
		if err != nil {
			return nil, fmt.Errorf("source %s: %w", name, err)
		}
		fam := pathOf(source)
		r.gens[source] = max(r.gens[source], gen)
		r.files[fam] = append(r.files[fam], &file{
			origin: origin{name: name, cursor: c}, pos: c, source: source, generation: gen, family: fam,
			path: fam, id: inode{c.dev, c.ino}, reason: "not found again",
		})
	}
	return r, nil
}

// verdict is what is to be done with a candidate.
type verdict int

const (
	ignore     verdict = iota // nothing to read: a copy, or read to its end
	wait                      // too little is there to tell
	bound                     // its file goes on
	fresh                     // a new file
	unreadable                // compressed, and damaged from its first byte
)

// match finds the known file that c is. It binds c to it where there is something to read.
func (r *registry) match(c *candidate, final bool) (*file, verdict) {
	fam := family(c.path)
	known := r.files[fam]
	for pass := range 2 {
		for _, k := range known {
			// The same inode is tried first, so that of two equal files each finds its own.
			if same := k.id == c.id; same != (pass == 0) || k.pos.offset == 0 || k.not == c.id {
				continue
			}
			if k.f != nil && k.id == c.id {
				return k, bound
			}
			if v, ok := r.tryKnown(k, c); ok {
				return k, v
			}
		}
	}
	if !final && (r.growing(c, known) || r.unread(c, known)) {
		return nil, wait
	}
	if c.bad != nil {
		return nil, unreadable
	}
	if _, ok := label(c.head); !ok && !final && c.comp == plain || len(c.head) == 0 {
		return nil, wait
	}
	return nil, fresh
}

// growing tells whether c may be a copy of a known file that is still being written (copytruncate, gzip).
func (r *registry) growing(c *candidate, known []*file) bool {
	if !isRotated(c.path) || r.cfg.Now().Sub(c.info.ModTime()) > r.cfg.Grace {
		return false
	}
	for _, k := range known {
		if c.begins(k) || len(c.head) < k.pos.head.n {
			return true
		}
	}
	return false
}

// unread tells whether a file that begins like c is still to be read to its end: only then it shows whether c is a copy.
func (r *registry) unread(c *candidate, known []*file) bool {
	part, _ := label(c.head)
	for _, k := range known {
		if k.f != nil && k.stamp == (stamp{}) && k.source == sourceName(k.family, part) {
			return true
		}
	}
	return false
}

// tryKnown tells whether c is the file k, or a copy of it.
func (r *registry) tryKnown(k *file, c *candidate) (verdict, bool) {
	if k.pos.state == stateDone && k.id == c.id && c.comp != plain && c.begins(k) {
		// Compressed files do not change: spare the reading.
		k.path, k.stamp = c.path, stampOf(c.info)
		r.byID[k.id] = k
		return ignore, true
	}
	z, ok := c.holds(k)
	if !ok {
		return 0, false
	}
	drop := func(v verdict, ok bool) (verdict, bool) {
		if z != nil {
			z.close()
		}
		return v, ok
	}
	if r.byID[k.id] != k || k.id == c.id {
		more := z != nil || c.info.Size() > k.offset()
		if k.pos.state == stateDone && k.id == c.id && !more {
			k.path, k.lost, k.stamp = c.path, time.Time{}, stampOf(c.info)
			r.byID[k.id] = k
			return drop(ignore, true)
		}
		r.bind(k, c, z)
		return bound, true
	}
	// k was found elsewhere. Equal contents are a copy, if there is enough of them or rotation explains it.
	strong := k.offset() >= printSize
	explained := isRotated(c.path) && !isRotated(k.path) || sameButCompressed(k.path, c.path)
	if !strong && !explained {
		return drop(0, false)
	}
	if c.comp == plain && c.info.Size() > k.offset() && k.stamp.size == k.offset() && k.z == nil && !isRotated(c.path) {
		k.close()
		r.bind(k, c, z)
		return bound, true
	}
	r.cfg.Log.Debug("a copy is not read again", "path", c.path, "source", k.name)
	return drop(ignore, true)
}

func sameButCompressed(a, b string) bool {
	cut := func(s string) string { return strings.TrimSuffix(strings.TrimSuffix(s, ".gz"), ".zst") }
	return a != b && cut(a) == cut(b)
}

// bind lets k go on in c, whose file it takes over.
func (r *registry) bind(k *file, c *candidate, z *inflated) {
	delete(r.byID, k.id)
	k.f, k.z, k.path, k.id = c.f, z, c.path, c.id
	k.lost, k.misses, k.scanned, k.stamp, k.held = time.Time{}, 0, 0, stamp{}, 0
	k.quiet = r.cfg.Now()
	k.pos.dev, k.pos.ino = c.id.dev, c.id.ino
	if k.pos.state == stateDone && c.comp == plain {
		k.pos.state = stateLive
	}
	c.f = nil
	r.byID[k.id] = k
	r.cfg.Log.Debug("bound", "source", k.name, "path", k.path, "offset", k.pos.offset, "size", c.info.Size())
}

// add makes c a new file of its family.
func (r *registry) add(c *candidate) (*file, error) {
	fam := family(c.path)
	part, _ := label(c.head)
	source := sourceName(fam, part)
	r.gens[source]++
	gen := r.gens[source]
	k := &file{
		origin: origin{name: fmt.Sprintf("%s/%d", source, gen)},
		source: source, generation: gen, family: fam, reason: "not found again",
	}
	var z *inflated
	if c.comp != plain {
		var err error
		if z, err = inflate(c.f, c.comp); err != nil {
			return nil, fmt.Errorf("source %s: %w", c.path, err)
		}
	}
	r.bind(k, c, z)
	r.files[fam] = append(r.files[fam], k)
	return k, nil
}

// lose takes k's file away, since it no longer holds what was read, and begins to search for it. One of which nothing was
// read is not missed.
func (r *registry) lose(k *file, reason string) {
	r.cfg.Log.Debug("lost", "source", k.name, "path", k.path, "offset", k.pos.offset, "reason", reason)
	clear(r.settled)
	if k.offset() == 0 {
		k.close()
		r.forget(k)
		if r.gens[k.source] == k.generation {
			r.gens[k.source]--
		}
		return
	}
	delete(r.byID, k.id)
	k.close()
	k.not, k.id = k.id, inode{}
	k.reason, k.lost = reason, r.cfg.Now()
}

// keeps tells whether k's position must stay though its file is gone: of a short file the newest generation, so that one
// that begins with the same bytes later gets a generation of its own.
func (r *registry) keeps(k *file) bool {
	return k.generation == r.gens[k.source] && k.offset() < printSize
}

// forget removes k from memory.
func (r *registry) forget(k *file) {
	if r.byID[k.id] == k {
		delete(r.byID, k.id)
	}
	list := r.files[k.family]
	for i := range list {
		if list[i] == k {
			r.files[k.family] = append(list[:i:i], list[i+1:]...)
			break
		}
	}
	if len(r.files[k.family]) == 0 {
		delete(r.files, k.family)
	}
}

// knows tells whether a path holds a known file, or a copy of one.
func (r *registry) knows(path string) bool {
	c, err := r.cfg.look(path)
	if err != nil || c == nil {
		return false
	}
	defer c.f.Close()
	if s, ok := r.settled[c.id]; r.byID[c.id] != nil || ok && s == stampOf(c.info) {
		return true
	}
	for _, k := range r.files[family(path)] {
		if k.pos.offset == 0 || k.not == c.id {
			continue
		}
		if z, ok := c.holds(k); ok {
			if z != nil {
				z.close()
			}
			return true
		}
	}
	return false
}

// locate tells whether k's file is still there, under whatever name, and remembers where.
func (r *registry) locate(k *file) bool {
	if info, err := os.Stat(k.path); err == nil && inodeOf(info) == k.id {
		return true
	}
	for _, path := range siblings(k.family) {
		c, err := r.cfg.look(path)
		if err != nil || c == nil {
			continue
		}
		z, ok := c.holds(k)
		if z != nil {
			z.close()
		}
		c.f.Close()
		if ok && (r.byID[c.id] == nil || r.byID[c.id] == k) {
			k.path, k.id, k.stamp = path, c.id, stampOf(c.info)
			r.byID[c.id] = k
			return true
		}
	}
	return false
}
