package learn

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"leat/internal/snapshot"
)

// A snapshot begins with its format and what it is: everything, or changes. Then come the stream's time, the touch
// number, the facts that it knows, keys that are gone, and keys as they are.
const (
	snapshotFormat = 1
	kindBase       = 'B'
	kindChanges    = 'C'
)

// ErrSnapshot says that bytes are no snapshot of this format.
var ErrSnapshot = errors.New("learned dimension: damaged snapshot")

// Base appends everything that was learned: list by list, the key that was of use longest ago first.
func (t *Table) Base(dst []byte) []byte {
	t.track = true
	t.Report()
	dst = t.head(slices.Grow(dst, int(t.stats.Bytes/2)), kindBase)
	dst = binary.AppendUvarint(dst, 0)
	dst = binary.AppendUvarint(dst, uint64(len(t.byKey)))
	for c := range t.classes {
		for _, l := range t.classes[c].list {
			for i := l.head; i >= 0; i = t.items[i].next {
				dst = t.items[i].append(dst)
			}
		}
	}
	return dst
}

// Changes appends what has changed since the last call, or since Restore. The first of all is everything.
// Base in between changes nothing of that.
func (t *Table) Changes(dst []byte) []byte {
	if !t.track || t.whole {
		t.whole = false
		t.settle()
		return t.Base(dst)
	}
	t.Report()
	dst = t.head(dst, kindChanges)
	dst = binary.AppendUvarint(dst, uint64(len(t.removed)))
	for _, key := range t.removed {
		dst = appendBytes(dst, key)
	}
	at := len(dst)
	n := 0
	for _, i := range t.dirty {
		if x := &t.items[i]; x.live && x.dirty {
			x.dirty = false
			n++
			dst = x.append(dst)
		}
	}
	var count [binary.MaxVarintLen64]byte
	dst = slices.Insert(dst, at, count[:binary.PutUvarint(count[:], uint64(n))]...)
	t.settle()
	return dst
}

// mark notes that a key changed.
func (t *Table) mark(i int32) {
	if x := &t.items[i]; t.track && !t.whole && !x.dirty {
		x.dirty = true
		t.dirty = append(t.dirty, i)
	}
}

// settle forgets which changes are to be told.
func (t *Table) settle() {
	for _, i := range t.dirty {
		t.items[i].dirty = false
	}
	clear(t.removed)
	t.dirty, t.removed = t.dirty[:0], t.removed[:0]
}

func (t *Table) head(dst []byte, kind byte) []byte {
	dst = append(dst, snapshotFormat, kind)
	dst = binary.AppendVarint(dst, t.stream)
	dst = binary.AppendUvarint(dst, t.seq)
	dst = binary.AppendUvarint(dst, uint64(len(t.facts)))
	for _, f := range t.facts {
		dst = appendBytes(dst, f.id)
	}
	return dst
}

