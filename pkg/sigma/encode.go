package sigma

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// errWildcard refuses what can't be encoded.
var errWildcard = errors.New("a value with wildcards can't be encoded")

// utf16Text encodes s; mark puts a byte order mark in front.
func utf16Text(s string, order binary.AppendByteOrder, mark bool) string {
	var b []byte
	if mark {
		b = order.AppendUint16(b, 0xFEFF)
	}
	for _, u := range utf16.Encode([]rune(s)) {
		b = order.AppendUint16(b, u)
	}
	return string(b)
}

// base64Offsets returns the three texts of which one is in any base64 text whose plain text contains s, which has two
// bytes at least: one byte alone leaves no whole character where it begins in the middle of three.
func base64Offsets(s string) []string {
	start := [3]int{0, 2, 3}
	cut := [3]int{0, 3, 2}
	var out []string
	for i := range 3 {
		enc := base64.StdEncoding.EncodeToString([]byte(strings.Repeat(" ", i) + s))
		out = append(out, enc[start[i]:len(enc)-cut[(len(s)+i)%3]])
	}
	return out
}

// dashes are what Windows programs take for the mark of a flag.
var dashes = [...]string{"-", "/", "\u2013", "\u2014", "\u2015"}

// maxExpansion bounds the values that windash or expand make of one.
const maxExpansion = 4096

// windash returns p with each flag's mark in every form. A mark is a dash or slash that begins a word.
func windash(p pattern) ([]pattern, error) {
	out := []pattern{nil}
	for _, q := range p {
		pieces := []string{q.text}
		if q.kind == literal {
			pieces = splitFlags(q.text)
		}
		for i, text := range pieces {
			if i > 0 {
				var more []pattern
				for _, o := range out {
					for _, d := range dashes {
						more = append(more, append(o[:len(o):len(o)], part{literal, d}))
					}
				}
				out = more
			}
			if len(out) > maxExpansion {
				return nil, fmt.Errorf("more than %d forms of one value", maxExpansion)
			}
			for j, o := range out {
				out[j] = append(o[:len(o):len(o)], part{q.kind, text})
			}
		}
	}
	for i := range out {
		out[i] = out[i].tidy()
	}
	return out, nil
}

// splitFlags cuts s at each - or / that has no word character before it and one behind it, leaving the mark out.
func splitFlags(s string) []string {
	var out []string
	begin := 0
	for i := 0; i < len(s); i++ {
		if s[i] != '-' && s[i] != '/' {
			continue
		}
		before, _ := utf8.DecodeLastRuneInString(s[:i])
		behind, _ := utf8.DecodeRuneInString(s[i+1:])
		if !wordRune(before) && wordRune(behind) {
			out = append(out, s[begin:i])
			begin = i + 1
		}
	}
	return append(out, s[begin:])
}

func wordRune(r rune) bool {
	return r == '_' || r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r))
}
