package event

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
)

// ID returns the event.id of a record: 32 hexadecimal digits, the first half of
// SHA-256(source, generation, offset, index, bytes). It is the same after every restart and different for any other record.
// source names where it came from, generation counts truncations and rotations of it, offset is the record's position,
// index its number where one record held several events.
func ID(source string, generation, offset int64, index int, raw []byte) string {
	var buf [2048]byte // most records, without the heap
	b := append(buf[:0], source...)
	b = append(b, 0)
	b = strconv.AppendInt(b, generation, 10)
	b = append(b, 0)
	b = strconv.AppendInt(b, offset, 10)
	b = append(b, 0)
	b = strconv.AppendInt(b, int64(index), 10)
	b = append(b, 0)
	b = append(b, raw...)
	return hashID(b)
}

// DeriveID returns the id of what follows from other ids, such as an alert from a rule and an event.
func DeriveID(parts ...string) string {
	var buf [512]byte
	b := buf[:0]
	for _, p := range parts {
		b = strconv.AppendInt(b, int64(len(p)), 10)
		b = append(b, ':')
		b = append(b, p...)
	}
	return hashID(b)
}

func hashID(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}
