package learn

import (
	"strings"

	"leat/pkg/event"
)

// answer is what the last Find found.
type answer struct {
	win       []winner // by column; only those in said have anything
	said      []int
	item      int32
	at, floor int64
	shared    bool
	points    []point
	users     []string
	cell      [2][]byte
}

// winner is the newest claim to a column: the strong ones, and the weak.
type winner struct {
	claim [2]claim
	cell  string // what answers
	said  bool
}

// claim is a run's say at a time: at is when it was last said, that time itself where it holds over it.
type claim struct {
	at    int64
	run   *entry // nil: there is none
	cell  string
	valid bool // it holds, or another claim of the same value
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
		a.cell[i] = append(event.AppendTime(append(a.cell[i][:0], '"'), t.seen()[i]), '"')
		return a.cell[i]
	}
	t.cell = append(t.cell[:0], a.win[col].cell...)
	return t.cell
}

// resolve fills in the answer for the key x at a time, and tells whether there is any.
func (t *Table) resolve(x *item, at int64) bool {
	a := &t.answer
	for _, col := range a.said {
		a.win[col] = winner{}
	}
	a.said = a.said[:0]
	a.at, a.floor = at, t.boundSince(x, at)
	a.shared = t.isShared(x, at, a.floor)
	doubt := false
	for i := range x.entries {
		if c, ok := t.claimOf(x, &x.entries[i], at); ok {
			t.claim(c)
			doubt = doubt || !c.valid
		}
	}
	if doubt && len(x.entries) > 1 {
		t.confirm(x, at)
	}
	some := false
	for _, col := range a.said {
		w := &a.win[col]
		for i := range w.claim {
			if w.claim[i].valid {
				w.cell = w.claim[i].cell
				break
			}
		}
		if a.shared && !t.shared.Answer && t.sameParent(col) {
			w.cell = ""
		}
		some = some || w.cell != ""
	}
	return some || a.shared
}

// claimOf returns what e claims at a time.
func (t *Table) claimOf(x *item, e *entry, at int64) (c claim, ok bool) {
	if t.facts[e.fact].ends || e.first > at || t.gone(e) {
		return c, false
	}
	if at < e.last {
		return claim{at: at, run: e, valid: true}, true
	}
	return claim{at: e.last, run: e, valid: at < e.to && e.last >= t.answer.floor && !t.ended(x, e, at)}, true
}

// claim takes a claim to each column that its row has, where it is the newest.
func (t *Table) claim(c claim) {
	f := t.facts[c.run.fact]
	for i, col := range f.cols {
		if c.cell = cellAt(c.run.row, i); c.cell == "" {
			continue
		}
		w := &t.answer.win[col]
		if !w.said {
			w.said = true
			t.answer.said = append(t.answer.said, col)
		}
		if best := &w.claim[f.strength()]; best.run == nil || c.beats(best) {
			*best = c
		}
	}
}

// confirm looks, for values whose newest claim does not hold, for another claim of the same value that does.
func (t *Table) confirm(x *item, at int64) {
	for i := range x.entries {
		c, ok := t.claimOf(x, &x.entries[i], at)
		if !ok || !c.valid {
			continue
		}
		f := t.facts[c.run.fact]
		for j, col := range f.cols {
			if best := &t.answer.win[col].claim[f.strength()]; !best.valid && best.cell == cellAt(c.run.row, j) {
				best.valid = best.cell != ""
			}
		}
	}
}

func (f *fact) strength() int {
	if f.weak {
		return weak
	}
	return strong
}

// beats orders claims: the newest, of those the fact of the lowest number, of those the greatest row.
func (c *claim) beats(o *claim) bool {
	switch {
	case c.at != o.at:
		return c.at > o.at
	case c.run.fact != o.run.fact:
		return c.run.fact < o.run.fact
	}
	return c.run.row > o.run.row
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

// seen returns the first and the last time, up to that of the answer, at which it was said.
func (t *Table) seen() [2]int64 {
	a := &t.answer
	out := [2]int64{maxTime, minTime}
	x := &t.items[a.item]
	for i := range x.entries {
		e := &x.entries[i]
		f := t.facts[e.fact]
		if f.ends || e.first > a.at || t.gone(e) || min(e.last, a.at) < a.floor {
			continue
		}
		for j, col := range f.cols {
			if cell := cellAt(e.row, j); cell != "" && (cell == a.win[col].cell || a.shared) {
				out[0], out[1] = min(out[0], max(e.first, a.floor)), max(out[1], min(e.last, a.at))
			}
		}
	}
	return out
}
