package ingest

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// framed cuts the parts of a stream.
func framed(t testing.TB, maxLen int, parts ...string) []string {
	t.Helper()
	f := framer{max: maxLen}
	var buf []byte
	var out []string
	emit := func(rec []byte, l *long) error {
		if l != nil {
			out = append(out, fmt.Sprintf("too long: %d %.8q", l.Size, l.head))
		} else {
			out = append(out, string(rec))
		}
		return nil
	}
	for i, p := range parts {
		buf = append(buf, p...)
		used, err := f.frames(buf, i == len(parts)-1, emit)
		if err != nil {
			t.Fatal(err)
		}
		buf = buf[used:]
		if len(buf) > maxLen+maxCountDigits+1 {
			t.Fatalf("%d bytes wait, though no message may be longer than %d", len(buf), maxLen)
		}
	}
	if len(buf) > 0 {
		t.Fatalf("left over at the end: %q", buf)
	}
	return out
}

func TestFraming(t *testing.T) {
	for _, c := range []struct {
		name, in string
		want     []string
	}{
		{"line feeds", "<13>one\n<13>two\n", []string{"<13>one", "<13>two"}},
		{"counts", "7 <13>one8 <13>\ntwo", []string{"<13>one", "<13>\ntwo"}},
		{"mixed", "7 <13>one<13>two\n9 <13>three", []string{"<13>one", "<13>two", "<13>three"}},
		{"count and a line feed behind", "7 <13>one\n7 <13>two\n", []string{"<13>one", "<13>two"}},
		{"last without line feed", "<13>one", []string{"<13>one"}},
		{"carriage returns, NULs, blank lines", "<13>one\r\n\n\r\n<13>two\x00\n", []string{"<13>one", "<13>two"}},
		{"a date is no count", "2026-11-24 x\n2026 y\n", []string{"2026-11-24 x", "2026 y"}},
		{"a count of JSON", `9 {"a":"b"}x` + "\n", []string{`{"a":"b"}`, "x"}},
		{"no priority, after a count", "7 <13>one3 two", []string{"<13>one", "two"}},
		{"count torn off", "39 <13>one", []string{"<13>one"}},
		{"only a number", "12345", []string{"12345"}},
		{"too many digits", "12345678901 <1>\n", []string{"12345678901 <1>"}},
		{"too long line", strings.Repeat("x", 50) + "\nafter\n", []string{`too long: 50 "xxxxxxxx"`, "after"}},
		{"too long count", "41 <" + strings.Repeat("y", 40) + "<1>after\n", []string{`too long: 41 "<yyyyyyy"`, "<1>after"}},
		{"too long at the end", strings.Repeat("z", 50), []string{`too long: 50 "zzzzzzzz"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := framed(t, 40, c.in); !slices.Equal(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
			// However it arrives, it is cut the same.
			bytewise := strings.Split(c.in, "")
			if got := framed(t, 40, append(bytewise, "")...); !slices.Equal(got, c.want) {
				t.Errorf("byte by byte: %q, want %q", got, c.want)
			}
		})
	}
}

func FuzzFraming(f *testing.F) {
	f.Add("7 <13>one<13>two\n9 <13>three\n", 5)
	f.Add("2026 text\n99999 <1>x", 1)
	f.Add(strings.Repeat("1 <", 40), 3)
	f.Fuzz(func(t *testing.T, in string, at int) {
		whole := framed(t, 64, in)
		if at < 0 || at > len(in) {
			return
		}
		if parts := framed(t, 64, in[:at], in[at:], ""); !slices.Equal(parts, whole) {
			t.Fatalf("cut at %d: %q, whole: %q", at, parts, whole)
		}
	})
}
