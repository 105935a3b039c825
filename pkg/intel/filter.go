package intel

import "math/bits"

// filter is a blocked Bloom filter: what it denies is in no row, at the cost of one line of memory that, at twelve bits a row, is often in
// the cache where the index's is not. It says yes to about one of 300 that are not there.
type filter struct{ blocks [][8]uint64 }

const filterBits = 12

func newFilter(n int) *filter { return &filter{make([][8]uint64, n*filterBits/512+1)} }

func (f *filter) block(h uint64) *[8]uint64 {
	at, _ := bits.Mul64(h, uint64(len(f.blocks)))
	return &f.blocks[at]
}

// probe spreads a hash anew: its upper bits chose the block.
func probe(h uint64) uint64 { return (h ^ h>>32) * 0xd6e8feb86659fd93 }

func (f *filter) add(h uint64) {
	b, p := f.block(h), probe(h)
	for i := 0; i < 6; i++ {
		b[p>>(i*9)>>6&7] |= 1 << (p >> (i * 9) & 63)
	}
}

// may has no branch: several look-ups in a row then wait for memory together, not one after the other.
func (f *filter) may(h uint64) bool {
	b, p := f.block(h), probe(h)
	all := uint64(1)
	for i := 0; i < 6; i++ {
		all &= b[p>>(i*9)>>6&7] >> (p >> (i * 9) & 63)
	}
	return all&1 != 0
}
