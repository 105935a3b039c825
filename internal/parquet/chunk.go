package parquet

import (
	"encoding/binary"
	"math/bits"
)

// Codecs and encodings (parquet.thrift: CompressionCodec, Encoding, PageType).
const (
	codecNone = 0
	codecZstd = 6

	encodingPlain         = 0
	encodingRLE           = 3
	encodingRLEDictionary = 8

	pageData       = 0
	pageDictionary = 2
)

// chunk writes one column of the open row group, and its ColumnChunk to e.
func (w *Writer) chunk(e *encoder, c *column) {
	defs, reps := w.defs(c), c.reps(w.rows)
	m := chunkMeta{start: w.at, dictionary: -1, bloom: -1, codec: codecZstd, entries: defs.n, nulls: defs.n - c.n}
	if c.n == 0 {
		m.codec = codecNone
	}
	encoding := int64(encodingPlain)
	hashes := c.hashes
	if !c.isPlain && c.n > 0 {
		m.dictionary = w.at
		encoding = encodingRLEDictionary
		hashes = c.dict.hashes
		w.dictionaryPage(c, &m)
	}
	m.data = w.at
	w.dataPages(c, &m, defs, reps, encoding)
	m.end = w.at
	if len(hashes) > 0 {
		m.bloom = w.at
		w.body = appendBloom(w.body[:0], hashes)
		m.bloomSize = int64(len(w.body))
		w.write(w.body)
	}
	m.appendTo(e, c)
}

// defs returns c's definition levels: how many of the objects around it are there, and one or, of a list, three more where it is.
func (w *Writer) defs(c *column) levels {
	if c.n == w.rows && c.maxRep == 0 {
		return levels{same: uint8(c.maxDef), n: w.rows}
	}
	if len(c.rows) == 0 {
		// Mostly each of the objects is there in every row or in none.
		depth, uniform := 0, true
		for _, o := range c.objects {
			switch w.objects[o].count() {
			case 0:
			case w.rows:
				depth++
			default:
				uniform = false
			}
		}
		if uniform {
			return levels{same: uint8(depth), n: w.rows}
		}
	}
	list, k := c.levels[:0], 0
	for row := range w.rows {
		if c.rows.has(row) {
			if c.maxRep == 0 {
				list = append(list, uint8(c.maxDef))
				continue
			}
			n := c.counts[k]
			k++
			if n == 0 {
				list = append(list, uint8(c.maxDef-2))
			}
			for range n {
				list = append(list, uint8(c.maxDef))
			}
			continue
		}
		depth := uint8(0)
		for _, o := range c.objects {
			if !w.objects[o].has(row) {
				break
			}
			depth++
		}
		list = append(list, depth)
	}
	c.levels = list
	return levels{list: list, n: len(list)}
}

// reps returns the repetition levels of a list: 0 where a row begins.
func (c *column) reps(rows int) levels {
	if len(c.counts) == 0 {
		return levels{n: rows}
	}
	var list []uint8
	k := 0
	for row := range rows {
		list = append(list, 0)
		if !c.rows.has(row) {
			continue
		}
		for n := c.counts[k]; n > 1; n-- {
			list = append(list, 1)
		}
		k++
	}
	return levels{list: list, n: len(list)}
}

func (w *Writer) dictionaryPage(c *column, m *chunkMeta) {
	w.body = w.body[:0]
	if c.kind == Text || c.kind == Texts {
		for i := range c.dict.len() {
			v := c.dict.value(uint32(i))
			w.body = append(binary.LittleEndian.AppendUint32(w.body, uint32(len(v))), v...)
		}
	} else {
		w.body = append(w.body, c.dict.bytes...)
	}
	w.page(m, pageDictionary, c.dict.len(), encodingPlain)
}

