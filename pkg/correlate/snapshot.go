package correlate

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"leat/internal/snapshot"
)

// A snapshot begins with its format and what it is: everything, or changes. Then come the stream's time, the number of
// observations, and per rule its id and its records: groups that are gone, and groups as they are.
const (
	snapshotFormat = 2
	firstFormat    = 1 // its covers have only a start
	kindBase       = 'B'
	kindChanges    = 'C'
)

// ErrSnapshot says that bytes are no snapshot of this format.
var ErrSnapshot = errors.New("correlate: damaged snapshot")

// AppendBase appends everything that is remembered.
func (e *Engine) AppendBase(dst []byte) []byte {
	e.track = true
	dst = e.head(dst, kindBase)
	for _, r := range e.rules {
		dst = appendBytes(dst, r.ID)
		dst = binary.AppendUvarint(dst, 0)
		dst = binary.AppendUvarint(dst, uint64(len(r.byKey)))
		for i := r.head; i >= 0; i = r.groups.at(i).next {
			dst = r.groups.at(i).append(dst)
		}
	}
	return dst
}

// AppendChanges appends what has changed since the last call, or since Restore. The first of all is everything.
// AppendBase in between changes nothing of that.
func (e *Engine) AppendChanges(dst []byte) []byte {
	if !e.track || e.whole {
		e.whole = false
		e.settle()
		return e.AppendBase(dst)
	}
	dst = e.head(dst, kindChanges)
	gone, changed := make([][]string, len(e.rules)), make([][]int32, len(e.rules))
	for _, x := range e.removed {
		gone[x.rule] = append(gone[x.rule], x.key)
	}
	for _, x := range e.dirty {
		if g := e.rules[x.rule].groups.at(x.group); g.used && g.dirty {
			g.dirty = false
			changed[x.rule] = append(changed[x.rule], x.group)
		}
	}
	for i, r := range e.rules {
		if len(gone[i])+len(changed[i]) == 0 {
			continue
		}
		dst = appendBytes(dst, r.ID)
		dst = binary.AppendUvarint(dst, uint64(len(gone[i])))
		for _, key := range gone[i] {
			dst = appendBytes(dst, key)
		}
		dst = binary.AppendUvarint(dst, uint64(len(changed[i])))
		for _, j := range changed[i] {
			dst = r.groups.at(j).append(dst)
		}
	}
	e.settle()
	return dst
}

// settle forgets which changes are to be told.
func (e *Engine) settle() {
	for _, x := range e.dirty {
		e.rules[x.rule].groups.at(x.group).dirty = false
	}
	clear(e.removed)
	e.dirty, e.removed = e.dirty[:0], e.removed[:0]
}

func (e *Engine) head(dst []byte, kind byte) []byte {
	dst = append(dst, snapshotFormat, kind)
	dst = binary.AppendVarint(dst, e.stream)
	return binary.AppendUvarint(dst, e.seq)
}

func appendBytes[T string | []byte](dst []byte, b T) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

func (g *group) append(dst []byte) []byte {
	dst = appendBytes(dst, g.key)
	dst = binary.AppendVarint(dst, g.newest)
	dst = binary.AppendVarint(dst, g.past)
	dst = binary.AppendVarint(dst, g.seen)
	dst = binary.AppendUvarint(dst, g.touch)
	dst = binary.AppendUvarint(dst, uint64(len(g.covers)))
	for _, c := range g.covers {
		dst = binary.AppendVarint(dst, c.start)
		dst = binary.AppendVarint(dst, c.end-c.start)
		dst = binary.AppendVarint(dst, c.told)
		dst = binary.AppendVarint(dst, c.count)
		dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(c.value))
		dst = binary.AppendVarint(dst, c.revision)
	}
	dst = binary.AppendUvarint(dst, uint64(len(g.entries)))
	last := int64(0)
	for _, x := range g.entries {
		dst = binary.AppendVarint(dst, x.at-last)
		last = x.at
		dst = binary.LittleEndian.AppendUint64(dst, x.val)
		dst = binary.AppendUvarint(dst, uint64(x.n))
		n := sizeID(g.ids[x.id:])
		dst = append(dst, g.ids[x.id:int(x.id)+n]...)
	}
	if g.more == nil {
		return append(dst, 0)
	}
	dst = append(dst, 1)
	for _, v := range [...]int64{g.more.closedTo, g.more.start, g.more.due, g.more.lag, g.more.lost} {
		dst = binary.AppendVarint(dst, v)
	}
	return appendBytes(dst, g.more.sample)
}

