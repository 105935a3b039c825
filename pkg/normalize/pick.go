package normalize

import (
	"bytes"

	"leat/pkg/event"
)

// pick is a selector behind a path: [0], [], [key=value] or [key~value], and the path below the element.
type pick struct {
	index int    // element number; -1 all; -2 by key
	key   string // member to compare
	want  string
	fold  bool     // in whatever case
	path  []string // below the element
}

// pick takes one element, or all, of a list.
func (r *runner) pick(k *pick, v value) value {
	if v.kind != event.Array && v.kind != event.Object {
		return value{}
	}
	if k.index == -1 && len(k.path) == 0 {
		return v
	}
	if k.index >= 0 {
		return nthBelow(v, k)
	}
	var found value
	all := -1
	elementsOf(v, func(el value) bool {
		e := event.ValueOf(el.b)
		if k.index == -2 && !k.is(e.Member(k.key)) {
			return true
		}
		if e = below(e, k.path); !e.Exists() {
			return true
		}
		if k.index == -2 {
			found = value{b: e.Raw, kind: e.Kind, json: true}
			return false
		}
		raw := e.Raw
		if e.Kind == event.Array {
			// What stands behind it, and fields, want the elements of all lists as one list.
			if raw = bytes.TrimSpace(raw[1 : len(raw)-1]); len(raw) == 0 {
				return true
			}
		}
		if all < 0 {
			all = len(r.mem)
			r.mem = append(r.mem, '[')
		} else {
			r.mem = append(r.mem, ',')
		}
		r.mem = append(r.mem, raw...)
		return true
	})
	if all >= 0 {
		r.mem = append(r.mem, ']')
		return value{b: r.mem[all:len(r.mem):len(r.mem)], kind: event.Array, json: true}
	}
	return found
}

// is tells whether a list's element is the one that is wanted, by its member v.
func (k *pick) is(v event.Value) bool {
	if !k.fold {
		return v.Is(k.want) || v.Kind != event.String && string(v.Raw) == k.want
	}
	return fold(v.Text(nil), k.want)
}

// nthBelow is what stands at the path of k in element number k.index of a list.
func nthBelow(v value, k *pick) value {
	n := 0
	var found value
	event.ValueOf(v.b).Elements(func(e event.Value) bool {
		if n == k.index {
			if e = below(e, k.path); e.Exists() {
				found = value{b: e.Raw, kind: e.Kind, json: true}
			}
		}
		n++
		return n <= k.index
	})
	return found
}

// below is the member of e at path.
func below(e event.Value, path []string) event.Value {
	for _, name := range path {
		if e = e.Member(name); !e.Exists() {
			return event.Value{}
		}
	}
	return e
}

// elementsOf calls yield with each element of a list, also of the lists in it; a value that is no list is its own only element.
func elementsOf(v value, yield func(value) bool) {
	if v.kind != event.Array {
		yield(v)
		return
	}
	more := true
	event.ValueOf(v.b).Elements(func(e event.Value) bool {
		if e.Kind != event.Array {
			more = yield(value{b: e.Raw, kind: e.Kind, json: true})
			return more
		}
		e.Elements(func(in event.Value) bool {
			more = yield(value{b: in.Raw, kind: in.Kind, json: true})
			return more
		})
		return more
	})
}
