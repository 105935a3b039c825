package dimension

import (
	"cmp"
	"container/heap"
	"errors"
	"math"
	"net/netip"
	"slices"
	"sort"

	"leat/pkg/event"
)

// span is one row's range, both ends within.
type span struct {
	first, last point
	row         uint32
}

func (s span) narrower(o span) int { return s.last.minus(s.first).compare(o.last.minus(o.first)) }

// spans is a heap: the narrowest range on top, of equal ones that of the first row.
type spans []span

func (s spans) Len() int { return len(s) }
func (s spans) Less(i, j int) bool {
	return cmp.Or(s[i].narrower(s[j]), cmp.Compare(s[i].row, s[j].row)) < 0
}
func (s spans) Swap(i, j int) { s[i], s[j] = s[j], s[i] }
func (s *spans) Push(x any)   { *s = append(*s, x.(span)) }
func (s *spans) Pop() any {
	old := *s
	x := old[len(old)-1]
	*s = old[:len(old)-1]
	return x
}

// line is a number line cut into pieces: piece i begins at starts[i] and belongs to rows[i] (a row or a list), or to none.
type line struct {
	starts []point
	rows   []uint32
}

// none is the row of a piece that no range covers.
const none = math.MaxUint32

func (l *line) piece(at point, row uint32) {
	if n := len(l.rows); n == 0 || l.rows[n-1] != row {
		l.starts = append(l.starts, at)
		l.rows = append(l.rows, row)
	}
}

// ends sorts the ranges and returns the places where the pieces may change, and how many ranges are equal to an earlier one.
func ends(all []span) (points []point, duplicates int) {
	slices.SortFunc(all, func(a, b span) int {
		return cmp.Or(a.first.compare(b.first), a.last.compare(b.last), cmp.Compare(a.row, b.row))
	})
	points = make([]point, 0, 2*len(all))
	for i, s := range all {
		if i > 0 && s.first == all[i-1].first && s.last == all[i-1].last {
			duplicates++
		}
		points = append(points, s.first)
		if end, ok := s.last.next(); ok {
			points = append(points, end)
		}
	}
	slices.SortFunc(points, point.compare)
	return slices.Compact(points), duplicates
}

// cut makes the pieces: each point belongs to the narrowest range that covers it. For prefixes, which nest, that is the
// longest. It returns how many ranges are equal to an earlier one.
func (l *line) cut(all []span) (duplicates int) {
	points, duplicates := ends(all)
	var active spans
	for _, p := range points {
		for len(all) > 0 && all[0].first == p {
			heap.Push(&active, all[0])
			all = all[1:]
		}
		for len(active) > 0 && active[0].last.compare(p) < 0 {
			heap.Pop(&active)
		}
		row := uint32(none)
		if len(active) > 0 {
			row = active[0].row
		}
		l.piece(p, row)
	}
	return duplicates
}

// cutLists makes pieces that belong to lists: all rows that cover the piece, the narrowest first.
func (l *line) cutLists(all []span, lists *lists) error {
	points, _ := ends(all)
	var active []span
	var rows []uint32
	for _, p := range points {
		for len(all) > 0 && all[0].first == p {
			active = append(active, all[0])
			all = all[1:]
		}
		active = slices.DeleteFunc(active, func(s span) bool { return s.last.compare(p) < 0 })
		if len(active) == 0 {
			l.piece(p, none)
			continue
		}
		slices.SortFunc(active, func(a, b span) int {
			return cmp.Or(a.narrower(b), lists.newer(a.row, b.row))
		})
		rows = rows[:0]
		for _, s := range active {
			rows = append(rows, s.row)
		}
		at, err := lists.add(rows)
		if err != nil {
			return err
		}
		l.piece(p, at)
	}
	return nil
}

func (l *line) find(p point) uint32 {
	i := sort.Search(len(l.starts), func(i int) bool { return l.starts[i].compare(p) > 0 })
	if i == 0 {
		return none
	}
	return l.rows[i-1]
}

// rangeRows collects the ranges of a table's rows.
type rangeRows struct {
	v4, v6, numbers []span
}

// prefix adds a CIDR block, or an address as a block of one. Bits behind the prefix don't count.
func (rr *rangeRows) prefix(text string, row uint32) error {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		a, aerr := netip.ParseAddr(text)
		if aerr != nil || a.Zone() != "" {
			return errors.New("the key is no CIDR block and no address")
		}
		a = a.Unmap()
		p = netip.PrefixFrom(a, a.BitLen())
	}
	a, bits := p.Addr(), p.Bits()
	if a.Is4In6() {
		if bits < 96 {
			return errors.New("the key is an IPv4-mapped block wider than /96")
		}
		a, bits = a.Unmap(), bits-96
	}
	first, v6 := addressPoint(netip.PrefixFrom(a, bits).Masked().Addr())
	last := first
	if free := a.BitLen() - bits; free >= 64 {
		last.lo = ^uint64(0)
		last.hi |= 1<<(free-64) - 1
	} else {
		last.lo |= 1<<free - 1
	}
	rr.put(v6, span{first, last, row})
	return nil
}

func (rr *rangeRows) put(v6 bool, s span) {
	if v6 {
		rr.v6 = append(rr.v6, s)
	} else {
		rr.v4 = append(rr.v4, s)
	}
}

// between adds a range of addresses or whole numbers; a row without one is left out.
func (rr *rangeRows) between(first, last event.Value, row uint32) error {
	if !first.Exists() && !last.Exists() {
		return nil
	}
	if n, ok := first.Int(); ok {
		m, ok := last.Int()
		if !ok || m < n {
			return errors.New("the range's last number is none, or below the first")
		}
		rr.numbers = append(rr.numbers, span{numberPoint(n), numberPoint(m), row})
		return nil
	}
	a, err := netip.ParseAddr(first.String())
	b, err2 := netip.ParseAddr(last.String())
	if err != nil || err2 != nil || a.Zone() != "" || b.Zone() != "" {
		return errors.New("the range is neither of two addresses nor of two whole numbers")
	}
	p, v6 := addressPoint(a)
	q, w6 := addressPoint(b)
	if v6 != w6 || q.compare(p) < 0 {
		return errors.New("the range's last address is of another family, or below the first")
	}
	rr.put(v6, span{p, q, row})
	return nil
}
