package learn

import "strings"

// isShared tells whether too many different users claimed the key lately. Guesses count where there are no others: who
// logs in to servers under many names is one user still.
func (t *Table) isShared(x *item, at, floor int64) bool {
	if t.shared.Over < 0 || t.sharedColumn < 0 || len(x.entries) <= t.shared.Over {
		return false
	}
	for kind := range [...]int{strong, weak} {
		if n := t.users(x, at, floor, kind); n > 0 {
			return n > t.shared.Over
		}
	}
	return false
}

// users counts the different users that facts of a strength named lately, up to one more than is allowed.
func (t *Table) users(x *item, at, floor int64, kind int) int {
	a := &t.answer
	a.users = a.users[:0]
	for i := range x.entries {
		e := &x.entries[i]
		f := t.facts[e.fact]
		if f.counts < 0 || f.strength() != kind || e.first > at || t.gone(e) || e.last <= at-t.within || e.last < floor {
			continue
		}
		user := cellAt(e.row, f.counts)
		known := user == ""
		for _, u := range a.users {
			known = known || strings.EqualFold(u, user)
		}
		if !known {
			if a.users = append(a.users, user); len(a.users) > t.shared.Over {
				break
			}
		}
	}
	return len(a.users)
}

// sameParent tells whether a column goes with the shared one: user.id with user.name.
func (t *Table) sameParent(col int) bool {
	if col == t.sharedColumn {
		return true
	}
	parent, _, ok := strings.Cut(t.shared.Column, ".")
	return ok && strings.HasPrefix(t.columns[col], parent) && len(t.columns[col]) > len(parent) && t.columns[col][len(parent)] == '.'
}
