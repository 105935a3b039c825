package state

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
)

// maxRecord bounds what one record may hold, so that a damaged length can't exhaust memory.
const maxRecord = 1 << 31

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// record is one mark's bytes: the changes since the mark before it, or in a base the whole state.
type record struct {
	mark    int64
	run     string // of the stream that made the mark
	payload []byte
}

// On the disk: length of what follows the checksum (4 bytes, little endian), CRC-32C of it (4), mark (8), length of run (1), run, payload.
const recordHead = 8

var (
	errTorn   = errors.New("record is not whole")
	errDamage = errors.New("record's checksum does not match")
)

// size is the record's length on the disk.
func (r record) size() int64 { return recordHead + 9 + int64(len(r.run)) + int64(len(r.payload)) }

func appendRecord(dst []byte, r record) []byte {
	at := len(dst)
	dst = append(dst, make([]byte, recordHead)...)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(r.mark))
	dst = append(dst, byte(len(r.run)))
	dst = append(dst, r.run...)
	dst = append(dst, r.payload...)
	body := dst[at+recordHead:]
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(body)))
	binary.LittleEndian.PutUint32(dst[at+4:], crc32.Checksum(body, castagnoli))
	return dst
}

// readRecord takes the first record of data and returns what follows it. The payload is a part of data.
func readRecord(data []byte) (record, []byte, error) {
	if len(data) < recordHead {
		return record{}, nil, errTorn
	}
	n := int64(binary.LittleEndian.Uint32(data))
	if n < 9 || n > maxRecord {
		return record{}, nil, errDamage
	}
	if int64(len(data)-recordHead) < n {
		return record{}, nil, errTorn
	}
	body := data[recordHead : recordHead+n]
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(data[4:]) {
		return record{}, nil, errDamage
	}
	k := 9 + int64(body[8])
	if k > n {
		return record{}, nil, errDamage
	}
	return record{
		mark: int64(binary.LittleEndian.Uint64(body)), run: string(body[9:k]), payload: body[k:],
	}, data[recordHead+n:], nil
}
