package event

import "golang.org/x/sys/cpu"

// markBlocks marks blocks (> 0) of 64 bytes from s on; high is not 0 where a byte is 0x80 or more. It needs AVX2.
//
//go:noescape
func markBlocks(dst *byte, s *byte, blocks int) (high uint32)

// mark appends the marks of s to dst, as markWords does.
func mark(dst, s []byte) (marks []byte, high bool) {
	if !cpu.X86.HasAVX2 {
		return markWords(dst, s)
	}
	dst = grow(dst, len(s))
	var seen uint32
	if whole := len(s) / 64; whole > 0 {
		seen = markBlocks(&dst[0], &s[0], whole)
	}
	if rest := len(s) % 64; rest > 0 {
		var last [64]byte
		fill(&last, s[len(s)-rest:])
		seen |= markBlocks(&dst[len(dst)-16], &last[0], 1)
	}
	return dst, seen != 0
}
