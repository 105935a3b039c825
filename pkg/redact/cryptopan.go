package redact

import (
	"crypto/aes"
	"crypto/cipher"
	"net/netip"
)

// cryptoPAn maps addresses so that two of them share a prefix of exactly as many bits as before (J. Xu, J. Fan, M. Ammar, S. Moon:
// Prefix-Preserving IP Address Anonymization, ICNP 2002). It is not safe for concurrent use.
type cryptoPAn struct {
	block   cipher.Block
	pad     [16]byte
	in, out [16]byte
}

// newCryptoPAn takes a key of 32 bytes: 16 for AES-128, 16 for the padding.
func newCryptoPAn(key []byte) *cryptoPAn {
	block, err := aes.NewCipher(key[:16])
	if err != nil {
		panic(err) // only the length could be wrong
	}
	c := &cryptoPAn{block: block}
	block.Encrypt(c.pad[:], key[16:32])
	return c
}

// address maps a, which is IPv4 or IPv6; a zone is dropped.
func (c *cryptoPAn) address(a netip.Addr) netip.Addr {
	if a = a.Unmap(); a.Is4() {
		b := a.As4()
		c.bits(b[:])
		return netip.AddrFrom4(b)
	}
	b := a.As16()
	c.bits(b[:])
	return netip.AddrFrom16(b)
}

// bits maps b in place: bit i is flipped as the first bit of AES(the first i bits of b, then those of the padding) says.
func (c *cryptoPAn) bits(b []byte) {
	var flip [16]byte
	c.in = c.pad
	for i := range len(b) * 8 {
		c.block.Encrypt(c.out[:], c.in[:])
		flip[i/8] |= c.out[0] >> 7 << (7 - i%8)
		// From here on the input has one more bit of the address.
		bit := byte(0x80) >> (i % 8)
		c.in[i/8] = c.in[i/8]&^bit | b[i/8]&bit
	}
	for i := range b {
		b[i] ^= flip[i]
	}
}
