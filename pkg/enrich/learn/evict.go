package learn

import (
	"slices"
	"time"
)

// class is the keys that one fact taught first: those that were never asked for, and those that were. Each is a list
// from the one that was of use longest ago. A flood of made-up keys of one kind takes the places of its like only, and
// of those that an event asked for only when the flood's are asked for too.
type class struct {
	n    int
	list [2]list
}

type list struct{ head, tail int32 }

const (
	fresh = 0 // never asked for
	used  = 1
)

// protectedShare is the part of the keys, in tenths, that may be held because an event asked for them.
const protectedShare = 8

func (x *item) list() int {
	if x.used {
		return used
	}
	return fresh
}

// reset forgets everything.
func (t *Table) reset() {
	t.byKey, t.items, t.free, t.seq, t.protected = map[string]int32{}, nil, nil, 0, 0
	for i := range t.classes {
		t.classes[i] = class{list: [2]list{{-1, -1}, {-1, -1}}}
	}
	t.stream, t.hour, t.dirty, t.removed, t.whole = minTime, minTime/int64(time.Hour), nil, nil, false
	t.ahead = noTime
	t.stats = Stats{}
}

// fresh makes a place for a key.
func (t *Table) fresh(key string, class uint16) int32 {
	t.sweep(class)
	t.sweep(uint16(t.seq % uint64(len(t.classes))))
	for len(t.byKey) >= t.keys && t.evictKey(-1) {
	}
	return t.place(key, class)
}

// place takes in a key that is not there yet.
func (t *Table) place(key string, class uint16) int32 {
	i := int32(len(t.items))
	if n := len(t.free); n > 0 {
		i, t.free = t.free[n-1], t.free[:n-1]
	} else {
		t.items = append(t.items, item{})
	}
	t.items[i] = item{key: key, class: class, prev: -1, next: -1, live: true}
	t.byKey[key] = i
	t.classes[class].n++
	t.stats.Bytes += itemSize + int64(len(key))
	return i
}

// touch makes the key the one that was of use last.
func (t *Table) touch(i int32) {
	x := &t.items[i]
	t.unlink(i)
	t.seq++
	x.touch, x.hour = t.seq, t.hour
	t.link(i)
}

func (t *Table) link(i int32) {
	x := &t.items[i]
	l := &t.classes[x.class].list[x.list()]
	x.prev, x.next = l.tail, -1
	if l.tail >= 0 {
		t.items[l.tail].next = i
	} else {
		l.head = i
	}
	l.tail = i
}

func (t *Table) unlink(i int32) {
	x := &t.items[i]
	l := &t.classes[x.class].list[x.list()]
	switch {
	case x.prev >= 0:
		t.items[x.prev].next = x.next
	case l.head == i:
		l.head = x.next
	default:
		return // not in a list yet
	}
	if x.next >= 0 {
		t.items[x.next].prev = x.prev
	} else {
		l.tail = x.prev
	}
	x.prev, x.next = -1, -1
}

// useful notes that an event asked for the key: once an hour of the stream.
func (t *Table) useful(i int32) {
	x := &t.items[i]
	if x.used && x.hour == t.hour {
		return
	}
	if !x.used {
		t.unlink(i)
		x.used = true
		t.protected++
		for t.protected > max(t.keys*protectedShare/10, 1) && t.demote() {
		}
	}
	t.touch(i)
	t.mark(i)
}

// demote takes its protection from the key that was of use longest ago in the class that has most.
func (t *Table) demote() bool {
	c := t.biggest(used)
	if c < 0 {
		return false
	}
	i := t.classes[c].list[used].head
	t.unlink(i)
	t.items[i].used = false
	t.protected--
	t.touch(i)
	t.mark(i)
	return true
}

// biggest returns the class that has most keys among those that have some in the list, or -1.
func (t *Table) biggest(which int) int {
	best := -1
	for c := range t.classes {
		if t.classes[c].list[which].head >= 0 && (best < 0 || t.classes[c].n > t.classes[best].n) {
			best = c
		}
	}
	return best
}

// evictKey forgets a key, but not the one of number but.
func (t *Table) evictKey(but int32) bool {
	best := -1
	for c := range t.classes {
		if t.classes[c].n > 0 && (best < 0 || t.classes[c].n > t.classes[best].n) {
			best = c
		}
	}
	if best < 0 {
		return false
	}
	for _, l := range t.classes[best].list {
		i := l.head
		if i >= 0 && i == but {
			i = t.items[i].next
		}
		if i >= 0 {
			t.stats.EvictedKeys++
			t.forget(i)
			return true
		}
	}
	return false
}

// forget removes a key.
func (t *Table) forget(i int32) {
	x := &t.items[i]
	for len(x.entries) > 0 {
		t.drop(x, len(x.entries)-1)
	}
	t.unlink(i)
	if x.used {
		t.protected--
	}
	t.classes[x.class].n--
	t.stats.Bytes -= itemSize + int64(len(x.key))
	if t.track && !t.whole {
		if t.removed = append(t.removed, x.key); len(t.removed) > len(t.byKey)+1024 {
			// A flood went through: the whole is shorter than what changed.
			t.whole = true
			t.settle()
		}
	}
	delete(t.byKey, x.key)
	*x = item{prev: -1, next: -1}
	t.free = append(t.free, i)
}

// bound keeps to MaxBytes.
func (t *Table) bound(i int32) {
	for t.stats.Bytes > t.maxBytes && t.evictKey(i) {
	}
}

// sweep forgets keys of a class of which all is over for longer than is kept: a few of those that were of use longest ago.
func (t *Table) sweep(class uint16) {
	for which := range t.classes[class].list {
		for range 4 {
			i := t.classes[class].list[which].head
			if i < 0 || slices.ContainsFunc(t.items[i].entries, func(e entry) bool { return !t.gone(&e) }) {
				break
			}
			t.forget(i)
		}
	}
}
