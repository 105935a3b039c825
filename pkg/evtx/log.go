package evtx

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"
)

const (
	headerSize = 4096    // the file header's block
	chunkSize  = 1 << 16 // of every chunk
	chunkHead  = 512     // where a chunk's records begin
	recordHead = 24      // magic, size, number and time of a record

	// maxChunks bounds what the index of one log takes: 64 GiB of log.
	maxChunks = 1 << 20
)

var (
	fileMagic   = []byte("ElfFile\x00")
	chunkMagic  = []byte("ElfChnk\x00")
	recordMagic = []byte{'*', '*', 0, 0}
)

// ErrFormat says that a file is no EVTX log.
var ErrFormat = errors.New("not an EVTX log")

// Is tells whether a file that begins with head is an EVTX log.
func Is(head []byte) bool { return bytes.HasPrefix(head, fileMagic) }

// Log is an EVTX log. It is for one goroutine.
type Log struct {
	// Dirty: the log was not closed in order, or is still written; its header, and those of its newest chunks, may tell less
	// than there is.
	Dirty bool
	// Damage is what is wrong with the file's header; empty: nothing.
	Damage string

	r     io.ReaderAt
	size  int64
	index []place
	chunk Chunk
}

// place is a chunk that holds records.
type place struct {
	n     int    // its number in the file, from 0
	first uint64 // number of its first record
	bad   bool   // what its first record is can't be told
}

// Open reads the header of a log of that size, and where its chunks begin. The error is one of reading, or ErrFormat.
func Open(r io.ReaderAt, size int64) (*Log, error) {
	var head [128]byte
	n, err := r.ReadAt(head[:], 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read the log's header: %w", err)
	}
	if !Is(head[:n]) {
		return nil, ErrFormat
	}
	l := &Log{r: r, size: size, chunk: Chunk{buf: make([]byte, chunkSize)}}
	switch {
	case n < len(head):
		l.Damage = "the file ends within its header"
		return l, nil
	case crc32.ChecksumIEEE(head[:120]) != binary.LittleEndian.Uint32(head[124:]):
		l.Damage = "the checksum of the file's header is wrong"
	}
	l.Dirty = binary.LittleEndian.Uint32(head[120:])&1 != 0
	return l, l.find()
}

// find reads where chunks begin and sorts them by their records' numbers: a circular log begins anywhere in its file.
func (l *Log) find() error {
	var head [chunkHead + recordHead]byte
	for n := range int(min((l.size-headerSize+chunkSize-1)/chunkSize, maxChunks)) {
		k, err := l.r.ReadAt(head[:], headerSize+int64(n)*chunkSize)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read chunk %d: %w", n, err)
		}
		part := head[:k]
		switch {
		case len(bytes.Trim(part, "\x00")) == 0:
			// Room that was never written.
		case k == len(head) && bytes.HasPrefix(head[chunkHead:], recordMagic):
			l.index = append(l.index, place{n: n, first: binary.LittleEndian.Uint64(head[chunkHead+8:])})
		case k >= 32 && bytes.HasPrefix(part, chunkMagic):
			l.index = append(l.index, place{n: n, first: binary.LittleEndian.Uint64(head[24:])})
		default:
			l.index = append(l.index, place{n: n, bad: true})
		}
	}
	slices.SortStableFunc(l.index, func(a, b place) int {
		switch {
		case a.bad != b.bad && a.bad, a.bad == b.bad && a.first < b.first:
			return -1
		case a.bad != b.bad, a.first > b.first:
			return 1
		}
		return 0
	})
	return nil
}

// Chunks returns the numbers of the chunks that hold something, those that are damaged as a whole first, the others in the order
// of their records.
func (l *Log) Chunks() []int {
	list := make([]int, len(l.index))
	for i, p := range l.index {
		list[i] = p.n
	}
	return list
}

// Behind is Chunks without those of which every record has a number of at most n.
func (l *Log) Behind(n uint64) []int {
	var list []int
	for i, p := range l.index {
		if p.bad || i+1 == len(l.index) || l.index[i+1].first > n+1 || l.index[i+1].first <= p.first {
			list = append(list, p.n)
		}
	}
	return list
}

// Find reads the record of that number. ok is false where it is not there, or torn; the error is one of reading.
func (l *Log) Find(n uint64) (rec Record, ok bool, err error) {
	for i := len(l.index) - 1; i >= 0; i-- {
		if p := l.index[i]; p.bad || p.first > n {
			continue
		}
		c, err := l.Chunk(l.index[i].n)
		if err != nil {
			return Record{}, false, err
		}
		for rec, ok = c.Next(); ok; rec, ok = c.Next() {
			if rec.ID == n {
				return rec, !rec.Torn, nil
			}
		}
		return Record{}, false, nil
	}
	return Record{}, false, nil
}

// First returns the number of the oldest record. ok is false where there is none.
func (l *Log) First() (n uint64, ok bool) {
	for _, p := range l.index {
		if !p.bad {
			return p.first, true
		}
	}
	return 0, false
}

// Last returns the number of the newest record, 0 where there is none. The error is one of reading.
func (l *Log) Last() (n uint64, err error) {
	for i := len(l.index) - 1; i >= 0 && n == 0; i-- {
		c, err := l.Chunk(l.index[i].n)
		if err != nil {
			return 0, err
		}
		for rec, ok := c.Next(); ok; rec, ok = c.Next() {
			if rec.Sure {
				n = max(n, rec.ID)
			}
		}
	}
	return n, nil
}

// Chunk reads a chunk; it is good until the next call. The error is one of reading.
func (l *Log) Chunk(n int) (*Chunk, error) {
	c := &l.chunk
	k, err := l.r.ReadAt(c.buf[:chunkSize], headerSize+int64(n)*chunkSize)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read chunk %d: %w", n, err)
	}
	c.load(n, k)
	return c, nil
}
