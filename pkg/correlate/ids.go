package correlate

import (
	"encoding/binary"
	"encoding/hex"
	"slices"
)

// Ids are stored as a length and bytes. Length 0 stands for 16 bytes that are written as 32 hexadecimal digits, and
// length 255 for a list: two bytes of length, and that many bytes of ids.
const (
	maxID    = 128
	listOfID = 255
	maxList  = 32 // ids of one observation
)

func storeIDs(dst []byte, o *Observation) []byte {
	if len(o.IDs) == 0 {
		return storeID(dst, o.ID)
	}
	at := len(dst)
	dst = append(dst, listOfID, 0, 0)
	for _, id := range o.IDs[max(0, len(o.IDs)-maxList):] {
		dst = storeID(dst, id)
	}
	binary.LittleEndian.PutUint16(dst[at+1:], uint16(len(dst)-at-3))
	return dst
}

func storeID(dst, id []byte) []byte {
	if len(id) == 32 {
		n := len(dst)
		dst = append(dst, 0)
		dst = append(dst, id[:16]...) // room
		if _, err := hex.Decode(dst[n+1:], id); err == nil && !slices.ContainsFunc(id, isUpper) {
			return dst
		}
		dst = dst[:n]
	}
	id = id[:min(len(id), maxID)]
	if len(id) == 0 {
		id = []byte("?")
	}
	return append(append(dst, byte(len(id))), id...)
}

func isUpper(c byte) bool { return c >= 'A' && c <= 'F' }

// sizeID is the length of the id or list at the front of ids.
func sizeID(ids []byte) int {
	switch n := int(ids[0]); n {
	case 0:
		return 17
	case listOfID:
		return 3 + int(binary.LittleEndian.Uint16(ids[1:]))
	default:
		return 1 + n
	}
}

// takeID returns what the front of data has as an id or list, or nil where it is none.
func takeID(data []byte) []byte {
	if len(data) == 0 || data[0] == listOfID && len(data) < 3 || data[0] > maxID && data[0] != listOfID {
		return nil
	}
	n := sizeID(data)
	if n > len(data) {
		return nil
	}
	if data[0] != listOfID {
		return data[:n]
	}
	for rest := data[3:n]; len(rest) > 0; {
		id := takeID(rest)
		if id == nil || id[0] == listOfID {
			return nil
		}
		rest = rest[len(id):]
	}
	return data[:n]
}

// eachID calls yield with every id of the id or list at the front of ids, as text. buf is used again.
func eachID(ids, buf []byte, yield func(id []byte)) {
	end := sizeID(ids)
	at := 0
	if ids[0] == listOfID {
		at = 3
	}
	for at < end {
		n := sizeID(ids[at:])
		if ids[at] == 0 {
			yield(hex.AppendEncode(buf[:0], ids[at+1:at+17]))
		} else {
			yield(ids[at+1 : at+n])
		}
		at += n
	}
}
