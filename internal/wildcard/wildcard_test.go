package wildcard

import (
	"path"
	"testing"
)

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
		// Of one byte a letter they are the same.
		if got := MatchBytes(c.pattern, []byte(c.s)); len(c.s) == len([]rune(c.s)) && got != c.want {
			t.Errorf("MatchBytes(%q, %q) = %v", c.pattern, c.s, got)
		}
	}
}

// FuzzMatchBytes: a pattern of letters, * and ? is what path.Match says.
func FuzzMatchBytes(f *testing.F) {
	f.Add("DHCP?_LEASE_*", "DHCP4_LEASE_ALLOC")
	f.Add("a*b*c", "aXbXc")
	f.Add("***?", "x")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		for _, c := range pattern + text {
			if c != '*' && c != '?' && (c < 'a' || c > 'z') {
				return
			}
		}
		want, err := path.Match(pattern, text)
		if err != nil {
			return
		}
		if got := MatchBytes(pattern, []byte(text)); got != want {
			t.Fatalf("%q of %q: %v", pattern, text, got)
		}
	})
}
