package parquet

import (
	"encoding/binary"
	"math/bits"
)

// appendBloom appends a split block Bloom filter of the hashes, with its header (parquet-format, BloomFilter.md): ten bits a
// value, about one wrong yes in a hundred.
func appendBloom(dst []byte, hashes []uint64) []byte {
	blocks := max(1, (len(hashes)*10+255)/256)
	e := encoder{b: dst}
	e.begin() // BloomFilterHeader
	e.i32(1, int64(blocks*32))
	for id := int16(2); id <= 4; id++ { // block algorithm, xxHash, not compressed: the first member of each union
		e.field(id, typeStruct)
		e.begin()
		e.field(1, typeStruct)
		e.begin()
		e.end()
		e.end()
	}
	e.end()
	at := len(e.b)
	dst = append(e.b, make([]byte, blocks*32)...)
	for _, h := range hashes {
		block := dst[at+int((h>>32)*uint64(blocks)>>32)*32:]
		for i, salt := range bloomSalt {
			word := block[4*i:]
			bit := uint32(1) << (uint32(h) * salt >> 27)
			binary.LittleEndian.PutUint32(word, binary.LittleEndian.Uint32(word)|bit)
		}
	}
	return dst
}

var bloomSalt = [8]uint32{0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31}

const (
	prime1 = 11400714785074694791
	prime2 = 14029467366897019727
	prime3 = 1609587929392839161
	prime4 = 9650029242287828579
	prime5 = 2870177450012600261
)

// hash64 is xxHash64 with seed 0 (github.com/Cyan4973/xxHash, doc/xxhash_spec.md), which Parquet's Bloom filters are made of.
func hash64(b []byte) uint64 {
	n := uint64(len(b))
	var h uint64
	if len(b) >= 32 {
		// The seeds are sums that wrap around.
		p1 := uint64(prime1)
		v1, v2, v3, v4 := p1+prime2, uint64(prime2), uint64(0), -p1
		for len(b) >= 32 {
			v1 = round64(v1, binary.LittleEndian.Uint64(b))
			v2 = round64(v2, binary.LittleEndian.Uint64(b[8:]))
			v3 = round64(v3, binary.LittleEndian.Uint64(b[16:]))
			v4 = round64(v4, binary.LittleEndian.Uint64(b[24:]))
			b = b[32:]
		}
		h = bits.RotateLeft64(v1, 1) + bits.RotateLeft64(v2, 7) + bits.RotateLeft64(v3, 12) + bits.RotateLeft64(v4, 18)
		for _, v := range [...]uint64{v1, v2, v3, v4} {
			h = (h^round64(0, v))*prime1 + prime4
		}
	} else {
		h = prime5
	}
	h += n
	for ; len(b) >= 8; b = b[8:] {
		h = bits.RotateLeft64(h^round64(0, binary.LittleEndian.Uint64(b)), 27)*prime1 + prime4
	}
	if len(b) >= 4 {
		h = bits.RotateLeft64(h^uint64(binary.LittleEndian.Uint32(b))*prime1, 23)*prime2 + prime3
		b = b[4:]
	}
	for _, c := range b {
		h = bits.RotateLeft64(h^uint64(c)*prime5, 11) * prime1
	}
	h = (h ^ h>>33) * prime2
	h = (h ^ h>>29) * prime3
	return h ^ h>>32
}

func round64(acc, v uint64) uint64 { return bits.RotateLeft64(acc+v*prime2, 31) * prime1 }
