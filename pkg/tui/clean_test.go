package tui

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"plain", "plain"},
		{"", ""},
		{"j.müller 山田 Ω", "j.müller 山田 Ω"},
		{"\x1b[31mred\x1b[0m", "␛[31mred␛[0m"},
		{"\x1b]52;c;ZXZpbA==\x07", "␛]52;c;ZXZpbA==␇"}, // clipboard
		{"\x1b]0;title\x1b\\", "␛]0;title␛\\"},
		{"\u009b31m", "<009B>31m"}, // CSI as one character
		{"\u009d0;x\u009c", "<009D>0;x<009C>"},
		{"a\r\nb\tc\x00\x7f", "a␍␊b c␀␡"},
		{"invoice\u202egpj.exe", "invoice<202E>gpj.exe"},
		{"\u2066x\u2069\u200f\u061c", "<2066>x<2069><200F><061C>"},
		{"ad\u200bmin\ufeff\u00ad", "ad<200B>min<FEFF><00AD>"},
		{"\U000e0041\U000e007f", "<E0041><E007F>"}, // tag characters
		{"x\u2028y\u2029", "x<2028>y<2029>"},
		{"\u3164\u115f", "<3164><115F>"}, // letters that look like nothing
		{"bad\xff\xfeutf", "bad\ufffd\ufffdutf"},
		{"e\u0301\u0302\u0303\u0304\u0305", "e\u0301\u0302"}, // piles of marks
		{"☎\ufe0f", "☎"},
	} {
		if got := clean(c.in); got != c.want {
			t.Errorf("%q: %q, want %q", c.in, got, c.want)
		}
	}
}

// harmless tells whether a text can drive a terminal.
func harmless(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if r < 0x20 || r >= 0x7f && r < 0xa0 || unicode.Is(unicode.Cf, r) || r == 0x2028 || r == 0x2029 {
			return false
		}
	}
	return true
}

func FuzzClean(f *testing.F) {
	f.Add("\x1b[2J\u202e\u009b\xff")
	f.Fuzz(func(t *testing.T, s string) {
		got := clean(s)
		if !harmless(got) {
			t.Fatalf("%q became %q", s, got)
		}
		if clean(got) != got {
			t.Fatalf("%q is not stable: %q", got, clean(got))
		}
		for _, w := range []int{0, 1, 7, 40} {
			if n := textWidth(fit(got, w)); n != w {
				t.Fatalf("%q in %d cells takes %d", got, w, n)
			}
		}
	})
}

func TestClip(t *testing.T) {
	if got := clip(strings.Repeat("ä", 10), 5); got != "ää…" || !utf8.ValidString(got) {
		t.Errorf("%q", got)
	}
	if got := clip("abc", 3); got != "abc" {
		t.Errorf("%q", got)
	}
}

func TestWidth(t *testing.T) {
	for _, c := range []struct {
		s    string
		w    int
		want string
	}{
		{"abc", 5, "abc  "},
		{"abcdef", 4, "abc…"},
		{"山田太郎", 8, "山田太郎"},
		{"山田太郎", 7, "山田太…"},
		{"山田太郎", 6, "山田… "},
		{"müller", 6, "müller"},
		{"e\u0301x", 2, "e\u0301x"},
		{"abc", 1, "…"},
		{"abc", 0, ""},
	} {
		if got := fit(c.s, c.w); got != c.want {
			t.Errorf("fit %q %d: %q, want %q", c.s, c.w, got, c.want)
		}
	}
	if got := shift("山田abc", 4); got != "abc" {
		t.Errorf("shift: %q", got)
	}
	if got := shift("abc", 9); got != "" {
		t.Errorf("shift behind the end: %q", got)
	}
	if got := pad(300); len(got) != 300 {
		t.Errorf("pad: %d", len(got))
	}
	if got := strings.Join(wrap("one two three", 7), "|"); got != "one two|three" {
		t.Errorf("wrap: %q", got)
	}
}
