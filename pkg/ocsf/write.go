package ocsf

import (
	"time"

	"leat/pkg/event"
)

// maxEach bounds the elements that are made of one list; a longer one stays in unmapped.
const maxEach = 1000

// run holds the memory for one event after the other.
type run struct {
	plan *plan
	now  func() time.Time // for events without a time
	e    *event.Event
	at   []event.Node // of the fields that are read, by slot
	objs []event.Node // of the objects that hold them, by level
	used []int        // slots whose values are written, in the order of writing
	cols [][]event.Value
	item int // number of the element that is written
	// missed: a value of the lists that elements are made of is not written as a whole.
	missed bool

	state    []uint64 // by node: stamp<<2, and whether it is written or holds what is
	stamp    uint64
	text, fn []byte // scratch
	profiles uint64 // of the class, those whose attributes are written
}

const (
	holds   = 1
	written = 2
)

func newRun(p *plan, now func() time.Time) run {
	return run{plan: p, now: now, at: make([]event.Node, len(p.slots)), objs: make([]event.Node, p.levels+1), cols: make([][]event.Value, p.cols)}
}

// convert appends e as an OCSF event to dst. ok is false where no class fits, which a table that ends with Base Event can't say.
func (r *run) convert(e *event.Event, dst []byte) (out []byte, ok bool) {
	r.e = e
	r.stamp++
	for i := range r.at {
		r.at[i] = event.None
	}
	r.find(&r.plan.root, e.Root())
	start := len(dst)
	for _, c := range r.plan.classes {
		if !r.chosen(c) {
			continue
		}
		if dst, ok = r.class(c, dst[:start]); ok {
			return dst, true
		}
	}
	return dst[:start], false
}

// find notes where the fields are that the table reads.
func (r *run) find(l *level, n event.Node) {
	r.objs[l.id] = n
	for m := r.e.First(n); m != event.None; m = r.e.Next(m) {
		k := l.kids[view(r.e.Key(m))]
		if k == nil {
			continue
		}
		if k.slot >= 0 && r.at[k.slot] == event.None {
			r.at[k.slot] = m
		}
		if k.kids != nil && r.e.KindAt(m) == event.Object {
			r.find(k, m)
		}
	}
}

func (r *run) chosen(c *class) bool {
	for _, w := range c.when {
		if r.holds(w) {
			return true
		}
	}
	return len(c.when) == 0
}

// class writes the event as one of c, or tells that it lacks what c requires.
func (r *run) class(c *class, dst []byte) ([]byte, bool) {
	r.used, r.profiles = r.used[:0], 0
	dst = append(dst, '{')
	for i := range c.activities {
		if a := &c.activities[i]; a.when == nil || r.holds(a.when) {
			dst = r.activity(a, dst)
			break
		}
	}
	dst, _, ok := r.members(c.root, dst, c)
	if !ok {
		return dst, false
	}
	for _, s := range r.used {
		r.mark(s)
	}
	end := len(dst)
	dst = append(dst, `,"unmapped":`...)
	body := len(dst)
	if dst = r.rest(r.e.Root(), dst); len(dst) == body+len("{}") {
		dst = dst[:end]
	}
	return append(dst, '}'), true
}

var pathAction = event.MustPath("event.action")

func (r *run) activity(a *activity, dst []byte) []byte {
	dst = append(dst, a.head...)
	if !a.other {
		return dst
	}
	if v := r.e.Get(pathAction); v.Kind == event.String && len(v.Raw) > 2 {
		return append(dst, v.Raw...)
	}
	return append(dst, `"Other"`...)
}

// mark notes that the value of a slot is written, and that the objects around it hold such.
func (r *run) mark(slot int) {
	l := r.plan.slots[slot]
	r.set(r.at[slot], written)
	for l = l.parent; l.parent != nil; l = l.parent {
		r.set(r.objs[l.id], holds)
	}
}

