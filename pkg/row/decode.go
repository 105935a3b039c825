package row

import (
	"fmt"
	"strconv"

	"leat/pkg/event"
)

// Decoder turns rows back into events. It is not safe for concurrent use.
type Decoder struct {
	c         *Columns
	row, rest event.Event
	raw, text []byte
}

// NewDecoder makes a Decoder for c.
func NewDecoder(c *Columns) *Decoder { return &Decoder{c: c} }

// Append appends the event of a row, which is a JSON object with one member for each column of the table, as the
// Encoder writes it or as DuckDB's to_json says it (NULL as null, times as "2006-01-02 15:04:05.123456"). Members that are no columns, such
// as those of the partition, are left out. The error says that row, or its rest, is no JSON object.
func (d *Decoder) Append(dst, row []byte) ([]byte, error) {
	d.row.Reset(row)
	if err := d.row.Parse(); err != nil {
		return dst, fmt.Errorf("row: %w", err)
	}
	restNode := event.None
	if n := d.row.Find(d.row.Root(), Rest); n != event.None && d.row.KindAt(n) == event.String {
		d.text = append(d.text[:0], d.row.ValueAt(n).Text(d.text)...)
		d.raw = unescapeRest(d.raw[:0], d.text)
		d.rest.Reset(d.raw)
		if err := d.rest.Parse(); err != nil {
			return dst, fmt.Errorf("column %s: %w", Rest, err)
		}
		restNode = d.rest.Root()
	}
	return d.object(dst, d.c.root, d.row.Root(), restNode), nil
}

// object writes the object whose columns are the members of the row at cn and whose other fields are those of rest at rn
// (None: there are none). Rest wins, but where both have an object they are one.
func (d *Decoder) object(dst []byte, l *level, cn, rn event.Node) []byte {
	dst = append(dst, '{')
	var have, twice, joined uint64
	for r := d.first(rn); r != event.None; r = d.rest.Next(r) {
		if at := l.match(d.rest.Key(r)); at >= 0 {
			twice |= have & (1 << uint(at))
			have |= 1 << uint(at)
		}
	}
	for c := d.row.First(cn); c != event.None; c = d.row.Next(c) {
		at := l.match(d.row.Key(c))
		if at < 0 || d.row.KindAt(c) == event.Null {
			continue
		}
		m, bit := &l.members[at], uint64(1)<<uint(at)
		if m.sub == nil {
			if have&bit == 0 {
				dst = append(comma(dst), m.quoted...)
				dst = d.column(dst, m.typ, d.row.ValueAt(c))
			}
			continue
		}
		r := event.None
		if have&bit != 0 {
			if r = d.rest.Find(rn, m.name); twice&bit != 0 || d.rest.KindAt(r) != event.Object {
				continue
			}
			joined |= bit
		}
		start := len(dst)
		dst = append(comma(dst), m.quoted...)
		value := len(dst)
		if dst = d.object(dst, m.sub, c, r); len(dst) == value+len("{}") && r == event.None {
			dst = dst[:start]
		}
	}
	for r := d.first(rn); r != event.None; r = d.rest.Next(r) {
		if at := l.match(d.rest.Key(r)); at >= 0 && joined&(1<<uint(at)) != 0 {
			continue
		}
		dst = append(comma(dst), '"')
		dst = append(dst, d.rest.RawKey(r)...)
		dst = append(dst, '"', ':')
		dst = append(dst, d.rest.ValueAt(r).Raw...)
	}
	return append(dst, '}')
}

func (d *Decoder) first(rn event.Node) event.Node {
	if rn == event.None {
		return rn
	}
	return d.rest.First(rn)
}

// column writes the JSON that cast takes as exact.
func (d *Decoder) column(dst []byte, t Type, v event.Value) []byte {
	switch {
	case t == Time && v.Kind == event.String:
		return appendTime(dst, v.Raw[1:len(v.Raw)-1])
	case t == Float && v.Kind == event.Number:
		if f, err := strconv.ParseFloat(string(v.Raw), 64); err == nil {
			return appendFloat(dst, f)
		}
	}
	return append(dst, v.Raw...)
}

// appendTime writes DuckDB's text of a TIMESTAMP, or a date-time of ours, as event.AppendTime would.
func appendTime(dst, s []byte) []byte {
	const seconds = len("2006-01-02T15:04:05")
	if len(s) < seconds || s[len(s)-1] == 'Z' {
		return append(append(append(dst, '"'), s...), '"')
	}
	dst = append(dst, '"')
	dst = append(dst, s[:10]...)
	dst = append(dst, 'T')
	dst = append(dst, s[11:seconds]...)
	dst = append(dst, '.')
	n := 0
	if len(s) > seconds {
		n = len(s) - seconds - 1
		dst = append(dst, s[seconds+1:]...)
	}
	for ; n != 3 && n != 6; n++ {
		dst = append(dst, '0')
	}
	return append(dst, 'Z', '"')
}
