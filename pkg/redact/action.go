package redact

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"net/netip"
	"unicode/utf8"
	"unsafe"
)

// verb is what is done to a value.
type verb uint8

const (
	remove verb = iota
	mask
	replace
	hashed
	address
)

// action is a verb with what it needs.
type action struct {
	verb verb
	n    int    // mask: how many characters stay at the end; hash: how many hexadecimal digits
	text string // replace
}

// removedText stands where a removed value stood within a longer text.
const removedText = "[removed]"

// keyed makes pseudonyms. It is not safe for concurrent use.
type keyed struct {
	mac  hash.Hash
	pan  *cryptoPAn
	sum  [sha256.Size]byte
	seen map[netip.Addr]netip.Addr // pseudonyms of addresses that came before
}

// maxSeen bounds the addresses that are remembered; the memory begins anew when it is full.
const maxSeen = 4096

// address is the pseudonym of a: 32 or 128 blocks of AES where it is not remembered.
func (k *keyed) address(a netip.Addr) netip.Addr {
	to, ok := k.seen[a]
	if !ok {
		if len(k.seen) >= maxSeen {
			clear(k.seen)
		}
		to = k.pan.address(a)
		k.seen[a.WithZone("")] = to
	}
	return to
}

// newKeyed derives the keys of both ways from the secret, so that neither tells anything of the other. A nil secret makes none.
func newKeyed(secret []byte) *keyed {
	if secret == nil {
		return nil
	}
	derive := func(use string) []byte {
		m := hmac.New(sha256.New, secret)
		m.Write([]byte(use))
		return m.Sum(nil)
	}
	return &keyed{mac: hmac.New(sha256.New, derive("leat redact hash")), pan: newCryptoPAn(derive("leat redact address")), seen: map[netip.Addr]netip.Addr{}}
}

// append appends what stands in the place of text.
func (a *action) append(dst, text []byte, k *keyed) []byte {
	switch a.verb {
	case replace:
		return append(dst, a.text...)
	case mask:
		return appendMasked(dst, text, a.n)
	case address:
		if ip, err := netip.ParseAddr(view(text)); err == nil {
			return k.address(ip).AppendTo(dst)
		}
		return k.hash(dst, text, hashDigits)
	case hashed:
		return k.hash(dst, text, a.n)
	}
	return append(dst, removedText...)
}

// hashDigits is how many digits a hash has where the file does not say: 64 bits of it.
const hashDigits = 16

func (k *keyed) hash(dst, text []byte, digits int) []byte {
	k.mac.Reset()
	k.mac.Write(text)
	var all [2 * sha256.Size]byte
	hex.Encode(all[:], k.mac.Sum(k.sum[:0]))
	return append(dst, all[:digits]...)
}

// appendMasked writes a * for every character but the last n. Of a text that is not longer than twice n nothing stays.
func appendMasked(dst, text []byte, n int) []byte {
	chars := utf8.RuneCount(text)
	if chars <= 2*n {
		n = 0
	}
	for ; chars > n; chars-- {
		_, size := utf8.DecodeRune(text)
		text = text[size:]
		dst = append(dst, '*')
	}
	return append(dst, text...)
}

// view is b as a string that is only looked at.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
