package dimension

import (
	"cmp"
	"encoding/binary"
	"net/netip"
	"strconv"

	"leat/internal/address"
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

// parsePoint reads a key as the place that it stands for.
func parsePoint(key []byte, numeric bool) (p point, v6, ok bool) {
	if numeric {
		n, err := strconv.ParseInt(string(key), 10, 64)
		return numberPoint(n), false, err == nil
	}
	a, ok := address.Parse(key)
	if !ok {
		return point{}, false, false
	}
	p, v6 = addressPoint(a)
	return p, v6, true
}
