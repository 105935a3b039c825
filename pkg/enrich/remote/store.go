package remote

import (
	"hash/maphash"
	"sync/atomic"
)

// store remembers a bounded number of keys. Which one goes is S3-FIFO's choice (Yang et al., FIFO queues are all you need for
// cache eviction, SOSP 2023): new keys queue in small; those that are asked for again there, or that come back soon, move on to
// main. A sweep of addresses that each come once leaves what is in use alone. The Cache guards it.
type store struct {
	size    int
	max     int64 // bytes
	bytes   int64
	entries map[string]*entry
	small   queue
	main    queue
	ghosts  ghosts
}

type entry struct {
	key   string
	value value
	uses  atomic.Int32 // since it was queued, up to maxUses; readers count side by side
}

const maxUses = 3

// cost is about what an entry takes in memory, in bytes.
func (e *entry) cost() int64 { return int64(len(e.key)+len(e.value.row)) + 160 }

func newStore(size int, max int64) store {
	return store{size: size, max: max, entries: map[string]*entry{}, ghosts: ghosts{seed: maphash.MakeSeed(), has: map[uint64]struct{}{}, max: size}}
}

// get returns the value of a key. It may be called side by side with itself.
func (s *store) get(key []byte) (value, bool) {
	e := s.entries[string(key)]
	if e == nil {
		return value{}, false
	}
	if n := e.uses.Load(); n < maxUses {
		e.uses.Store(n + 1)
	}
	return e.value, true
}

// put remembers a value.
func (s *store) put(key string, v value) {
	if e := s.entries[key]; e != nil {
		s.bytes -= e.cost()
		e.value = v
		s.bytes += e.cost()
		for len(s.entries) > 1 && s.bytes > s.max {
			s.evict()
		}
		return
	}
	e := &entry{key: key, value: v}
	for len(s.entries) >= s.size || len(s.entries) > 0 && s.bytes+e.cost() > s.max {
		s.evict()
	}
	s.entries[key] = e
	s.bytes += e.cost()
	if s.ghosts.take(key) {
		s.main.push(e)
	} else {
		s.small.push(e)
	}
}

// evict forgets one key.
func (s *store) evict() {
	for {
		if s.small.len() > 0 && (s.small.len() > s.size/10 || s.main.len() == 0) {
			e := s.small.pop()
			if e.uses.Load() > 1 {
				e.uses.Store(0)
				s.main.push(e)
				continue
			}
			s.forget(e)
			s.ghosts.add(e.key)
			return
		}
		e := s.main.pop()
		if n := e.uses.Load(); n > 0 {
			e.uses.Store(n - 1)
			s.main.push(e)
			continue
		}
		s.forget(e)
		return
	}
}

func (s *store) forget(e *entry) {
	delete(s.entries, e.key)
	s.bytes -= e.cost()
}

// queue is first in, first out.
type queue struct {
	items []*entry
	head  int
}

func (q *queue) len() int { return len(q.items) - q.head }

func (q *queue) push(e *entry) { q.items = append(q.items, e) }

func (q *queue) pop() *entry {
	e := q.items[q.head]
	q.items[q.head] = nil
	if q.head++; q.head > len(q.items)/2 && q.head > 64 {
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	return e
}

// ghosts remembers the hashes of keys that went.
type ghosts struct {
	seed maphash.Seed
	has  map[uint64]struct{}
	ring []uint64
	at   int
	max  int
}

func (g *ghosts) add(key string) {
	h := maphash.String(g.seed, key)
	if len(g.ring) < g.max {
		g.ring = append(g.ring, h)
	} else {
		delete(g.has, g.ring[g.at])
		g.ring[g.at] = h
		g.at = (g.at + 1) % g.max
	}
	g.has[h] = struct{}{}
}

// take says whether a key went lately; it is not a ghost any more.
func (g *ghosts) take(key string) bool {
	h := maphash.String(g.seed, key)
	_, ok := g.has[h]
	delete(g.has, h)
	return ok
}
