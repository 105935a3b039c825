package correlate

import (
	"encoding/binary"
	"fmt"
	"math"
)

// decoder reads a snapshot; after an error everything that it reads is zero.
type decoder struct {
	b      []byte
	err    error
	format byte
}

func (d *decoder) fail() {
	if d.err == nil {
		d.err = fmt.Errorf("%w: it ends early or a number is too large", ErrSnapshot)
	}
	d.b = nil
}

func (d *decoder) byte() byte {
	if len(d.b) == 0 {
		d.fail()
		return 0
	}
	c := d.b[0]
	d.b = d.b[1:]
	return c
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

// count reads a number of things that take size bytes each at least.
func (d *decoder) count(size int) int {
	n := d.uvarint()
	if n > uint64(len(d.b)/size) {
		d.fail()
		return 0
	}
	return int(n)
}

func (d *decoder) take(n int) []byte {
	if n < 0 || n > len(d.b) {
		d.fail()
		return nil
	}
	out := d.b[:n]
	d.b = d.b[n:]
	return out
}

func (d *decoder) bytes() []byte { return d.take(d.count(1)) }

func (d *decoder) time() int64 {
	t := d.varint()
	if t != minTime && t != sane(t) && d.err == nil {
		d.err = fmt.Errorf("%w: a time that can't be", ErrSnapshot)
	}
	return t
}

func (d *decoder) cover() cover {
	c := cover{start: d.time(), told: math.MaxInt64, revision: 1}
	if c.end = c.start; d.format == firstFormat {
		return c // how much came in it is not known: it is not told again
	}
	c.end += d.varint()
	c.told, c.count = d.varint(), d.varint()
	if v := d.take(8); v != nil {
		c.value = math.Float64frombits(binary.LittleEndian.Uint64(v))
	}
	c.revision = d.varint()
	if c.start != sane(c.start) || c.end != sane(c.end) || c.told < 0 || c.count < 0 || c.revision < 1 || c.revision > math.MaxInt32 || math.IsNaN(c.value) {
		d.fail()
	}
	return c
}

func (d *decoder) group() (g group) {
	g.key = string(d.bytes())
	g.newest, g.past, g.seen, g.touch = d.time(), d.time(), d.time(), d.uvarint()
	for range d.count(1) {
		g.covers = append(g.covers, d.cover())
	}
	n := d.count(10)
	g.entries = make([]entry, 0, n)
	last := int64(0)
	for range n {
		x := entry{at: last + d.varint(), id: uint32(len(g.ids))}
		if last = x.at; last != sane(last) {
			d.fail()
		}
		if v := d.take(8); v != nil {
			x.val = binary.LittleEndian.Uint64(v)
		}
		x.n = uint32(min(d.uvarint(), math.MaxUint32))
		id := takeID(d.b)
		if id == nil {
			d.fail()
		}
		if d.err != nil {
			return g
		}
		d.b = d.b[len(id):]
		g.ids = append(g.ids, id...)
		g.entries = append(g.entries, x)
	}
	if d.byte() == 1 {
		m := &closing{closedTo: d.time(), start: d.time(), due: d.varint(), lag: d.varint(), lost: d.varint()}
		m.sample = append(m.sample, d.bytes()...)
		g.more = m
	}
	return g
}
