package ingest

import (
	"encoding/binary"
	"errors"
)

// The kinds of journal entries: a record as it came, one that was spooled, one that was cut, and an event of our own.
const (
	entryRecord = iota
	entrySpooled
	entryCut
	entryNotice
)

// entry is a record in the journal.
type entry struct {
	kind    byte
	addr    []byte // ip:port of the sender
	dataset []byte // empty: none was told
	long    long   // of a spooled or cut one
	record  []byte // of a notice the whole event
}

// appendEntry encodes e: kind, addr, dataset, of a spooled or cut one its size, sum and path, and the rest is the record
// (its head).
func appendEntry(dst []byte, e entry) []byte {
	dst = append(dst, e.kind)
	dst = appendBytes(dst, e.addr)
	dst = appendBytes(dst, e.dataset)
	if e.kind == entrySpooled || e.kind == entryCut {
		dst = binary.AppendUvarint(dst, uint64(e.long.Size))
		dst = appendBytes(dst, []byte(e.long.Sum))
		dst = appendBytes(dst, []byte(e.long.Path))
		return append(dst, e.long.head...)
	}
	return append(dst, e.record...)
}

func appendBytes(dst, b []byte) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(b))), b...)
}

var errEntry = errors.New("journal entry of an unknown form")

// parseEntry decodes what appendEntry wrote; the entry's parts are spans of b.
func parseEntry(b []byte) (entry, error) {
	if len(b) < 1 || b[0] > entryNotice {
		return entry{}, errEntry
	}
	e := entry{kind: b[0]}
	f := fields{rest: b[1:], ok: true}
	e.addr, e.dataset = f.text(), f.text()
	if e.kind == entrySpooled || e.kind == entryCut {
		e.long.Size = int64(f.number())
		e.long.Sum, e.long.Path = string(f.text()), string(f.text())
		e.long.head = f.rest
	}
	e.record = f.rest
	if !f.ok {
		return entry{}, errEntry
	}
	return e, nil
}

// fields takes apart what appendEntry put together.
type fields struct {
	rest []byte
	ok   bool
}

func (f *fields) number() uint64 {
	v, n := binary.Uvarint(f.rest)
	if n <= 0 {
		f.ok = false
		return 0
	}
	f.rest = f.rest[n:]
	return v
}

func (f *fields) text() []byte {
	n := f.number()
	if n > uint64(len(f.rest)) {
		f.ok = false
		return nil
	}
	t := f.rest[:n]
	f.rest = f.rest[n:]
	return t
}
