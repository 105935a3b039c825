package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	magic      = "LEATJ002"
	oldMagic   = "LEATJ001"
	headerSize = 36
	groupMagic = "LGRP"
	groupSize  = 24 // of a group's header
	frameSize  = 8  // length and checksum of a record
	suffix     = ".seg"
	// maxRecord is the longest record: the largest --max-line, and what stands around it.
	maxRecord = 1<<30 + 1<<20
)

var (
	errHeader = errors.New("no header of a journal segment")
	errOld    = errors.New("a journal of an older format; let the leat that wrote it finish it, or remove it")
	errGroup  = errors.New("no header of a group")
)

// segment is one file. count and size are what is durable; count includes numbers that were lost by damage.
type segment struct {
	path  string
	first uint64
	count uint64
	size  int64
	// open says that it ends in damage: how many records that held, nothing tells.
	open bool
}

func (s segment) end() uint64 { return s.first + s.count }

func segmentPath(dir string, first uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%020d%s", first, suffix))
}

func segmentFirst(name string) (uint64, bool) {
	digits, ok := strings.CutSuffix(name, suffix)
	if !ok || len(digits) != 20 {
		return 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	return n, err == nil && n > 0
}

type journalID [16]byte

func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli()) }

func appendHeader(dst []byte, id journalID, first uint64) []byte {
	start := len(dst)
	dst = append(dst, magic...)
	dst = append(dst, id[:]...)
	dst = binary.LittleEndian.AppendUint64(dst, first)
	return binary.LittleEndian.AppendUint32(dst, checksum(dst[start:]))
}

func parseHeader(b []byte) (id journalID, first uint64, err error) {
	if len(b) >= headerSize && string(b[:8]) == oldMagic {
		return id, 0, errOld
	}
	if len(b) < headerSize || string(b[:8]) != magic || checksum(b[:headerSize-4]) != binary.LittleEndian.Uint32(b[headerSize-4:]) {
		return id, 0, errHeader
	}
	copy(id[:], b[8:24])
	return id, binary.LittleEndian.Uint64(b[24:]), nil
}

// groupHeader says what one fsync made durable.
type groupHeader struct {
	first uint64
	count uint32
	size  uint32 // of its records with their frames
}

func (g groupHeader) end() uint64 { return g.first + uint64(g.count) }

// whole is the size of the group in the file.
func (g groupHeader) whole() int64 { return groupSize + int64(g.size) }

// put writes the header into b, which is groupSize long.
func (g groupHeader) put(b []byte) {
	copy(b, groupMagic)
	binary.LittleEndian.PutUint64(b[4:], g.first)
	binary.LittleEndian.PutUint32(b[12:], g.count)
	binary.LittleEndian.PutUint32(b[16:], g.size)
	binary.LittleEndian.PutUint32(b[20:], checksum(b[:20]))
}

func parseGroup(b []byte) (groupHeader, error) {
	if len(b) < groupSize || string(b[:4]) != groupMagic || checksum(b[:20]) != binary.LittleEndian.Uint32(b[20:]) {
		return groupHeader{}, errGroup
	}
	g := groupHeader{binary.LittleEndian.Uint64(b[4:]), binary.LittleEndian.Uint32(b[12:]), binary.LittleEndian.Uint32(b[16:])}
	if g.first == 0 || g.count == 0 || uint64(g.size) < uint64(g.count)*frameSize || g.end() < g.first {
		return groupHeader{}, errGroup
	}
	return g, nil
}

func appendRecord(dst, rec []byte) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(rec)))
	dst = binary.LittleEndian.AppendUint32(dst, checksum(rec))
	return append(dst, rec...)
}

// cutRecord takes the record that body begins with. whole: its length leads to rest; ok: it is what was written.
func cutRecord(body []byte) (rec, rest []byte, whole, ok bool) {
	if len(body) < frameSize {
		return nil, nil, false, false
	}
	n := binary.LittleEndian.Uint32(body)
	if uint64(n) > uint64(len(body)-frameSize) {
		return nil, nil, false, false
	}
	rec, rest = body[frameSize:frameSize+n:frameSize+n], body[frameSize+n:]
	return rec, rest, true, checksum(rec) == binary.LittleEndian.Uint32(body[4:])
}

// groupAt reads the header at an offset of a file that ends at limit, into b. io.EOF: nothing is behind; errGroup: that is no
// header.
func groupAt(f *os.File, b *[groupSize]byte, at, limit int64) (groupHeader, error) {
	if at >= limit {
		return groupHeader{}, io.EOF
	}
	n, err := f.ReadAt(b[:min(groupSize, limit-at)], at)
	if err != nil && !errors.Is(err, io.EOF) {
		return groupHeader{}, err
	}
	return parseGroup(b[:n])
}

// nextGroup finds the first group behind an offset that begins with a number from least up to, not including, most.
// Its header must be whole, and so must its records. io.EOF: there is none.
func nextGroup(f *os.File, at, limit int64, least, most uint64) (int64, error) {
	const step = 1 << 20
	buf := make([]byte, step+groupSize)
	for ; at < limit; at += step {
		n, err := f.ReadAt(buf[:min(int64(len(buf)), limit-at)], at)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		for i := 0; ; i++ {
			k := bytes.Index(buf[i:n], []byte(groupMagic))
			if k < 0 {
				break
			}
			i += k
			if g, err := parseGroup(buf[i:n]); err == nil && g.first >= least && g.first < most && at+int64(i)+g.whole() <= limit {
				return at + int64(i), nil
			}
		}
	}
	return 0, io.EOF
}

// zeros tells whether f holds nothing but zeros from an offset up to limit.
func zeros(f *os.File, at, limit int64) (bool, error) {
	buf := make([]byte, 64<<10)
	for ; at < limit; at += int64(len(buf)) {
		b := buf[:min(int64(len(buf)), limit-at)]
		if _, err := f.ReadAt(b, at); err != nil {
			return false, err
		}
		if len(bytes.Trim(b, "\x00")) > 0 {
			return false, nil
		}
	}
	return true, nil
}

// measure finds the end of the last segment: s is what is to be kept of it, and torn how many bytes behind that nobody
// vouched for.
func measure(path string, first uint64) (s segment, torn int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return s, 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return s, 0, err
	}
	limit := info.Size()
	s = segment{path: path, first: first, size: headerSize}
	var header [groupSize]byte
	for {
		g, err := groupAt(f, &header, s.size, limit)
		switch {
		case err == nil && g.first >= s.end() && s.size+g.whole() <= limit:
			s.count, s.size = g.end()-first, s.size+g.whole()
			continue
		case err == nil && g.first >= s.end(), errors.Is(err, io.EOF), errors.Is(err, errGroup) && limit-s.size < groupSize:
			return s, limit - s.size, nil
		case err != nil && !errors.Is(err, errGroup):
			return s, 0, err
		}
		at, err := nextGroup(f, s.size+1, limit, s.end(), 1<<63)
		if err == nil {
			s.size = at
			continue
		}
		if !errors.Is(err, io.EOF) {
			return s, 0, err
		}
		if empty, err := zeros(f, s.size, limit); err != nil || empty {
			return s, limit - s.size, err
		}
		return segment{path: path, first: first, count: s.count + 1, size: limit, open: true}, 0, nil
	}
}
