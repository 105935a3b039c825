package ocsf

import (
	"strconv"

	"leat/pkg/event"
)

// leaf appends a value. live tells whether it comes from the event.
func (r *run) leaf(l *leaf, dst []byte) (out []byte, live, there bool) {
	for _, s := range l.sources {
		if s.slot < 0 {
			dst = l.constant(dst, s.text)
			return dst, len(l.sources) > 1, true
		}
		v := r.read(s)
		var how result
		if l.attr.array {
			dst, how = r.texts(dst, l, s, v)
		} else {
			dst, how = r.one(dst, l, s, v)
		}
		if s.each && how != exact && v.Exists() && v.Kind != event.Null {
			r.missed = true
		}
		if how == misfit {
			continue
		}
		if how == exact && !s.each {
			r.used = append(r.used, s.slot)
		}
		return dst, true, true
	}
	if l.attr.name == "time" && l.attr.required {
		return strconv.AppendInt(dst, r.now().UnixMilli(), 10), false, true
	}
	if l.def != nil {
		return l.caption(append(dst, l.def...), l.defName), false, true
	}
	return dst, false, false
}

func (l *leaf) constant(dst []byte, text string) []byte {
	switch l.kind {
	case kindEnum:
		return l.caption(append(dst, text...), l.attr.captionOf(text))
	case kindBoolean, kindInteger:
		return append(dst, text...)
	}
	return event.AppendString(dst, text)
}

func (r *run) read(s *source) event.Value {
	if s.each {
		if r.item >= len(r.cols[s.col]) {
			return event.Value{}
		}
		v := r.cols[s.col][r.item]
		if s.member != "" {
			return v.Member(s.member)
		}
		return v
	}
	n := r.at[s.slot]
	if n == event.None {
		return event.Value{}
	}
	return r.e.ValueAt(n)
}

// one appends a single value. Of a list it is the first element that fits, and the whole list stays in unmapped.
func (r *run) one(dst []byte, l *leaf, s *source, v event.Value) ([]byte, result) {
	if v.Kind != event.Array || l.kind == kindJSON {
		return r.value(dst, l, s, v)
	}
	how, n := misfit, 0
	v.Elements(func(e event.Value) bool {
		n++
		if how == misfit {
			dst, how = r.value(dst, l, s, e)
		}
		return n < 2 || how == misfit && n < maxEach
	})
	if how == exact && n > 1 {
		how = rough
	}
	return dst, how
}

// texts appends a list of values.
func (r *run) texts(dst []byte, l *leaf, s *source, v event.Value) ([]byte, result) {
	start := len(dst)
	dst = append(dst, '[')
	all := exact
	v.Elements(func(e event.Value) bool {
		if len(dst) > start+1 {
			dst = append(dst, ',')
		}
		mark := len(dst)
		var how result
		if dst, how = r.value(dst, l, s, e); how == misfit {
			dst = dst[:max(mark-1, start+1)]
		}
		all = min(all, max(how, rough))
		return true
	})
	if len(dst) == start+1 {
		return dst, misfit
	}
	return append(dst, ']'), all
}
