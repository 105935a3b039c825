package normalize

import (
	"bytes"
	"slices"

	"leat/pkg/event"
)

// signRef is a sign of a plan, for the index.
type signRef struct {
	plan *plan
	sign *sign
}

// index finds the signs that a record can satisfy without looking at all: by the first key that a sign wants, or by the
// program of the syslog header; the others are tried in turn.
type index struct {
	byKey     map[string][]signRef
	byProgram map[string][]signRef
	globs     []signRef // programs with * or ?
	others    []signRef
	byHint    map[string][]*plan
}

func newIndex(plans []*plan) *index {
	x := &index{byKey: map[string][]signRef{}, byProgram: map[string][]signRef{}, byHint: map[string][]*plan{}}
	for _, p := range plans {
		for _, h := range p.hints {
			if !slices.Contains(x.byHint[h], p) {
				x.byHint[h] = append(x.byHint[h], p)
			}
		}
		for i := range p.signs {
			x.add(signRef{p, &p.signs[i]})
		}
	}
	return x
}

func (x *index) add(s signRef) {
	switch {
	case len(s.sign.keys) > 0:
		k := s.sign.keys[0].path[0]
		x.byKey[k] = append(x.byKey[k], s)
	case len(s.sign.programs) > 0:
		exact := true
		for _, p := range s.sign.programs {
			exact = exact && !bytes.ContainsAny([]byte(p), "*?")
		}
		if !exact {
			x.globs = append(x.globs, s)
			return
		}
		for _, p := range s.sign.programs {
			x.byProgram[p] = append(x.byProgram[p], s)
		}
	default:
		x.others = append(x.others, s)
	}
}

// recognise returns the plan that fits the record best, or nil. A hint narrows the choice; where it names one plan only,
// that one is taken without a sign.
func (r *runner) recognise(x *index, hint string, text []byte) *plan {
	var wanted []*plan
	if hint != "" {
		if wanted = x.byHint[hint]; len(wanted) == 1 {
			return wanted[0]
		}
	}
	var best signRef
	try := func(refs []signRef) {
		for _, ref := range refs {
			if wanted != nil && !slices.Contains(wanted, ref.plan) {
				continue
			}
			if best.plan != nil && (ref.sign.score < best.sign.score || ref.sign.score == best.sign.score && ref.plan.name >= best.plan.name) {
				continue
			}
			if r.shows(ref, text) {
				best = ref
			}
		}
	}
	if r.isObj {
		for n := r.obj.First(r.obj.Root()); n != event.None; n = r.obj.Next(n) {
			try(x.byKey[string(r.obj.Key(n))])
		}
	}
	if len(r.head.Program) > 0 {
		try(x.byProgram[string(r.head.Program)])
		try(x.globs)
	}
	try(x.others)
	if best.plan == nil && len(wanted) > 0 {
		return wanted[0]
	}
	return best.plan
}

// shows tells whether every condition of a sign holds.
func (r *runner) shows(ref signRef, text []byte) bool {
	s := ref.sign
	if len(s.programs) > 0 && !anyGlob(s.programs, r.head.Program) {
		return false
	}
	for i := range s.keys {
		if !r.isObj || !r.hasKey(&s.keys[i]) {
			return false
		}
	}
	if len(s.starts) > 0 && !slices.ContainsFunc(s.starts, func(w string) bool {
		return bytes.HasPrefix(r.head.Message, []byte(w)) || bytes.HasPrefix(text, []byte(w))
	}) {
		return false
	}
	for _, w := range s.contains {
		if !bytes.Contains(text, []byte(w)) {
			return false
		}
	}
	if s.match != nil && !s.match.Match(text) {
		return false
	}
	if s.lines {
		r.rec.Reset()
		return slices.ContainsFunc(ref.plan.lines, func(l linePattern) bool {
			return r.matcher.Match(l.p, &r.rec, 0, r.head.Message)
		})
	}
	return true
}

func (r *runner) hasKey(k *keySign) bool {
	n := r.obj.Root()
	for _, name := range k.path {
		if n = r.obj.Find(n, name); n == event.None {
			return false
		}
	}
	v := r.obj.ValueAt(n)
	return len(k.want) == 0 || anyGlob(k.want, v.Text(nil))
}

func anyGlob(globs []string, t []byte) bool {
	for _, g := range globs {
		if g == "*" || glob(g, t) {
			return true
		}
	}
	return false
}