// dataPages writes the values. One of plain values ends at the first row behind pageBytes.
func (w *Writer) dataPages(c *column, m *chunkMeta, defs, reps levels, encoding int64) {
	at := 0 // in plain
	for i := 0; i < defs.n; {
		j, from := defs.n, at
		if c.isPlain && len(c.plain) > pageBytes && c.kind != Bool {
			for j = i; j < defs.n && (at-from < pageBytes || reps.of(j) != 0); j++ {
				if int(defs.of(j)) != c.maxDef {
					continue
				}
				size := 8
				if c.kind == Text || c.kind == Texts {
					size = 4 + int(binary.LittleEndian.Uint32(c.plain[at:]))
				}
				at += size
			}
		} else {
			at = len(c.plain)
		}
		w.body = w.body[:0]
		if c.maxRep > 0 {
			w.body = reps.appendTo(w.body, i, j, c.maxRep)
		}
		w.body = defs.appendTo(w.body, i, j, c.maxDef)
		switch {
		case c.n == 0:
		case !c.isPlain:
			w.body = c.appendNumbers(w.body)
		case c.kind == Bool:
			w.body = appendBools(w.body, c.plain)
		default:
			w.body = append(w.body, c.plain[from:at]...)
		}
		w.page(m, pageData, j-i, encoding)
		i = j
	}
}

func (c *column) appendNumbers(dst []byte) []byte {
	width := max(1, bits.Len(uint(c.dict.len()-1)))
	dst = append(dst, byte(width))
	if c.dict.len() == 1 {
		return append(binary.AppendUvarint(dst, uint64(len(c.numbers))<<1), 0)
	}
	return appendPacked(dst, c.numbers, width)
}

func appendBools(dst, v []byte) []byte {
	at := len(dst)
	for i, b := range v {
		if i&7 == 0 {
			dst = append(dst, 0)
		}
		dst[at+i>>3] |= b << (i & 7)
	}
	return dst
}

// page writes w.body as a page of n entries.
func (w *Writer) page(m *chunkMeta, typ int64, n int, encoding int64) {
	data := w.body
	if m.codec == codecZstd {
		w.packed = w.zstd.EncodeAll(w.body, w.packed[:0])
		data = w.packed
	}
	h := encoder{}
	h.begin() // PageHeader
	h.i32(1, typ)
	h.i32(2, int64(len(w.body)))
	h.i32(3, int64(len(data)))
	if typ == pageDictionary {
		h.field(7, typeStruct)
		h.begin() // DictionaryPageHeader
		h.i32(1, int64(n))
		h.i32(2, encoding)
	} else {
		h.field(5, typeStruct)
		h.begin() // DataPageHeader
		h.i32(1, int64(n))
		h.i32(2, encoding)
		h.i32(3, encodingRLE)
		h.i32(4, encodingRLE)
	}
	h.end()
	h.end()
	m.size += int64(len(h.b) + len(w.body))
	w.write(h.b)
	w.write(data)
}

// chunkMeta is what a ColumnChunk says.
type chunkMeta struct {
	start, end       int64
	dictionary, data int64 // where the pages begin; -1: there is none
	bloom, bloomSize int64
	codec            int64
	size             int64 // of the pages, not compressed
	entries, nulls   int
}

func (m *chunkMeta) appendTo(e *encoder, c *column) {
	e.begin() // ColumnChunk
	e.i64(2, m.start)
	e.field(3, typeStruct)
	e.begin() // ColumnMetaData
	e.i32(1, c.kind.physical())
	e.field(2, typeList)
	e.list(2, typeI32)
	if m.dictionary >= 0 {
		e.int(encodingRLEDictionary)
	} else {
		e.int(encodingPlain)
	}
	e.int(encodingRLE)
	e.field(3, typeList)
	e.list(len(c.path), typeBinary)
	for _, p := range c.path {
		e.text(p)
	}
	e.i32(4, m.codec)
	e.i64(5, int64(m.entries))
	e.i64(6, m.size)
	e.i64(7, m.end-m.start)
	e.i64(9, m.data)
	if m.dictionary >= 0 {
		e.i64(11, m.dictionary)
	}
	e.field(12, typeStruct)
	e.begin() // Statistics
	e.i64(3, int64(m.nulls))
	if lo, hi, ok := c.bounds(); ok {
		e.field(5, typeBinary)
		e.text(string(hi))
		e.field(6, typeBinary)
		e.text(string(lo))
	}
	e.end()
	if m.bloom >= 0 {
		e.i64(14, m.bloom)
		e.i32(15, m.bloomSize)
	}
	e.end()
	e.end()
}
