package evtx

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
)

// Chunk is 64 KiB of a log, with all that its records need: names and templates stand in it once.
type Chunk struct {
	// N is its number in the file, from 0.
	N int
	// Damage is what was found to be wrong so far: with the chunk as a whole, once it is loaded, and with what lies between
	// its records, as Next comes to it.
	Damage []Damage

	buf  []byte
	data []byte // buf as far as the file goes
	free int    // where, by the header, the records end
	at   int    // of the next record
	last uint64 // number of the record before that
	any  bool   // there was one
	doc  document
	subs []substitution // memory for AppendJSON
	work int            // tokens that may still be read
	room int            // bytes that records may still become
}

// Record is a record of a chunk, good as long as the chunk.
type Record struct {
	ID      uint64 // its number in the log
	Written int64  // when, in nanoseconds since 1970
	Raw     []byte // header, binary XML and trailing size
	// Torn: its end is not there. A log that is still written may have it later; else what could be read of it counts.
	Torn bool
	// Sure: its number is the one behind the record before, or what the chunk's header says. Another may be damaged.
	Sure bool
	at   int // of Raw in the chunk
}

// Damage is what is wrong with a chunk.
type Damage struct {
	Reason string
	Data   []byte // the bytes that are no record, good as long as the chunk; nil: it is about the whole
}

// load takes in the first size bytes of buf.
func (c *Chunk) load(n, size int) {
	c.N, c.Damage, c.data = n, c.Damage[:0], c.buf[:size]
	c.at, c.last, c.any, c.free = chunkHead, 0, false, size
	c.work, c.room = maxChunkSteps, maxChunkJSON
	if size < chunkHead || !bytes.HasPrefix(c.data, chunkMagic) {
		c.damaged(nil, "chunk %d has no header", n)
		return
	}
	le := binary.LittleEndian
	sum := crc32.ChecksumIEEE(c.data[:120])
	if sum = crc32.Update(sum, crc32.IEEETable, c.data[128:chunkHead]); sum != le.Uint32(c.data[124:]) {
		c.damaged(nil, "the checksum of the header of chunk %d is wrong", n)
	}
	free := int(le.Uint32(c.data[48:]))
	switch {
	case free < chunkHead || free > chunkSize:
		c.damaged(nil, "the header of chunk %d says that its records end at byte %d", n, free)
		return
	case free > size:
		c.damaged(nil, "the file ends within chunk %d", n)
		return
	}
	c.free = free
	if crc32.ChecksumIEEE(c.data[chunkHead:free]) != le.Uint32(c.data[52:]) {
		c.damaged(nil, "the checksum of the records of chunk %d is wrong", n)
	}
}

// maxDamage bounds what is told of one chunk.
const maxDamage = 64

func (c *Chunk) damaged(data []byte, format string, args ...any) {
	if len(c.Damage) < maxDamage {
		c.Damage = append(c.Damage, Damage{fmt.Sprintf(format, args...), data})
	}
}

// Next returns the next record. Bytes that are none are told in Damage and passed over.
func (c *Chunk) Next() (rec Record, ok bool) {
	for c.at < len(c.data) {
		rec, ok = c.record(c.at)
		if c.at >= c.free && (!ok || c.any && rec.ID != c.last+1) {
			// Behind the records lie those of an earlier round of the log, but also, where it is still written, new ones
			// of which the header does not know.
			break
		}
		if !ok {
			rec, ok = c.torn(c.at)
		}
		if ok {
			c.at += len(rec.Raw)
			rec.Sure = c.any && rec.ID == c.last+1 || binary.LittleEndian.Uint64(c.data[24:]) == rec.ID
			c.last, c.any = rec.ID, true
			return rec, true
		}
		c.pass()
	}
	c.at = len(c.data)
	return Record{}, false
}

// pass goes on to the next whole record.
func (c *Chunk) pass() {
	from := c.at
	for c.at = min(c.at+4, c.free); c.at < c.free; c.at += 4 {
		if _, ok := c.record(c.at); ok {
			break
		}
	}
	c.at = min(c.at, c.free)
	if lost := bytes.TrimRight(c.data[from:c.at], "\x00"); len(lost) > 0 {
		c.damaged(lost, "bytes %d to %d of chunk %d are no record", from, c.at, c.N)
	}
}

// record returns the record at byte at, if it is whole.
func (c *Chunk) record(at int) (Record, bool) {
	b := c.data[at:]
	if len(b) < recordHead+4 || !bytes.HasPrefix(b, recordMagic) {
		return Record{}, false
	}
	le := binary.LittleEndian
	size := le.Uint32(b[4:])
	if size < recordHead+4 || uint64(size) > uint64(len(b)) || le.Uint32(b[size-4:]) != size {
		return Record{}, false
	}
	return Record{ID: le.Uint64(b[8:]), Written: unixTime(le.Uint64(b[16:])), Raw: b[:size], at: at}, true
}

// torn returns what is there of the record that must come next, where its end is missing.
func (c *Chunk) torn(at int) (Record, bool) {
	b := c.data[at:c.free]
	if !c.any || len(b) < recordHead+4 || !bytes.HasPrefix(b, recordMagic) {
		return Record{}, false
	}
	le := binary.LittleEndian
	size := int(min(le.Uint32(b[4:]), chunkSize))
	if le.Uint64(b[8:]) != c.last+1 || size < recordHead+4 {
		return Record{}, false
	}
	raw := b[:min(size, len(b))]
	if next := bytes.Index(raw[recordHead:], recordMagic); next >= 0 {
		if _, ok := c.record(at + recordHead + next); ok {
			raw = raw[:recordHead+next] // its size is wrong
		}
	}
	return Record{ID: le.Uint64(b[8:]), Written: unixTime(le.Uint64(b[16:])), Raw: raw, Torn: true, at: at}, true
}

// fileTimeEpoch is the year 1970 in Windows' count of 100 ns since 1601.
const fileTimeEpoch = 116444736000000000

// unixTime turns a FILETIME into nanoseconds since 1970, held within an int64.
func unixTime(ft uint64) int64 {
	d := int64(ft) - fileTimeEpoch
	if ft > math.MaxInt64 || d > math.MaxInt64/100 || d < math.MinInt64/100 {
		return 0
	}
	return d * 100
}
