package normalize

import (
	"bytes"
	"cmp"
	"slices"
	"strings"
	"unsafe"

	"leat/internal/wildcard"
	"leat/pkg/event"
)

// signRef is a sign of a plan, for the index.
type signRef struct {
	plan *plan
	sign *sign
}

// index finds the signs that a record may show without looking at all of them: by the first key that a sign wants, by the
// program of the syslog header, or by a literal that the text must hold. Few signs have none of these.
type index struct {
	signs     []signRef
	byKey     keyTable // key -> number in lists
	byProgram keyTable
	lists     [][]int32
	globs     []programGlob
	text      literals
	starts    map[uint32][]int32 // by the first three bytes of the text
	first     [256][]int32       // by the first byte alone
	always    []int32            // for text that is no JSON
	headers   []signRef          // by header lines
	ranked    ranked
	byHint    map[string][]*plan
}

// programGlob is a program with * or ? that a sign names.
type programGlob struct {
	glob string
	sign int32
}

// sureScore is the score from which on a sign by program needs no look at the text: no sign by text reaches it.
const sureScore = 40

func newIndex(plans []*plan) *index {
	x := &index{byHint: map[string][]*plan{}}
	names := map[string]int{} // how many signs ask for a member of the record
	for _, p := range plans {
		for _, s := range p.signs {
			for _, k := range s.keys {
				names[k.path[0]]++
			}
		}
	}
	for _, p := range plans {
		for _, h := range p.hints {
			if !slices.Contains(x.byHint[h], p) {
				x.byHint[h] = append(x.byHint[h], p)
			}
		}
		for i := range p.signs {
			x.add(signRef{p, &p.signs[i]}, names)
		}
	}
	x.rankTexts()
	return x
}

func (x *index) add(s signRef, names map[string]int) {
	if len(s.sign.zeek) > 0 || len(s.sign.w3c) > 0 {
		x.headers = append(x.headers, s)
		return
	}
	n := int32(len(x.signs))
	x.signs = append(x.signs, s)
	switch {
	case len(s.sign.keys) > 0:
		for i := range s.sign.keys {
			k := &s.sign.keys[i]
			k.top = x.number(&x.byKey, k.path[0])
		}
		// The name that fewest signs ask for, and the longest of those: a record without it is not asked for the others.
		rarest := slices.MinFunc(s.sign.keys, func(a, b keySign) int {
			return cmp.Or(names[a.path[0]]-names[b.path[0]], len(b.path[0])-len(a.path[0]))
		})
		x.file(&x.byKey, rarest.path[0], n)
	case len(s.sign.programs) > 0:
		for _, p := range s.sign.programs {
			if strings.ContainsAny(p, "*?") {
				x.globs = append(x.globs, programGlob{p, n})
			} else {
				x.file(&x.byProgram, p, n)
			}
		}
	case !x.byText(s, n):
		x.always = append(x.always, n)
	}
}

// number returns the number of key in lists.
func (x *index) number(t *keyTable, key string) int32 {
	at := t.get([]byte(key))
	if at < 0 {
		at = int32(len(x.lists))
		t.put(key, at)
		x.lists = append(x.lists, nil)
	}
	return at
}

func (x *index) file(t *keyTable, key string, n int32) {
	at := x.number(t, key)
	x.lists[at] = append(x.lists[at], n)
}

// choice is the best sign so far.
type choice struct {
	run    *runner
	x      *index
	wanted []*plan
	best   signRef
	at     int32   // best's number
	asked  []int32 // signs that asked for more than names of the record's own members
}

func (c *choice) try(n int32) {
	ref := c.x.signs[n]
	if c.wanted != nil && !slices.Contains(c.wanted, ref.plan) {
		return
	}
	if c.run.tried.again(n) {
		return
	}
	if !ref.beats(c.best) {
		return
	}
	if !ref.sign.namesOnly() {
		c.asked = append(c.asked, n)
	}
	if c.run.shows(ref, true) {
		c.best, c.at = ref, n
	}
}

// beats tells whether s counts for more than other.
func (s signRef) beats(other signRef) bool {
	return other.plan == nil || s.sign.score > other.sign.score || s.sign.score == other.sign.score && s.plan.name < other.plan.name
}

