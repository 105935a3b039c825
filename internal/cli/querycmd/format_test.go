package querycmd

import (
	"bufio"
	"strings"
	"testing"

	"github.com/mattn/go-runewidth"
)

func TestFit(t *testing.T) {
	for _, tt := range []struct {
		widths []int
		width  int
		want   []int
	}{
		{[]int{5, 100, 10}, 0, []int{5, 100, 10}},
		{[]int{5, 10}, 80, []int{5, 10}},
		{[]int{5, 100, 10}, 59, []int{5, 40, 10}},
		{[]int{50, 60}, 42, []int{20, 20}},
		{[]int{30, 30, 30}, 10, []int{8, 8, 8}}, // no narrower: the terminal wraps
	} {
		got := append([]int(nil), tt.widths...)
		fit(got, tt.width)
		for i := range got {
			if got[i] != tt.want[i] {
				t.Errorf("%v in %d columns: %v, want %v", tt.widths, tt.width, got, tt.want)
				break
			}
		}
	}
}

func TestWriteLine(t *testing.T) {
	var b strings.Builder
	out := bufio.NewWriter(&b)
	for _, cells := range [][]string{{"a", "1", "x"}, {"日本語", "22", "y"}, {"too long a text", "333", "z"}} {
		if err := writeLine(out, cells, []int{6, 3, 2}, []bool{false, true, false}); err != nil {
			t.Fatal(err)
		}
	}
	_ = out.Flush()
	want := "a         1  x\n日本語   22  y\ntoo l…  333  z\n"
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
	for l := range strings.Lines(b.String()) {
		if w := runewidth.StringWidth(strings.TrimSuffix(l, "\n")); w != 14 {
			t.Errorf("%q is %d wide", l, w)
		}
	}
}

func TestCell(t *testing.T) {
	for in, want := range map[string]string{
		"": "NULL", `""`: "", `"a\nb"`: "a b", "1.50": "1.50", `["a",null]`: `["a",null]`, `{"a":1}`: `{"a":1}`,
		`"\u001b]0;x\u0007"`: "\uFFFD]0;x\uFFFD", `"\u202eabc"`: "\uFFFDabc", `"\u009b31m"`: "\uFFFD31m", "true": "true",
	} {
		if got := cell(in); got != want {
			t.Errorf("%s is shown as %q, want %q", in, got, want)
		}
	}
}