// Restore takes in a base (nil: nothing is remembered yet) and the changes since, in order, and forgets what was there.
// Groups of rules that are no longer there are passed over (see Passed); a rule that is new begins empty. The error is an
// ErrSnapshot, and the Engine is empty then.
func (e *Engine) Restore(base []byte, changes ...[]byte) error {
	e.reset()
	e.track, e.passed = true, 0
	for _, data := range append([][]byte{base}, changes...) {
		if len(data) == 0 {
			continue
		}
		if err := e.take(data); err != nil {
			e.reset()
			return err
		}
	}
	for _, r := range e.rules {
		r.relink()
		for len(r.byKey) > e.lim.Keys || r.stats.Events > int64(e.lim.Total) && r.head != r.tail {
			r.stats.EvictedKeys++
			e.remove(r, r.head)
		}
	}
	e.reschedule()
	e.settle()
	return nil
}

// Adopt takes over what old remembers of the rules that both have. The next AppendChanges is everything.
func (e *Engine) Adopt(old *Engine) error {
	track := old.track
	err := e.Restore(old.AppendBase(nil))
	e.track, e.whole, old.track = track, track, track
	for i, r := range e.rules {
		for _, o := range old.rules {
			if o.ID == r.ID {
				held := e.rules[i].stats
				r.stats = o.stats
				r.stats.Keys, r.stats.Events = held.Keys, held.Events
			}
		}
	}
	return err
}

// Passed is how many groups the last Restore passed over, because their rules are no longer there or have changed. One
// that had changed since the base is counted again.
func (e *Engine) Passed() int64 { return e.passed }

func (e *Engine) reset() {
	for _, r := range e.rules {
		r.groups, r.free, r.byKey, r.head, r.tail, r.stats = groups{}, nil, map[string]int32{}, -1, -1, Stats{}
	}
	e.stream, e.seq, e.heap, e.dirty, e.removed, e.whole = math.MinInt64, 0, nil, nil, nil, false
}

// relink orders groups by when they were last told of.
func (r *ruleState) relink() {
	var live []int32
	for i := range r.groups.n {
		if r.groups.at(i).used {
			live = append(live, i)
		}
	}
	slices.SortFunc(live, func(a, b int32) int {
		switch x, y := r.groups.at(a).touch, r.groups.at(b).touch; {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return int(a - b)
	})
	r.head, r.tail = -1, -1
	for _, i := range live {
		r.link(i)
	}
}

// take reads one snapshot.
func (e *Engine) take(data []byte) error {
	d := &decoder{Reader: snapshot.New(data, errShort)}
	if d.format = d.Byte(); d.format != snapshotFormat && d.format != firstFormat {
		return fmt.Errorf("%w: format %d", ErrSnapshot, d.format)
	}
	switch kind := d.Byte(); kind {
	case kindBase:
		e.reset()
	case kindChanges:
	default:
		return fmt.Errorf("%w: kind %q", ErrSnapshot, kind)
	}
	before := e.seq
	if e.stream, e.seq = d.Varint(), d.Uvarint(); e.seq > math.MaxInt64 || e.seq < before {
		d.Fail()
	}
	if e.stream != math.MinInt64 && e.stream != sane(e.stream) {
		return fmt.Errorf("%w: a time that can't be", ErrSnapshot)
	}
	for len(d.B) > 0 && d.Err == nil {
		id := string(d.Bytes())
		at := slices.IndexFunc(e.rules, func(r *ruleState) bool { return r.ID == id })
		for range d.Count(1) {
			if key := d.Bytes(); at >= 0 {
				e.rules[at].forget(string(key))
			}
		}
		for range d.Count(8) {
			g := d.group()
			if d.Err == nil && g.touch > e.seq {
				d.Err = fmt.Errorf("%w: a group from later", ErrSnapshot)
			}
			switch {
			case d.Err != nil:
			case at >= 0:
				d.Err = e.rules[at].put(g)
			default:
				e.passed++
			}
		}
	}
	return d.Err
}

func (r *ruleState) forget(key string) {
	if i, ok := r.byKey[key]; ok {
		delete(r.byKey, key)
		r.stats.Keys--
		r.stats.Events -= int64(len(r.groups.at(i).entries))
		*r.groups.at(i) = group{}
		r.free = append(r.free, i)
	}
}

// put takes in a group as it was.
func (r *ruleState) put(g group) error {
	if (g.more != nil) == r.rising {
		return fmt.Errorf("%w: a group of another kind of rule", ErrSnapshot)
	}
	if !slices.IsSortedFunc(g.entries, func(a, b entry) int {
		if r.before(a, b) {
			return -1
		} else if r.before(b, a) {
			return 1
		}
		return 0
	}) {
		return fmt.Errorf("%w: events out of order", ErrSnapshot)
	}
	r.forget(g.key)
	i := r.fresh(g.key, 0)
	g.used = true
	*r.groups.at(i) = g
	r.stats.Events += int64(len(g.entries))
	return nil
}
