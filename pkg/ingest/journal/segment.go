package journal

import (
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
	magic      = "LEATJ001"
	headerSize = 36
	frameSize  = 8 // length and checksum of a record
	suffix     = ".seg"
	// maxRecord bounds one record, so that a damaged length asks for no absurd memory.
	maxRecord = 64 << 20
)

// errTorn says that a record is not whole or not what was written.
var errTorn = errors.New("torn or damaged record")

// segment is one file. count and size are what is durable.
type segment struct {
	path  string
	first uint64
	count uint64
	size  int64
}

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

func appendHeader(dst []byte, id journalID, first uint64) []byte {
	start := len(dst)
	dst = append(dst, magic...)
	dst = append(dst, id[:]...)
	dst = binary.LittleEndian.AppendUint64(dst, first)
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[start:], castagnoli()))
}

func parseHeader(b []byte) (id journalID, first uint64, err error) {
	if len(b) < headerSize || string(b[:8]) != magic ||
		crc32.Checksum(b[:headerSize-4], castagnoli()) != binary.LittleEndian.Uint32(b[headerSize-4:]) {
		return id, 0, errors.New("no header of a journal segment")
	}
	copy(id[:], b[8:24])
	return id, binary.LittleEndian.Uint64(b[24:]), nil
}

func checksum(number uint64, rec []byte) uint32 {
	var n [8]byte
	binary.LittleEndian.PutUint64(n[:], number)
	return crc32.Update(crc32.Checksum(n[:], castagnoli()), castagnoli(), rec)
}

func appendRecord(dst []byte, number uint64, rec []byte) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(rec)))
	dst = binary.LittleEndian.AppendUint32(dst, checksum(number, rec))
	return append(dst, rec...)
}

// readRecord reads the record of that number into buf. io.EOF: r ends right before it; errTorn: it is not whole.
func readRecord(r io.Reader, number uint64, buf []byte) ([]byte, error) {
	var frame [frameSize]byte
	if n, err := io.ReadFull(r, frame[:]); err != nil {
		if n == 0 && errors.Is(err, io.EOF) {
			return buf[:0], io.EOF
		}
		return buf[:0], tornOr(err)
	}
	length := binary.LittleEndian.Uint32(frame[:])
	if length > maxRecord {
		return buf[:0], errTorn
	}
	if cap(buf) < int(length) {
		buf = make([]byte, length)
	}
	buf = buf[:length]
	if _, err := io.ReadFull(r, buf); err != nil {
		return buf[:0], tornOr(err)
	}
	if checksum(number, buf) != binary.LittleEndian.Uint32(frame[4:]) {
		return buf[:0], errTorn
	}
	return buf, nil
}

func tornOr(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errTorn
	}
	return err
}

// measure counts the whole records of a segment file. torn is how many bytes follow them.
func measure(path string) (s segment, id journalID, torn int64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return s, id, 0, err
	}
	defer f.Close()
	var h [headerSize]byte
	if _, err := io.ReadFull(f, h[:]); err != nil && tornOr(err) != errTorn {
		return s, id, 0, err
	}
	if id, s.first, err = parseHeader(h[:]); err != nil {
		return s, id, 0, fmt.Errorf("%s: %w", path, errors.Join(errTorn, err))
	}
	s.path, s.size = path, headerSize
	r := newBlockReader(f, s.size, 1<<62)
	var rec []byte
	for {
		rec, err = readRecord(r, s.first+s.count, rec)
		if err != nil {
			break
		}
		s.count++
		s.size += frameSize + int64(len(rec))
	}
	if err != io.EOF && err != errTorn {
		return s, id, 0, err
	}
	info, err := f.Stat()
	if err != nil {
		return s, id, 0, err
	}
	return s, id, info.Size() - s.size, nil
}

// blockReader reads f in blocks, from an offset up to a limit: what lies behind that is not durable and may change.
type blockReader struct {
	f     *os.File
	at    int64
	limit int64
	buf   []byte
	n     int // unread bytes of buf begin here
}

func newBlockReader(f *os.File, at, limit int64) *blockReader {
	return &blockReader{f: f, at: at, limit: limit}
}

func (b *blockReader) Read(p []byte) (int, error) {
	if b.n == len(b.buf) {
		if cap(b.buf) == 0 {
			b.buf = make([]byte, 256<<10)
		}
		if b.at >= b.limit {
			return 0, io.EOF
		}
		n, err := b.f.ReadAt(b.buf[:min(int64(cap(b.buf)), b.limit-b.at)], b.at)
		b.buf, b.n = b.buf[:n], 0
		b.at += int64(n)
		if n == 0 {
			return 0, err
		}
	}
	n := copy(p, b.buf[b.n:])
	b.n += n
	return n, nil
}
