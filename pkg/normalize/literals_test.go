package normalize

import (
	"slices"
	"strings"
	"testing"
)

// hits returns the numbers of the literals that scan finds in s.
func hits(t testing.TB, lits []string, s string) (out []int) {
	t.Helper()
	var x index
	for i, l := range lits {
		p := &plan{name: l}
		x.signs = append(x.signs, signRef{p, &sign{contains: []string{l}, score: i}})
		if !x.text.add(l, int32(i)) && len(l) >= 3 {
			t.Fatalf("%q is not filed", l)
		}
	}
	// Every sign has a higher score than those before: scanning with the one before as the best shows which are tried.
	r := &runner{raw: []byte(s)}
	for i := range lits {
		c := &choice{run: r, x: &x, wanted: []*plan{x.signs[i].plan}}
		r.tried.next(len(lits))
		x.text.scan(r.raw, c)
		if c.best.plan != nil {
			out = append(out, i)
		}
	}
	return out
}

func TestLiteralsFindWhatIsThere(t *testing.T) {
	lits := []string{"%ASA-", "%FTD-", "devname=", "abc", "bcd", "abcd", "abc"}
	for s, want := range map[string][]int{
		"x %ASA-6: abcd": {0, 3, 4, 5, 6}, "abc": {3, 6}, "": nil, "ab": nil, "%AS": nil, "devname": nil, "devname=": {2}, "xabx bcd": {4},
	} {
		if got := hits(t, lits, s); !slices.Equal(got, want) {
			t.Errorf("%q: %v, want %v", s, got, want)
		}
	}
}

func FuzzLiterals(f *testing.F) {
	f.Add("%ASA-", "x %ASA-6")
	f.Add("aaa", "aaaa")
	f.Fuzz(func(t *testing.T, lit, s string) {
		if len(lit) < 3 {
			return
		}
		if got, want := len(hits(t, []string{lit}, s)) == 1, strings.Contains(s, lit); got != want {
			t.Fatalf("%q in %q: %v", lit, s, got)
		}
	})
}