func appendBytes(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func (x *item) append(dst []byte) []byte {
	dst = appendBytes(dst, x.key)
	dst = binary.AppendUvarint(dst, x.touch)
	dst = binary.AppendVarint(dst, x.hour)
	flags := byte(0)
	if x.used {
		flags = 1
	}
	dst = binary.AppendUvarint(append(dst, flags), uint64(x.class))
	dst = binary.AppendUvarint(dst, uint64(len(x.entries)))
	for i := range x.entries {
		e := &x.entries[i]
		dst = binary.AppendUvarint(dst, uint64(e.fact))
		dst = binary.AppendVarint(dst, e.first)
		dst = binary.AppendVarint(dst, e.last-e.first)
		dst = binary.AppendVarint(dst, e.to-e.last)
		dst = appendBytes(dst, e.row)
	}
	return dst
}

// Restore takes in a base (nil: nothing was learned yet) and the changes since, in order, and forgets what was there.
// Facts that the configuration no longer has are passed over (see Passed). The error is an ErrSnapshot, and the table is
// empty then.
func (t *Table) Restore(base []byte, changes [][]byte) error {
	t.reset()
	t.track, t.passed = true, 0
	for _, data := range append([][]byte{base}, changes...) {
		if len(data) == 0 {
			continue
		}
		if err := t.take(data); err != nil {
			t.reset()
			return fmt.Errorf("%w: %w", ErrSnapshot, err)
		}
	}
	t.relink()
	t.settle()
	return nil
}

// relink puts the keys in the order in which they were of use, and keeps to bounds that may have become narrower.
func (t *Table) relink() {
	live := make([]int32, 0, len(t.byKey))
	for i := range t.items {
		if t.items[i].live {
			live = append(live, int32(i))
		}
	}
	slices.SortStableFunc(live, func(a, b int32) int { return cmp.Compare(t.items[a].touch, t.items[b].touch) })
	for _, i := range live {
		x := &t.items[i]
		t.link(i)
		t.evictFacts(x)
	}
	for (len(t.byKey) > t.keys || t.stats.Bytes > t.maxBytes) && t.evictKey(-1) {
	}
}

// take reads one snapshot. Keys are in no list until relink.
func (t *Table) take(data []byte) error {
	d := &decoder{Reader: snapshot.New(data, errShort)}
	if f := d.Byte(); f != snapshotFormat {
		return fmt.Errorf("format %d", f)
	}
	switch kind := d.Byte(); kind {
	case kindBase:
		t.reset()
	case kindChanges:
	default:
		return fmt.Errorf("kind %q", kind)
	}
	before := t.seq
	t.stream, t.seq = d.time(), d.Uvarint()
	if t.stream < minTime || t.stream > maxTime || t.seq < before || t.seq > uint64(maxTime) {
		d.Fail()
	}
	t.hour = t.stream / int64(time.Hour)
	facts := make([]int, d.Count(1))
	for i := range facts {
		id := string(d.bytes(maxKey * maxColumns))
		facts[i] = slices.IndexFunc(t.facts, func(f *fact) bool { return f.id == id })
	}
	for range d.Count(1) {
		if i, ok := t.byKey[string(d.bytes(maxKey))]; ok {
			t.forget(i)
		}
	}
	n := d.Count(6)
	if len(t.byKey) == 0 {
		t.byKey, t.items, t.free = make(map[string]int32, min(n, t.keys)), make([]item, 0, min(n, t.keys)), nil
	}
	for range n {
		if err := t.takeItem(d, facts); err != nil {
			return err
		}
	}
	if d.Err == nil && len(d.B) > 0 {
		d.Fail()
	}
	return d.Err
}

// takeItem reads a key.
func (t *Table) takeItem(d *decoder, facts []int) error {
	key := string(d.bytes(maxKey))
	touch, hour, flags := d.Uvarint(), d.time(), d.Byte()
	class := d.fact(facts)
	n := d.Count(5)
	entries, rows := d.entries[:0], d.rows[:0]
	for range n {
		f := d.fact(facts)
		e := entry{first: d.time()}
		e.last = e.first + d.varint()
		e.to = e.last + d.varint()
		row := d.bytes(maxRow)
		if d.Err == nil && (e.last < e.first || e.to < e.last || e.to > maxTime || e.first < minTime) {
			d.Fail()
		}
		if d.Err != nil {
			return d.Err
		}
		if f < 0 {
			t.passed++
			continue
		}
		if !t.facts[f].fits(row) {
			d.Fail()
			return d.Err
		}
		e.fact = uint16(f)
		entries, rows = append(entries, e), append(rows, row)
	}
	if d.Err == nil && (len(key) == 0 || touch > t.seq || flags > 1) {
		d.Fail()
	}
	if d.Err != nil {
		return d.Err
	}
	d.entries, d.rows = entries, rows
	if i, ok := t.byKey[key]; ok {
		t.forget(i)
	}
	if len(entries) == 0 {
		return nil
	}
	if class < 0 {
		class = int(entries[0].fact)
	}
	i := t.place(key, uint16(class))
	x := &t.items[i]
	x.touch, x.hour, x.used = touch, hour, flags == 1
	if x.used {
		t.protected++
	}
	x.entries = make([]entry, 0, len(entries))
	for j, e := range entries {
		t.add(x, e, rows[j])
	}
	return nil
}
