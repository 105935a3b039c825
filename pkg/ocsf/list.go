package ocsf

import "leat/pkg/event"

// list appends a list of objects.
func (r *run) list(n *node, dst []byte) (out []byte, there bool) {
	dst = append(dst, '[')
	start := len(dst)
	for _, e := range n.elements {
		if e.each {
			dst = r.each(e, dst, start)
			continue
		}
		dst, _ = r.add(e.node, dst, start)
	}
	if len(dst) == start {
		return dst, false
	}
	return append(dst, ']'), true
}

// add appends one element.
func (r *run) add(n *node, dst []byte, start int) (out []byte, there bool) {
	mark := len(dst)
	if mark > start {
		dst = append(dst, ',')
	}
	if dst, _, there = r.object(n, dst); !there {
		return dst[:mark], false
	}
	return dst, true
}

// each appends an element for each value of the lists that its sources read. A list counts as written where all that its values say is.
func (r *run) each(e *element, dst []byte, start int) []byte {
	rows := 0
	r.missed = false
	e.node.sources(func(s *source) {
		if !s.each {
			return
		}
		r.cols[s.col] = r.cols[s.col][:0]
		if n := r.at[s.slot]; n != event.None {
			r.e.ValueAt(n).Elements(func(v event.Value) bool {
				r.cols[s.col] = append(r.cols[s.col], v)
				return len(r.cols[s.col]) <= maxEach
			})
		}
		rows = max(rows, len(r.cols[s.col]))
	})
	if rows > maxEach {
		return dst
	}
	for r.item = 0; r.item < rows; r.item++ {
		var there bool
		dst, there = r.add(e.node, dst, start)
		r.missed = r.missed || !there
	}
	if !r.missed && rows > 0 {
		e.node.sources(func(s *source) {
			if s.each && len(r.cols[s.col]) > 0 && r.whole(s) {
				r.used = append(r.used, s.slot)
			}
		})
	}
	return dst
}

// whole tells whether the element's rows read all that the values of a list say.
func (r *run) whole(s *source) bool {
	for _, v := range r.cols[s.col] {
		if s.member == "" {
			if v.Kind == event.Object || v.Kind == event.Array {
				return false
			}
			continue
		}
		if v.Kind != event.Object {
			return false
		}
		all := true
		v.Members(func(key []byte, val event.Value) bool {
			all = s.members[string(key)] && val.Kind != event.Object && val.Kind != event.Array
			return all
		})
		if !all {
			return false
		}
	}
	return true
}
