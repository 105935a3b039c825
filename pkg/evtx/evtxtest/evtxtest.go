// Package evtxtest makes small EVTX logs for tests. It is not for anything that Windows is to read.
package evtxtest

import (
	"encoding/binary"
	"hash/crc32"
	"slices"
	"unicode/utf16"
)

// Record is what one record of a log says.
type Record struct {
	ID      uint64
	EventID uint16
	Image   string // of EventData
	Written uint64 // FILETIME
}

const chunkSize = 1 << 16

// Records returns n records numbered from first on, of which each begins its Image with name.
func Records(first uint64, n int, name string) []Record {
	list := make([]Record, n)
	for i := range list {
		id := first + uint64(i)
		list[i] = Record{ID: id, EventID: 1, Image: name, Written: 134_000_000_000_000_000 + id*10_000_000}
	}
	return list
}

// Log returns a whole log of the records, perChunk in each chunk.
func Log(perChunk int, dirty bool, records ...Record) []byte {
	var out []byte
	chunks := 0
	for part := range slices.Chunk(records, perChunk) {
		out = append(out, Chunk(part...)...)
		chunks++
	}
	return append(Header(chunks, dirty), out...)
}

// Header returns the header of a file.
func Header(chunks int, dirty bool) []byte {
	h := make([]byte, 4096)
	copy(h, "ElfFile\x00")
	le := binary.LittleEndian
	le.PutUint32(h[32:], 128)
	le.PutUint16(h[36:], 2)
	le.PutUint16(h[38:], 3)
	le.PutUint16(h[40:], 4096)
	le.PutUint16(h[42:], uint16(chunks))
	if dirty {
		h[120] = 1
	}
	le.PutUint32(h[124:], crc32.ChecksumIEEE(h[:120]))
	return h
}

// Chunk returns a chunk of the records, which must fit into it.
func Chunk(records ...Record) []byte {
	c := make([]byte, 512, chunkSize)
	le := binary.LittleEndian
	template := 0
	for _, r := range records {
		at := len(c)
		c = append(c, '*', '*', 0, 0, 0, 0, 0, 0)
		c = le.AppendUint64(le.AppendUint64(c, r.ID), r.Written)
		c = append(c, 0x0f, 1, 1, 0, 0x0c, 1, 1, 0, 0, 0)
		if template == 0 {
			template = len(c) + 4
			c = definition(le.AppendUint32(c, uint32(template)))
		} else {
			c = le.AppendUint32(c, uint32(template))
		}
		c = values(c, r)
		c = append(c, make([]byte, (12-len(c)%8)%8)...) // records begin at multiples of eight
		size := uint32(len(c) - at + 4)
		c = le.AppendUint32(c, size)
		le.PutUint32(c[at+4:], size)
	}
	free := len(c)
	c = c[:chunkSize]
	copy(c, "ElfChnk\x00")
	first, last := records[0].ID, records[len(records)-1].ID
	for i, n := range []uint64{first, last, first, last} {
		le.PutUint64(c[8+8*i:], n)
	}
	le.PutUint32(c[40:], 128)
	le.PutUint32(c[48:], uint32(free))
	Seal(c)
	return c
}

// Seal makes the checksums of a chunk right.
func Seal(c []byte) {
	le := binary.LittleEndian
	le.PutUint32(c[52:], crc32.ChecksumIEEE(c[512:le.Uint32(c[48:])]))
	le.PutUint32(c[124:], crc32.Update(crc32.ChecksumIEEE(c[:120]), crc32.IEEETable, c[128:512]))
}

// definition appends a template:
//
//	<Event><System><Provider Name="0"/><EventID>1</EventID><TimeCreated SystemTime="2"/><EventRecordID>3</EventRecordID>
//	<Channel>4</Channel><Security UserID="6"/></System><EventData><Data Name="Image">5</Data></EventData></Event>
func definition(c []byte) []byte {
	le := binary.LittleEndian
	at := len(c)
	c = append(c, make([]byte, 24)...)
	body := len(c)
	sub := func(i uint16, typ byte) func([]byte) []byte {
		return func(c []byte) []byte { return append(le.AppendUint16(append(c, 0x0e), i), typ) }
	}
	text := func(s string) func([]byte) []byte {
		return func(c []byte) []byte {
			u := utf16.Encode([]rune(s))
			c = le.AppendUint16(append(c, 5, 1), uint16(len(u)))
			return append(c, utf16le(u)...)
		}
	}
	c = append(c, 0x0f, 1, 1, 0)
	c = open(c, "Event", "", nil, false)
	c = open(c, "System", "", nil, false)
	c = open(c, "Provider", "Name", sub(0, 1), true)
	c = append(sub(1, 6)(open(c, "EventID", "", nil, false)), 4)
	c = open(c, "TimeCreated", "SystemTime", sub(2, 0x11), true)
	c = append(sub(3, 10)(open(c, "EventRecordID", "", nil, false)), 4)
	c = append(sub(4, 1)(open(c, "Channel", "", nil, false)), 4)
	c = open(c, "Security", "UserID", sub(6, 0x13), true)
	c = append(c, 4)
	c = open(c, "EventData", "", nil, false)
	c = append(sub(5, 1)(open(c, "Data", "Name", text("Image"), false)), 4)
	c = append(c, 4, 4, 0)
	le.PutUint32(c[at+20:], uint32(len(c)-body))
	return c
}

// open appends a start tag with at most one attribute.
func open(c []byte, name, attr string, val func([]byte) []byte, empty bool) []byte {
	le := binary.LittleEndian
	token := byte(1)
	if attr != "" {
		token |= 0x40
	}
	c = append(c, token, 0xff, 0xff, 0, 0, 0, 0)
	c = inline(c, name)
	if attr != "" {
		c = le.AppendUint32(c, 0)
		c = val(inline(append(c, 6), attr))
	}
	if empty {
		return append(c, 3)
	}
	return append(c, 2)
}

// inline appends a name that stands where it is used.
func inline(c []byte, name string) []byte {
	le := binary.LittleEndian
	c = le.AppendUint32(c, uint32(len(c)+4))
	u := utf16.Encode([]rune(name))
	c = append(c, 0, 0, 0, 0, 0, 0)
	c = le.AppendUint16(c, uint16(len(u)))
	return append(append(c, utf16le(u)...), 0, 0)
}

// values appends those of the template's instance.
func values(c []byte, r Record) []byte {
	le := binary.LittleEndian
	str := func(s string) []byte { return utf16le(utf16.Encode([]rune(s))) }
	list := []struct {
		typ  byte
		data []byte
	}{
		{1, str("Microsoft-Windows-Sysmon")},
		{6, le.AppendUint16(nil, r.EventID)},
		{0x11, le.AppendUint64(nil, r.Written)},
		{10, le.AppendUint64(nil, r.ID)},
		{1, str("Microsoft-Windows-Sysmon/Operational")},
		{1, str(r.Image)},
		{0, nil},
	}
	c = le.AppendUint32(c, uint32(len(list)))
	for _, v := range list {
		c = append(le.AppendUint16(c, uint16(len(v.data))), v.typ, 0)
	}
	for _, v := range list {
		c = append(c, v.data...)
	}
	return c
}

func utf16le(u []uint16) []byte {
	var b []byte
	for _, x := range u {
		b = binary.LittleEndian.AppendUint16(b, x)
	}
	return b
}
