//go:build !amd64

package event

func mark(dst, s []byte) (marks []byte, high bool) { return markWords(dst, s) }
