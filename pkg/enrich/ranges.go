package enrich

import (
	"cmp"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sort"
	"strconv"

	"leat/pkg/event"
)

// point is a place on a line: an address or a whole number.
type point struct{ hi, lo uint64 }

func (p point) compare(q point) int {
	if c := cmp.Compare(p.hi, q.hi); c != 0 {
		return c
	}
	return cmp.Compare(p.lo, q.lo)
}

func (p point) minus(q point) point {
	d := point{p.hi - q.hi, p.lo - q.lo}
	if p.lo < q.lo {
		d.hi--
	}
	return d
}

// next is the point behind p; ok is false behind the last.
func (p point) next() (q point, ok bool) {
	q = point{p.hi, p.lo + 1}
	if q.lo == 0 {
		q.hi++
	}
	return q, q != point{}
}

// addressPoint gives an address its place. IPv4 and IPv6 are two lines; an IPv4-mapped address is IPv4.
func addressPoint(a netip.Addr) (p point, v6 bool) {
	if a = a.Unmap(); a.Is4() {
		b := a.As4()
		return point{lo: uint64(binary.BigEndian.Uint32(b[:]))}, false
	}
	b := a.As16()
	return point{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}, true
}

// numberPoint keeps the order of negative numbers.
func numberPoint(n int64) point { return point{lo: uint64(n) ^ 1<<63} }

// span is one row's range, both ends within.
type span struct {
	first, last point
	row         int
}

// spans is a heap: the narrowest range on top, of equal ones that of the first row.
type spans []span

func (s spans) Len() int { return len(s) }
func (s spans) Less(i, j int) bool {
	if c := s[i].last.minus(s[i].first).compare(s[j].last.minus(s[j].first)); c != 0 {
		return c < 0
	}
	return s[i].row < s[j].row
}
func (s spans) Swap(i, j int) { s[i], s[j] = s[j], s[i] }
func (s *spans) Push(x any)   { *s = append(*s, x.(span)) }
func (s *spans) Pop() any {
	old := *s
	x := old[len(old)-1]
	*s = old[:len(old)-1]
	return x
}

// line is a number line cut into pieces: piece i begins at starts[i] and belongs to rows[i], or to none (-1).
type line struct {
	starts []point
	rows   []int32
}

// cut makes the pieces: each point belongs to the narrowest range that covers it. For prefixes, which nest, that is the
// longest. It returns how many ranges are equal to an earlier one.
func (l *line) cut(all []span) (duplicates int) {
	slices.SortFunc(all, func(a, b span) int {
		return cmp.Or(a.first.compare(b.first), a.last.compare(b.last), cmp.Compare(a.row, b.row))
	})
	points := make([]point, 0, 2*len(all))
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
	points = slices.Compact(points)
	var active spans
	for _, p := range points {
		for len(all) > 0 && all[0].first == p {
			heap.Push(&active, all[0])
			all = all[1:]
		}
		for len(active) > 0 && active[0].last.compare(p) < 0 {
			heap.Pop(&active)
		}
		row := int32(-1)
		if len(active) > 0 {
			row = int32(active[0].row)
		}
		if n := len(l.rows); n == 0 || l.rows[n-1] != row {
			l.starts = append(l.starts, p)
			l.rows = append(l.rows, row)
		}
	}
	return duplicates
}

func (l *line) find(p point) int {
	i := sort.Search(len(l.starts), func(i int) bool { return l.starts[i].compare(p) > 0 })
	if i == 0 {
		return -1
	}
	return int(l.rows[i-1])
}

// ranges is the index of join: cidr and join: range.
type ranges struct {
	v4, v6, numbers line
	numeric         bool
}

func (r *ranges) find(key []byte) int {
	if r.numeric {
		n, err := strconv.ParseInt(string(key), 10, 64)
		if err != nil {
			return -1
		}
		return r.numbers.find(numberPoint(n))
	}
	a, ok := parseAddress(key)
	if !ok {
		return -1
	}
	p, v6 := addressPoint(a)
	if v6 {
		return r.v6.find(p)
	}
	return r.v4.find(p)
}

// rangeRows collects the ranges of a table's rows.
type rangeRows struct {
	v4, v6, numbers []span
}

func (s *Snapshot) indexRanges(d *DimensionConfig) (*ranges, error) {
	keys, err := s.keyColumns(d)
	if err != nil {
		return nil, err
	}
	var rr rangeRows
	for row := range s.Rows {
		if d.Join == "range" {
			first, last := s.tab.cell(row, keys[0].cols[0]), s.tab.cell(row, keys[1].cols[0])
			err = rr.between(event.ValueOf(first), event.ValueOf(last), row)
		} else {
			for _, k := range keys {
				for el := range event.ValueOf(s.tab.cell(row, k.cols[0])).Elements {
					err = errors.Join(err, rr.prefix(el.String(), row))
				}
			}
		}
		if err != nil {
			return nil, fmt.Errorf("row %d: %w", row+1, err)
		}
	}
	if len(rr.numbers) > 0 && len(rr.v4)+len(rr.v6) > 0 {
		return nil, errors.New("some ranges are of addresses, some of numbers")
	}
	s.Keys = len(rr.v4) + len(rr.v6) + len(rr.numbers)
	r := &ranges{numeric: len(rr.numbers) > 0}
	s.Duplicates = r.v4.cut(rr.v4) + r.v6.cut(rr.v6) + r.numbers.cut(rr.numbers)
	if s.Duplicates > 0 && d.Duplicates == "error" {
		return nil, fmt.Errorf("%d ranges are there twice", s.Duplicates)
	}
	return r, nil
}

// prefix adds a CIDR block, or an address as a block of one. Bits behind the prefix don't count.
func (rr *rangeRows) prefix(text string, row int) error {
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
func (rr *rangeRows) between(first, last event.Value, row int) error {
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