func (c *choice) list(at int32) {
	if at >= 0 {
		for _, n := range c.x.lists[at] {
			c.try(n)
		}
	}
}

// recognise returns the plan that fits the record best, or nil: the highest score wins, and of equal ones the name that
// comes first. A hint narrows the choice; where it names one plan only, that one is taken without a sign.
func (r *runner) recognise(x *index, hint string) *plan {
	c := &r.choice
	*c = choice{run: r, x: x, asked: c.asked[:0]}
	r.tried.next(len(x.signs))
	if hint != "" {
		if c.wanted = x.byHint[hint]; len(c.wanted) == 1 {
			return c.wanted[0]
		}
	}
	if r.isObj {
		r.findKeys(x)
		for _, at := range r.found {
			c.list(at)
		}
	}
	if len(r.head.Program) > 0 {
		for _, n := range r.program.signs(x, r.head.Program) {
			c.try(n)
		}
	}
	if !r.isObj && (c.best.plan == nil || c.best.sign.score < sureScore) {
		if !r.recall(x, c) {
			r.search(x, c)
		}
	}
	if c.best.plan == nil && len(c.wanted) > 0 {
		return own(c.wanted)
	}
	return c.best.plan
}

// findKeys notes where the record has the names that signs begin with: a sign is then asked without a search.
func (r *runner) findKeys(x *index) {
	for _, at := range r.found {
		r.keyAt[at] = event.None
	}
	r.found = r.found[:0]
	for len(r.keyAt) < len(x.lists) {
		r.keyAt = append(r.keyAt, event.None)
	}
	for n := r.obj.First(r.obj.Root()); n != event.None; n = r.obj.Next(n) {
		if at := x.byKey.get(r.obj.RawKey(n)); at >= 0 && r.keyAt[at] == event.None {
			r.keyAt[at], r.found = n, append(r.found, at)
		}
	}
}

// shows tells whether every condition of a sign holds. found tells that findKeys was called for the record.
func (r *runner) shows(ref signRef, found bool) bool {
	s := ref.sign
	if len(s.programs) > 0 && !anyGlob(s.programs, r.head.Program) {
		return false
	}
	for i := range s.keys {
		if !r.isObj || !r.hasKey(&s.keys[i], found) {
			return false
		}
	}
	if len(s.starts) > 0 && !r.begins(s.starts) {
		return false
	}
	message, raw := false, false // which the expression must be tried on
	if s.match != nil {
		b := s.begins()
		message, raw = b.admits(r.head.Message), len(r.raw) != len(r.head.Message) && b.admits(r.raw)
		if !message && !raw {
			return false
		}
	}
	for _, w := range s.contains {
		// As bytes, a long w would be copied to the heap.
		if !strings.Contains(unsafe.String(unsafe.SliceData(r.raw), len(r.raw)), w) {
			return false
		}
	}
	if (message || raw) && !(message && s.match.Match(r.head.Message) || raw && s.match.Match(r.raw)) {
		return false
	}
	if s.lines {
		r.rec.Reset()
		m := r.behindPrefix(ref.plan, 0, bytes.TrimSpace(r.head.Message))
		for i := range ref.plan.lines {
			r.rec.Reset()
			if r.matcher.Match(ref.plan.lines[i].p, &r.rec, 0, m) {
				return true
			}
		}
		return false
	}
	return true
}

func (r *runner) hasKey(k *keySign, found bool) bool {
	n := event.None
	if found {
		n = r.keyAt[k.top]
	} else {
		n = r.obj.Find(r.obj.Root(), k.path[0])
	}
	for i := 1; i < len(k.path) && n != event.None; i++ {
		n = r.obj.Find(n, k.path[i])
	}
	if n == event.None {
		return false
	}
	return len(k.want) == 0 || k.want[0] == "*" || anyGlob(k.want, r.obj.ValueAt(n).Text(nil))
}

func anyGlob(globs []string, t []byte) bool {
	for _, g := range globs {
		if g == string(t) || g == "*" || wildcard.MatchBytes(g, t) {
			return true
		}
	}
	return false
}
