package learn

import (
	"strings"

	"leat/pkg/event"
)

// answer is what the last Find found.
type answer struct {
	win    []winner // by column
	item   int32
	shared bool
	points []point
	users  []string
	cell   [2][]byte
	seen   [2]int64
}

// winner is the newest claim to a column: the strong ones, and the weak.
type winner struct {
	claim [2]claim
	cell  string // what answers
}

// claim is a fact's say at a time: at is when it was last said, that time itself where it holds over it.
type claim struct {
	at    int64
	fact  uint16
	row   string
	cell  string
	valid bool // some claim of the same value holds
	there bool
}

// point is a time at which a key was bound or let go.
type point struct {
	at   int64
	ends bool
	by   string // the column that binds
	who  string
	void bool // an end that was not meant for who has the key
}

const (
	strong = 0
	weak   = 1
)

func (a *answer) init(t *Table) { a.win = make([]winner, len(t.columns)) }

// Find looks up who had key at the time at (ns). The row is -1 where nothing is known; else Cell reads it until the next
// call of Find or Learn.
func (t *Table) Find(key []byte, at int64) int {
	t.key = appendKey(t.key[:0], key)
	i, ok := t.byKey[string(t.key)]
	if !ok || at < minTime || at > maxTime || !t.resolve(&t.items[i], at) {
		return -1
	}
	t.answer.item = i
	t.useful(i)
	return 0
}

// Cell returns the JSON value of a column of the row that Find returned; it is empty where there is none.
func (t *Table) Cell(row, col int) []byte {
	if row != 0 {
		return nil
	}
	a := &t.answer
	switch own := col - (len(t.columns) - len(ownColumns)); own {
	case 0:
		if a.shared {
			return []byte("true")
		}
		return []byte("false")
	case 1, 2:
		i := own - 1
		a.cell[i] = append(event.AppendTime(append(a.cell[i][:0], '"'), a.seen[i]), '"')
		return a.cell[i]
	}
	t.cell = append(t.cell[:0], a.win[col].cell...)
	return t.cell
}

// resolve fills in the answer for the key x at a time, and tells whether there is any.
func (t *Table) resolve(x *item, at int64) bool {
	a := &t.answer
	clear(a.win)
	floor := t.boundSince(x, at)
	a.shared = t.isShared(x, at, floor)
	a.seen = [2]int64{maxTime, minTime}
	for pass := range 2 {
		for i := range x.entries {
			if c, ok := t.claimOf(x, &x.entries[i], at, floor); ok {
				t.claim(c, pass == 1)
			}
		}
	}
	some := false
	for col := range a.win {
		w := &a.win[col]
		for _, c := range w.claim {
			if c.there && c.valid {
				w.cell = c.cell
				break
			}
		}
		if a.shared && !t.shared.Answer && t.sameParent(col) {
			w.cell = ""
		}
		some = some || w.cell != ""
	}
	if some || a.shared {
		t.seen(x, at, floor)
		return true
	}
	return false
}

// claimOf returns what e claims at a time.
func (t *Table) claimOf(x *item, e *entry, at, floor int64) (c claim, ok bool) {
	if t.facts[e.fact].ends || e.first > at || t.gone(e) {
		return c, false
	}
	if at < e.last {
		return claim{at: at, fact: e.fact, row: e.row, there: true, valid: true}, true
	}
	valid := at < e.to && e.last >= floor && !t.ended(x, e, at)
	return claim{at: e.last, fact: e.fact, row: e.row, there: true, valid: valid}, true
}

// claim takes a claim to each column that its row has: first the newest, then whether it, or another claim of the same
// value, holds.
func (t *Table) claim(c claim, second bool) {
	f := t.facts[c.fact]
	kind := strong
	if f.weak {
		kind = weak
	}
	for i, col := range f.cols {
		if c.cell = cellAt(c.row, i); c.cell == "" {
			continue
		}
		w := &t.answer.win[col].claim[kind]
		switch {
		case second:
			w.valid = w.valid || c.valid && w.cell == c.cell
		case !w.there || c.beats(w):
			*w = c
		}
	}
}

// beats orders claims: the newest, of those the fact of the lowest number, of those the greatest row.
func (c *claim) beats(o *claim) bool {
	switch {
	case c.at != o.at:
		return c.at > o.at
	case c.fact != o.fact:
		return c.fact < o.fact
	}
	return c.row > o.row
}

