package sigma

import (
	"regexp/syntax"
	"strings"
)

const (
	// maxLiterals bounds the alternatives of which one is waited for.
	maxLiterals = 64
	// maxSets bounds the sets of alternatives that an expression waits for.
	maxSets = 8
)

// literalsOf returns sets of texts, case folded: in every (case folded) text that the expression matches there is at
// least one of each set. There are none where nothing of use is needed.
func literalsOf(expr string) [][]string {
	re, err := syntax.Parse(expr, syntax.Perl)
	if err != nil {
		return nil
	}
	sets := needed(re.Simplify())
	return sets[:min(len(sets), maxSets)]
}

// telling tells whether a literal is rare enough to be worth waiting for: two characters, or one that is no word.
func telling(s string) bool {
	return len(s) > 1 || len(s) == 1 && !strings.Contains("abcdefghijklmnopqrstuvwxyz0123456789 -./\\:", s)
}

func needed(re *syntax.Regexp) [][]string {
	switch re.Op {
	case syntax.OpLiteral:
		if s := fold(string(re.Rune)); telling(s) {
			return [][]string{{s}}
		}
	case syntax.OpCapture, syntax.OpPlus:
		return needed(re.Sub[0])
	case syntax.OpRepeat:
		if re.Min > 0 {
			return needed(re.Sub[0])
		}
	case syntax.OpConcat:
		var all [][]string
		for _, sub := range re.Sub {
			all = append(all, needed(sub)...)
		}
		return all
	case syntax.OpAlternate:
		var all []string
		for _, sub := range re.Sub {
			best := longest(needed(sub))
			if best == nil {
				return nil
			}
			all = append(all, best...)
		}
		if len(all) <= maxLiterals {
			return [][]string{all}
		}
	}
	return nil
}

// longest returns the set whose shortest text is longest, and of equal ones the smallest.
func longest(sets [][]string) []string {
	var best []string
	most := 0
	for _, set := range sets {
		n := len(set[0])
		for _, s := range set[1:] {
			n = min(n, len(s))
		}
		if n > most || n == most && len(set) < len(best) {
			best, most = set, n
		}
	}
	return best
}
