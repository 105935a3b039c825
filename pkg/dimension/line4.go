package dimension

import (
	"math"
	"sort"
)

// line4 is the line of IPv4 addresses: what line is, in a quarter of the memory, with a table that says where the pieces of
// each /16 begin. A look-up touches the table and the one or two lines of memory that hold the pieces of the /16.
type line4 struct {
	starts []uint32
	rows   []uint32
	first  []uint32 // of each /16 the number of its first piece, and one more at the end
}

const blocks16 = 1 << 16

// narrow makes l of a line of IPv4 addresses.
func (l *line4) narrow(from *line) {
	// What begins behind the last address is nobody's.
	if n := len(from.starts); n > 0 && from.starts[n-1].lo > math.MaxUint32 {
		from.starts, from.rows = from.starts[:n-1], from.rows[:n-1]
	}
	if len(from.starts) == 0 {
		return
	}
	l.starts, l.rows, l.first = make([]uint32, len(from.starts)), from.rows, make([]uint32, blocks16+1)
	for i, p := range from.starts {
		l.starts[i] = uint32(p.lo)
		l.first[p.lo>>16+1]++
	}
	for i := range blocks16 {
		l.first[i+1] += l.first[i]
	}
}

func (l *line4) find(p point) uint32 {
	if len(l.starts) == 0 {
		return none
	}
	a := uint32(p.lo)
	from, to := l.first[a>>16], l.first[a>>16+1]
	part := l.starts[from:to]
	i := int(from) + sort.Search(len(part), func(i int) bool { return part[i] > a })
	if i == 0 {
		return none
	}
	return l.rows[i-1]
}