// ended tells whether a fact that ends came behind the last of e.
func (t *Table) ended(x *item, e *entry, at int64) bool {
	for i := range x.entries {
		end := &x.entries[i]
		f := t.facts[end.fact]
		if !f.ends || f.binds >= 0 {
			continue
		}
		q := end.last
		if q > at {
			q = end.first
		}
		if q <= at && q > e.last && t.ends(f, end.row, e) {
			return true
		}
	}
	return false
}

// ends tells whether an end with these cells is meant for e: it has none, or those that both have are the same.
func (t *Table) ends(f *fact, row string, e *entry) bool {
	if len(f.names) == 0 {
		return true
	}
	fe, same := t.facts[e.fact], false
	for i, name := range f.names {
		j := fe.place(name)
		if j < 0 {
			continue
		}
		v, w := cellAt(row, i), cellAt(e.row, j)
		if v == "" || w == "" {
			continue
		}
		if !strings.EqualFold(v, w) {
			return false
		}
		same = true
	}
	return same
}

// boundSince returns since when the key is that of whom it is at the time at: what was said before is void.
func (t *Table) boundSince(x *item, at int64) int64 {
	a := &t.answer
	a.points = a.points[:0]
	for i := range x.entries {
		e := &x.entries[i]
		f := t.facts[e.fact]
		if f.binds < 0 || e.first > at || t.gone(e) {
			continue
		}
		p := point{at: e.first, ends: f.ends, by: f.names[f.binds], who: cellAt(e.row, f.binds)}
		if p.who == "" && !p.ends {
			continue
		}
		a.insert(p)
		if e.last > e.first && e.last <= at {
			p.at = e.last
			a.insert(p)
		}
	}
	floor := minTime
	for i := range a.points {
		p := &a.points[i]
		before := a.before(i)
		switch {
		case p.ends && before != nil && !before.ends && p.who != "" && p.who != before.who:
			p.void = true
		case p.ends, before != nil && !before.ends && p.who != before.who:
			floor = p.at
		}
	}
	return floor
}

// insert puts p in its place: by time, ends first.
func (a *answer) insert(p point) {
	a.points = append(a.points, p)
	for i := len(a.points) - 1; i > 0 && p.less(&a.points[i-1]); i-- {
		a.points[i], a.points[i-1] = a.points[i-1], p
	}
}

func (p *point) less(o *point) bool {
	switch {
	case p.at != o.at:
		return p.at < o.at
	case p.ends != o.ends:
		return p.ends
	}
	return p.who < o.who
}

// before returns the point before the i-th of the same kind of binding, nil: there is none.
func (a *answer) before(i int) *point {
	for j := i - 1; j >= 0; j-- {
		if p := &a.points[j]; !p.void && p.by == a.points[i].by {
			return p
		}
	}
	return nil
}

// isShared tells whether too many different users claimed the key lately.
func (t *Table) isShared(x *item, at, floor int64) bool {
	if t.sharedOver < 0 || t.sharedColumn < 0 || len(x.entries) <= t.sharedOver {
		return false
	}
	a := &t.answer
	a.users = a.users[:0]
	for i := range x.entries {
		e := &x.entries[i]
		f := t.facts[e.fact]
		if f.counts < 0 || e.first > at || t.gone(e) || e.last <= at-t.sharedWithin || e.last < floor {
			continue
		}
		user := cellAt(e.row, f.counts)
		known := user == ""
		for _, u := range a.users {
			known = known || strings.EqualFold(u, user)
		}
		if !known {
			if a.users = append(a.users, user); len(a.users) > t.sharedOver {
				return true
			}
		}
	}
	return false
}

// sameParent tells whether a column goes with the shared one: user.id with user.name.
func (t *Table) sameParent(col int) bool {
	if col == t.sharedColumn {
		return true
	}
	parent, _, ok := strings.Cut(t.shared.Column, ".")
	return ok && strings.HasPrefix(t.columns[col], parent) && len(t.columns[col]) > len(parent) && t.columns[col][len(parent)] == '.'
}

// seen notes the first and the last time, up to at, of what answers.
func (t *Table) seen(x *item, at, floor int64) {
	a := &t.answer
	for i := range x.entries {
		e := &x.entries[i]
		f := t.facts[e.fact]
		if f.ends || e.first > at || t.gone(e) || min(e.last, at) < floor {
			continue
		}
		for j, col := range f.cols {
			if cell := cellAt(e.row, j); cell != "" && (cell == a.win[col].cell || a.shared) {
				a.seen[0] = min(a.seen[0], max(e.first, floor))
				a.seen[1] = max(a.seen[1], min(e.last, at))
			}
		}
	}
}
