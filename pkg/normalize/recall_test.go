package normalize

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// What a stage remembers of the lines before must not show: lines of all mappings, cut, joined and with other values, come out of a stage
// that has seen them all as out of one that has seen none.
func TestLinesBeforeDoNotShow(t *testing.T) {
	m, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, line := range ownRecords(t, m) {
		if !strings.HasPrefix(line, "{") && !strings.HasPrefix(line, "#") && !strings.ContainsRune(line, '\n') {
			lines = append(lines, line)
		}
	}
	rnd := rand.New(rand.NewPCG(13, 14))
	old := New(Config{Mappings: m, Original: DropOriginal})
	recalled := 0
	for range 1000 {
		line := lines[rnd.IntN(len(lines))]
		for _, l := range []string{line, otherLine(rnd, line, lines), line, line} {
			before := old.run.lastOf
			fresh := New(Config{Mappings: m, Original: DropOriginal, Now: old.cfg.Now})
			got, want := normal(t, old, l), normal(t, fresh, l)
			if before != nil && old.run.lastOf != nil {
				recalled++
			}
			if stripTime(got) != stripTime(want) {
				t.Fatalf("%s\nbecomes %s\nand in a new stage %s", l, got, want)
			}
		}
	}
	if recalled < 100 {
		t.Errorf("a sign was there before only %d times", recalled)
	}
}

// otherLine is a line with a part of another in it, or without a part of its own.
func otherLine(rnd *rand.Rand, line string, lines []string) string {
	at := rnd.IntN(len(line) + 1)
	other := lines[rnd.IntN(len(lines))]
	switch rnd.IntN(4) {
	case 0:
		return line[:at]
	case 1:
		return line + " " + other
	case 2:
		return line[:at] + other[rnd.IntN(len(other)+1):]
	}
	return other + line[at:]
}

// The signs that count for more than one are all before it.
func TestRankedSigns(t *testing.T) {
	m, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	x := m.index
	for n, ref := range x.signs {
		if len(ref.sign.keys) > 0 || len(ref.sign.programs) > 0 {
			continue
		}
		for i, k := range x.ranked.signs {
			before, known := x.ranked.rank[int32(n)]
			if x.signs[k].beats(ref) && known && i > before {
				t.Errorf("%s, rank %d, counts for more than %s, rank %d", x.signs[k].plan.name, i, ref.plan.name, before)
			}
		}
	}
	if len(x.ranked.signs) != maxAsked+1 {
		t.Errorf("%d signs are ranked", len(x.ranked.signs))
	}
}
