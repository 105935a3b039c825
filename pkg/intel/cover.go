package intel

import (
	"encoding/binary"
	"net/netip"
)

// cover knows roughly which addresses are in a block: a bit for each /24 of IPv4 (2 MiB), and one for each /16 of IPv6. Most addresses are in
// none, and the search among the blocks, a line of memory for each of its steps, is left out.
type cover struct {
	v4 []uint64
	v6 []uint64
}

// coverOf makes the cover of a set's blocks.
func (s *Set) coverOf() *cover {
	c := &cover{v4: make([]uint64, 1<<24/64), v6: make([]uint64, 1<<16/64)}
	for row := range s.table.Rows() {
		if cell := s.table.Cell(row, numBlock); len(cell) > 0 {
			if p, ok := parsePrefix(unquote(cell)); ok {
				c.add(p)
			}
		}
	}
	return c
}

func (c *cover) add(p netip.Prefix) {
	bits, at, set := 16, uint32(0), c.v6
	if p.Addr().Is4() {
		bits, at, set = 24, place(p.Addr()), c.v4
	} else {
		at = place(p.Addr())
	}
	for n := range uint32(1) << max(bits-p.Bits(), 0) {
		set[(at+n)/64] |= 1 << ((at + n) % 64)
	}
}

func place(a netip.Addr) uint32 {
	if a.Is4() {
		b := a.As4()
		return binary.BigEndian.Uint32(b[:]) >> 8
	}
	b := a.As16()
	return uint32(binary.BigEndian.Uint16(b[:]))
}

func (c *cover) may(a netip.Addr) bool {
	set, at := c.v6, place(a)
	if a.Is4() {
		set = c.v4
	}
	return set[at/64]&(1<<(at%64)) != 0
}
