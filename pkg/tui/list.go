package tui

import "slices"

// list is the table's rows that pass the filter, with cursor and scroll.
type list struct {
	rows   []*row
	cursor int
	top    int
	follow bool // keep the newest in sight
	right  int  // cells that the message is scrolled to the right
}

func (l *list) selected() *row {
	if l.cursor < 0 || l.cursor >= len(l.rows) {
		return nil
	}
	return l.rows[l.cursor]
}

// append adds the newest row.
func (l *list) append(r *row) {
	l.rows = append(l.rows, r)
	if l.follow {
		l.cursor = len(l.rows) - 1
	}
}

// forget lets go of every row up to the number seq; the cursor stays on its row as long as that is there.
func (l *list) forget(seq uint64) {
	n := 0
	for n < len(l.rows) && l.rows[n].seq <= seq {
		l.rows[n] = nil
		n++
	}
	l.rows = l.rows[n:]
	l.cursor = max(l.cursor-n, 0)
	l.top = max(l.top-n, 0)
}

// replace takes other rows. The cursor goes to the row that it was on, or to the nearest older one.
func (l *list) replace(rows []*row) {
	was := l.selected()
	offset := l.cursor - l.top
	l.rows = rows
	if l.follow || was == nil {
		l.end()
		return
	}
	i, _ := slices.BinarySearchFunc(rows, was.seq, func(r *row, seq uint64) int {
		switch {
		case r.seq < seq:
			return -1
		case r.seq > seq:
			return 1
		}
		return 0
	})
	if i == len(rows) || rows[i] != was {
		i--
	}
	l.cursor = max(i, 0)
	l.top = max(l.cursor-offset, 0)
}

// move goes n rows down (or up) and follows again once the end is reached.
func (l *list) move(n int) {
	l.cursor = max(min(l.cursor+n, len(l.rows)-1), 0)
	l.follow = n > 0 && l.cursor == len(l.rows)-1
}

func (l *list) end() {
	l.cursor = max(len(l.rows)-1, 0)
	l.follow = true
}

func (l *list) home() {
	l.cursor, l.follow = 0, false
}

// scroll brings the cursor into a window of that height and returns the rows in it.
func (l *list) scroll(height int) []*row {
	if height < 1 {
		return nil
	}
	if l.cursor < l.top {
		l.top = l.cursor
	}
	if l.cursor >= l.top+height {
		l.top = l.cursor - height + 1
	}
	l.top = max(min(l.top, len(l.rows)-height), 0)
	return l.rows[l.top:min(l.top+height, len(l.rows))]
}

// find goes to the next row (step 1) or the one before (step -1) that f finds, around the ends.
func (l *list) find(f *filter, step int) bool {
	n := len(l.rows)
	for i := 1; i <= n; i++ {
		at := ((l.cursor+step*i)%n + n) % n
		if f.match(l.rows[at]) {
			l.cursor = at
			l.follow = false
			return true
		}
	}
	return false
}
