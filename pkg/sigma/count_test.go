package sigma

import "testing"

func TestCounts(t *testing.T) {
	rules := []*Rule{
		mustRule(t, "s:\n  a|contains: needle\n  b: x\ncondition: s", Options{}),
		mustRule(t, "s:\n  c: null\ncondition: s", Options{}),
	}
	ix, err := NewIndex(rules, nil)
	if err != nil {
		t.Fatal(err)
	}
	counts := []*RuleCount{{}, {}}
	m := ix.NewMatcher()
	m.Count(counts)
	for range 2 * sampled {
		for _, line := range []string{`{"a":"a needle","b":"x"}`, `{"a":"a needle","b":"y"}`, `{"a":"hay","c":1}`} {
			m.Match(parsed(t, line))
		}
	}
	const n = 2 * sampled
	if e, h := counts[0].Evaluated.Load(), counts[0].Matched.Load(); h != n || e < h || e > 2*n {
		t.Errorf("first rule: %d evaluations, %d matches", e, h)
	}
	if e, h := counts[1].Evaluated.Load(), counts[1].Matched.Load(); e != 3*n || h != 2*n {
		t.Errorf("second rule, which nothing wakes: %d evaluations, %d matches", e, h)
	}
	if counts[1].Nanos.Load() == 0 {
		t.Error("no time was taken")
	}
}
