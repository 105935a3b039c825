package event

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// slowStr is scanner.str, byte by byte: the offset of the ending quote or -1, and whether there were escapes.
func slowStr(s []byte) (end int, esc bool) {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return i, esc
		case c < 0x20:
			return -1, esc
		case c == '\\':
			esc = true
			i++
			if i == len(s) || !strings.ContainsRune(`"\/bfnrtu`, rune(s[i])) {
				return -1, esc
			}
			if s[i] == 'u' {
				if !json.Valid([]byte(`"` + string(s[i-1:min(i+5, len(s))]) + `"`)) {
					return -1, esc
				}
				i += 4
			}
		}
	}
	return -1, esc
}

// Strings made of what is special, at every distance from each other and from the end.
func TestStrAgainstSlow(t *testing.T) {
	pieces := []string{`\"`, `\\`, `\/`, `\n`, `\u00e9`, `\u12`, `\x`, `"`, `\`, "\n", "\x1f", "\x20", "a", "bc", "é", "0123456", "\x7f", "\x80"}
	weights := []int{40, 12, 6, 6, 3, 1, 1, 2, 1, 1, 1, 10, 20, 20, 6, 20, 3, 3}
	var bag []string
	for i, n := range weights {
		for range n {
			bag = append(bag, pieces[i])
		}
	}
	rnd := rand.New(rand.NewPCG(7, 8))
	good := 0
	for range 60_000 {
		var b strings.Builder
		for range rnd.IntN(24) {
			b.WriteString(bag[rnd.IntN(len(bag))])
		}
		if rnd.IntN(4) > 0 {
			b.WriteString(`"`)
		}
		b.WriteString(strings.Repeat("z", rnd.IntN(9)))
		s := []byte(b.String())
		want, wantEsc := slowStr(s)
		marks, high := mark(nil, s)
		p := scanner{s: s, marks: marks}
		got, esc := p.str(0)
		if got != want || got >= 0 && esc != wantEsc {
			t.Fatalf("%q: %d, %v; want %d, %v (%s)", s, got, esc, want, wantEsc, p.fault.Reason)
		}
		if got >= 0 {
			good++
		}
		if want := slices.ContainsFunc(s, func(c byte) bool { return c >= 0x80 }); high != want {
			t.Fatalf("%q: bytes beyond ASCII: %v", s, high)
		}
	}
	if good < 15_000 {
		t.Fatalf("only %d strings were whole", good)
	}
}

// BenchmarkParseWrapped reads a record that ingest wrapped: one string full of escaped quotes.
func BenchmarkParseWrapped(b *testing.B) {
	record := `{"ts":1795392000.000,"Id":"a95c7e78-c37c-4951","Operation":"Add member to role.","UserId":"u040886","userIP":"10.70.173.191","userPort":5126,"requestParameters":{"key":"hr\/2026\/15222.xlsx"}}`
	line, _ := AppendRecord([]byte(`{"event":{`), []byte(strings.Repeat(record, 5)))
	line = append(line, `}}`...)
	var e Event
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		e.Reset(line)
		if err := e.Parse(); err != nil {
			b.Fatal(err)
		}
	}
}

// The marks that the processor's wide instructions set, and those set word by word, against a byte-by-byte look; at every length and place in memory.
func TestMarks(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	bag := []byte("\"\\\x00\x1f\n !#[]z\x7f\x80\xa2\xdc\xff")
	memory := make([]byte, 400)
	for n := range 300 {
		for range 20 {
			at := rnd.IntN(64)
			s := memory[at : at+n]
			for i := range s {
				s[i] = bag[rnd.IntN(len(bag))]
				if rnd.IntN(3) > 0 {
					s[i] = 'a'
				}
			}
			want, high := make([]byte, (n+63)/64*8+8), false
			for i, c := range s {
				if c == '"' || c == '\\' || c < 0x20 {
					want[i/8] |= 1 << (i % 8)
				}
				high = high || c >= 0x80
			}
			for name, f := range map[string]func(dst, s []byte) ([]byte, bool){"mark": mark, "markWords": markWords} {
				if got, h := f(bytes.Repeat([]byte{0xee}, 60), s); !slices.Equal(got, want) || h != high {
					t.Fatalf("%s of %q: %x, %v; want %x, %v", name, s, got, h, want, high)
				}
			}
		}
	}
}
