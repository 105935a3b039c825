package dimension

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"leat/pkg/event"
)

// lists holds, for a dimension whose rows are valid for a time, the rows that one key has: a length, then the rows, the
// most preferred first.
type lists struct {
	rows     []uint32
	from, to []int64 // of every row of the table: [from, to) in nanoseconds since 1970
	last     uint32  // where the newest list begins
}

// The ends of time: a row without a beginning or an end is valid since ever, or for ever.
const (
	sinceEver = math.MinInt64
	forEver   = math.MaxInt64
)

// readTimes reads the columns of validity. An empty cell is an open end; the name of an absent column too.
func readTimes(t *Table, from, to string) (*lists, error) {
	l := &lists{from: make([]int64, t.rows), to: make([]int64, t.rows), last: none}
	for _, c := range []struct {
		name string
		open int64
		out  []int64
	}{{from, sinceEver, l.from}, {to, forEver, l.to}} {
		col := -1
		if c.name != "" {
			if col = t.Column(c.name); col < 0 {
				return nil, fmt.Errorf("no column %q of times; the table has %q", c.name, t.Columns())
			}
		}
		for row := range t.rows {
			c.out[row] = c.open
			if col < 0 {
				continue
			}
			cell := t.Cell(row, col)
			if len(cell) == 0 {
				continue
			}
			at, ok := readTime(cell)
			if !ok {
				return nil, fmt.Errorf("row %d, column %q: a value that is no time; expected RFC 3339, or seconds since 1970", row+1, c.name)
			}
			c.out[row] = at
		}
	}
	for row := range t.rows {
		if l.to[row] < l.from[row] {
			return nil, fmt.Errorf("row %d: it ends before it begins", row+1)
		}
	}
	return l, nil
}

const second = int64(time.Second)

func readTime(cell []byte) (int64, bool) {
	v := event.ValueOf(cell)
	if s, ok := v.Int(); ok {
		if s > math.MaxInt64/second || s < math.MinInt64/second {
			return 0, false
		}
		return s * second, true
	}
	return event.ParseTime(v.Text(nil))
}

// newer orders rows: the one whose time began last comes first; of equal ones the first row.
func (l *lists) newer(a, b uint32) int {
	return cmp.Or(cmp.Compare(l.from[b], l.from[a]), cmp.Compare(a, b))
}

// add keeps a list and returns its place. One that is equal to the newest is kept once.
func (l *lists) add(rows []uint32) (uint32, error) {
	if l.last != none && slices.Equal(l.at(l.last), rows) {
		return l.last, nil
	}
	if len(l.rows)+len(rows) >= math.MaxUint32 {
		return 0, errors.New("the history has more places than 32 bits can number")
	}
	l.last = uint32(len(l.rows))
	l.rows = append(append(l.rows, uint32(len(rows))), rows...)
	return l.last, nil
}

func (l *lists) at(place uint32) []uint32 {
	n := l.rows[place]
	return l.rows[place+1 : place+1+n]
}

// valid returns the first row of the list at place that is valid at a time, or -1.
func (l *lists) valid(place uint32, at int64) int {
	for _, row := range l.at(place) {
		if l.from[row] <= at && at < l.to[row] {
			return int(row)
		}
	}
	return -1
}
