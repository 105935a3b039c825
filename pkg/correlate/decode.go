package correlate

import (
	"encoding/binary"
	"fmt"
	"math"

	"leat/internal/snapshot"
)

// decoder reads a snapshot; after an error everything that it reads is zero.
type decoder struct {
	snapshot.Reader
	format byte
}

var errShort = fmt.Errorf("%w: it ends early or a number is too large", ErrSnapshot)

func (d *decoder) time() int64 {
	t := d.Varint()
	if t != minTime && t != sane(t) && d.Err == nil {
		d.Err = fmt.Errorf("%w: a time that can't be", ErrSnapshot)
	}
	return t
}

func (d *decoder) cover() cover {
	c := cover{start: d.time(), told: math.MaxInt64, revision: 1}
	if c.end = c.start; d.format == firstFormat {
		return c // how much came in it is not known: it is not told again
	}
	c.end += d.Varint()
	c.told, c.count = d.Varint(), d.Varint()
	if v := d.Take(8); v != nil {
		c.value = math.Float64frombits(binary.LittleEndian.Uint64(v))
	}
	c.revision = d.Varint()
	if c.start != sane(c.start) || c.end != sane(c.end) || c.told < 0 || c.count < 0 || c.revision < 1 || c.revision > math.MaxInt32 || math.IsNaN(c.value) {
		d.Fail()
	}
	return c
}

func (d *decoder) group() (g group) {
	g.key = string(d.Bytes())
	g.newest, g.past, g.seen, g.touch = d.time(), d.time(), d.time(), d.Uvarint()
	for range d.Count(1) {
		g.covers = append(g.covers, d.cover())
	}
	n := d.Count(10)
	g.entries = make([]entry, 0, n)
	last := int64(0)
	for range n {
		x := entry{at: last + d.Varint(), id: uint32(len(g.ids))}
		if last = x.at; last != sane(last) {
			d.Fail()
		}
		if v := d.Take(8); v != nil {
			x.val = binary.LittleEndian.Uint64(v)
		}
		x.n = uint32(min(d.Uvarint(), math.MaxUint32))
		id := takeID(d.B)
		if id == nil {
			d.Fail()
		}
		if d.Err != nil {
			return g
		}
		d.B = d.B[len(id):]
		g.ids = append(g.ids, id...)
		g.entries = append(g.entries, x)
	}
	if d.Byte() == 1 {
		m := &closing{closedTo: d.time(), start: d.time(), due: d.Varint(), lag: d.Varint(), lost: d.Varint()}
		m.sample = append(m.sample, d.Bytes()...)
		g.more = m
	}
	return g
}