func (r *run) set(n event.Node, flag uint64) {
	for int(n) >= len(r.state) {
		r.state = append(r.state, 0)
	}
	if r.state[n]>>2 != r.stamp {
		r.state[n] = r.stamp << 2
	}
	r.state[n] |= flag
}

func (r *run) flags(n event.Node) uint64 {
	if int(n) >= len(r.state) || r.state[n]>>2 != r.stamp {
		return 0
	}
	return r.state[n] & 3
}

// rest appends an object with the members of the event's object n that are not written.
func (r *run) rest(n event.Node, dst []byte) []byte {
	dst = append(dst, '{')
	first := true
	for m := r.e.First(n); m != event.None; m = r.e.Next(m) {
		flags := r.flags(m)
		if flags&written != 0 {
			continue
		}
		before := len(dst)
		if !first {
			dst = append(dst, ',')
		}
		dst = append(append(append(dst, '"'), r.e.RawKey(m)...), '"', ':')
		if flags&holds == 0 {
			dst = append(dst, r.e.ValueAt(m).Raw...)
		} else {
			body := len(dst)
			if dst = r.rest(m, dst); len(dst) == body+2 {
				dst = dst[:before]
				continue
			}
		}
		first = false
	}
	return append(dst, '}')
}

// members appends the members of n, each with a comma in front where something stands before it. live tells whether one of them
// says something of the event; ok, whether the object is as the schema wants it. c is the class of the event itself.
func (r *run) members(n *node, dst []byte, c *class) (out []byte, live, ok bool) {
	var have [4]uint64
	for i, k := range n.kids {
		if k.needs > 0 && have[(k.needs-1)>>6]&(1<<((k.needs-1)&63)) == 0 {
			continue
		}
		before := len(dst)
		if dst[before-1] != '{' {
			dst = append(dst, ',')
		}
		dst = append(dst, k.key...)
		var alive, there bool
		switch {
		case k.leaf != nil:
			dst, alive, there = r.leaf(k.leaf, dst)
		case k.elements != nil:
			dst, there = r.list(k, dst)
			alive = there
		default:
			if n.root && k.name == "metadata" {
				dst, alive, there = r.metadata(k, dst, c)
			} else {
				dst, alive, there = r.object(k, dst)
			}
		}
		if !there {
			dst = dst[:before]
			continue
		}
		live = live || alive
		have[i>>6] |= 1 << (i & 63)
		if k.profile > 0 {
			r.profiles |= 1 << (k.profile - 1)
		}
	}
	has := func(i int) bool { return i >= 0 && have[i>>6]&(1<<(i&63)) != 0 }
	for _, i := range n.required {
		if !has(i) {
			return dst, live, false
		}
	}
	count := func(list []int) (n int) {
		for _, i := range list {
			if has(i) {
				n++
			}
		}
		return n
	}
	if n.bound && count(n.atLeast) == 0 || len(n.obj.justOne) > 0 && count(n.justOne) != 1 {
		return dst, live, false
	}
	return dst, live, true
}

// object appends an object that says something; else there is false, and what it took is free again.
func (r *run) object(n *node, dst []byte) (out []byte, live, there bool) {
	used := len(r.used)
	dst, live, ok := r.members(n, append(dst, '{'), nil)
	if !ok || !live {
		r.used = r.used[:used]
		return dst, false, false
	}
	return append(dst, '}'), true, true
}

// metadata is object for what also names the profiles that the event uses.
func (r *run) metadata(n *node, dst []byte, c *class) (out []byte, live, there bool) {
	dst, live, there = r.object(n, dst)
	if !there || r.profiles == 0 {
		return dst, live, there
	}
	dst = append(dst[:len(dst)-1], `,"profiles":[`...)
	for i, p := range c.profiles {
		if r.profiles&(1<<i) != 0 {
			dst = append(event.AppendString(dst, p), ',')
		}
	}
	return append(dst[:len(dst)-1], ']', '}'), live, there
}
