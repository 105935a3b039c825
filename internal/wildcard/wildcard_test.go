package wildcard

import "testing"

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"", "", true}, {"", "a", false}, {"*", "", true}, {"*", "anything", true}, {"a*c", "abbc", true}, {"a*c", "abcd", false},
		{"a?c", "aéc", true}, {"a?c", "ac", false}, {"*b*b", "abab", true}, {"*b*b", "aba", false}, {"abc", "abc", true}, {"abc", "ABC", false},
		{"dc*", "dc01.corp", true}, {"**", "x", true}, {"?", "", false},
	} {
		if got := Match(c.pattern, c.s); got != c.want {
			t.Errorf("Match(%q, %q) = %v", c.pattern, c.s, got)
		}
	}
}
