package event

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// slowString is AppendString, rune by rune.
func slowString(s []byte) []byte {
	dst := []byte{'"'}
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRune(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			dst = append(dst, "\uFFFD"...)
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, `\n`...)
		case r == '\r':
			dst = append(dst, `\r`...)
		case r == '\t':
			dst = append(dst, `\t`...)
		case r < 0x20:
			dst = fmt.Appendf(dst, `\u%04x`, r)
		default:
			dst = append(dst, s[i:i+n]...)
		}
		i += n
	}
	return append(dst, '"')
}

// Every byte at every place of a word, and random text of all kinds of runes.
func TestAppendStringAgainstSlow(t *testing.T) {
	check := func(s []byte) {
		t.Helper()
		want := slowString(s)
		if got := AppendString(nil, s); !bytes.Equal(got, want) {
			t.Fatalf("AppendString(%q) = %q, want %q", s, got, want)
		}
		if got := AppendString([]byte("x"), string(s)); !bytes.Equal(got, append([]byte("x"), want...)) {
			t.Fatalf("AppendString(%q) of a string = %q, want %q", s, got, want)
		}
		for room := range 2 * plainString {
			dst := append(make([]byte, 0, 1+room), 'x')
			if got := AppendString(dst, s); !bytes.Equal(got, append([]byte("x"), want...)) {
				t.Fatalf("AppendString(%q) with room for %d = %q, want %q", s, room, got, want)
			}
		}
		if got, want := NeedsEscape(s), bytes.IndexByte(s, 0) >= 0 || !utf8.Valid(s); got != want {
			t.Fatalf("NeedsEscape(%q) = %v", s, got)
		}
	}
	for c := range 256 {
		for at := range 20 {
			s := []byte("abcdefghijklmnopqrst")
			s[at] = byte(c)
			check(s)
			check(s[:at+1])
		}
	}
	rnd := rand.New(rand.NewPCG(3, 4))
	pieces := []string{"a", "plain text, and more", `"`, `\`, "\n", "\x00", "\x1f", "é", "漢", "🙂", "\xff", "\xed\xa0\x80", "\x7f", "\u2028"}
	for range 5000 {
		var s []byte
		for range rnd.IntN(12) {
			s = append(s, pieces[rnd.IntN(len(pieces))]...)
		}
		check(s)
	}
	// Long ones, of ASCII for one piece of memory and more, and with something else at its end.
	ascii := []string{"a", "plain text, and more", `"`, `\`, `\"`, "\n", "\x00", "{}:,", strings.Repeat("b", 70)}
	for n := range 600 {
		var s []byte
		for len(s) < n*15 {
			s = append(s, ascii[rnd.IntN(len(ascii))]...)
		}
		check(s)
		check(append(s, pieces[rnd.IntN(len(pieces))]...))
	}
}

// Every escape at every place of a word, and ends in the middle of one.
func TestAppendUnquoted(t *testing.T) {
	escapes := map[string]string{
		`\"`: `"`, `\\`: `\`, `\/`: "/", `\n`: "\n", `\t`: "\t", `\r`: "\r", `\b`: "\b", `\f`: "\f", `\u00e9`: "é",
		`\ud83d\ude42`: "🙂", `\ud83d`: "\uFFFD", `\ude42x`: "\uFFFDx", `\u0000`: "\x00",
	}
	for esc, want := range escapes {
		for before := range 18 {
			for after := range 18 {
				a, b := "abcdefghijklmnopqr"[:before], "ABCDEFGHIJKLMNOPQR"[:after]
				if got := string(AppendUnquoted(nil, []byte(a+`\`))); got != a+`\` {
					t.Fatalf("half an escape after %d bytes: %q", before, got)
				}
				if got := string(AppendUnquoted([]byte("x"), []byte(a+esc+b+esc))); got != "x"+a+want+b+want {
					t.Fatalf("%q after %d, before %d bytes: %q", esc, before, after, got)
				}
			}
		}
	}
}

func TestAppendTimeAgainstTime(t *testing.T) {
	check := func(ns int64) {
		t.Helper()
		layout := "2006-01-02T15:04:05.000000000Z"
		switch {
		case ns%1_000_000 == 0:
			layout = "2006-01-02T15:04:05.000Z"
		case ns%1_000 == 0:
			layout = "2006-01-02T15:04:05.000000Z"
		}
		if got, want := string(AppendTime(nil, ns)), time.Unix(0, ns).UTC().Format(layout); got != want {
			t.Fatalf("AppendTime(%d) = %s, want %s", ns, got, want)
		}
	}
	for _, ns := range []int64{0, -1, 1, math.MinInt64, math.MaxInt64, -1_000, 999_999_999, 951782400e9, 951868799999999999, -86400e9} {
		check(ns)
	}
	rnd := rand.New(rand.NewPCG(5, 6))
	for range 20000 {
		ns := int64(rnd.Uint64())
		check(ns)
		check(ns / 1e9 * 1e9)
		check(ns / 1e3 * 1e3)
	}
}

// Lines of many shapes, as a stream has them: of one line alone the processor learns where its quotes are.
func BenchmarkAppendString(b *testing.B) {
	rnd := rand.New(rand.NewPCG(1, 2))
	lines, size := make([][]byte, 256), 0
	for i := range lines {
		line := []byte("{")
		for range 10 + rnd.IntN(20) {
			line = fmt.Appendf(line, `"%s":"%s",`, strings.Repeat("n", 2+rnd.IntN(12)), strings.Repeat("v", rnd.IntN(30)))
		}
		lines[i] = append(line, `"n":0}`...)
		size += len(lines[i])
	}
	dst := make([]byte, 0, 4096)
	b.SetBytes(int64(size / len(lines)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		dst = AppendString(dst[:0], lines[i%len(lines)])
	}
}

func BenchmarkAppendTime(b *testing.B) {
	dst := make([]byte, 0, 64)
	b.ReportAllocs()
	for b.Loop() {
		dst = AppendTime(dst[:0], 1795392000_123000000)
	}
}
