package querycmd

import (
	"bufio"
	"slices"
	"strings"
	"testing"

	"github.com/mattn/go-runewidth"
)

func TestFit(t *testing.T) {
	const time, text, number = "TIMESTAMP", "VARCHAR", "BIGINT"
	for _, tt := range []struct {
		widths []int
		types  string
		width  int
		want   []int
		fits   bool
	}{
		{[]int{5, 100, 10}, text, 0, []int{5, 100, 10}, true},
		{[]int{5, 10}, text, 80, []int{5, 10}, true},
		{[]int{5, 100, 10}, text, 59, []int{5, 40, 10}, true},
		{[]int{50, 60}, text, 42, []int{20, 20}, true},
		{[]int{30, 30, 30}, text, 10, []int{8, 8, 8}, false},
		{[]int{27, 30}, time + " " + text, 40, []int{27, 11}, true},
		{[]int{27, 30}, time + " " + number, 40, []int{27, 30}, false},
		{[]int{27, 3, 40}, time + " " + text + " STRUCT(a INTEGER)", 42, []int{27, 3, 8}, true},
	} {
		types := strings.SplitN(tt.types, " ", len(tt.widths))
		for len(types) < len(tt.widths) {
			types = append(types, text)
		}
		got := slices.Clone(tt.widths)
		if fits := fit(got, types, tt.width); fits != tt.fits || !slices.Equal(got, tt.want) {
			t.Errorf("%v in %d columns: %v, %v, want %v", tt.widths, tt.width, got, fits, tt.want)
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
