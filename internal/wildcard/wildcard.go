// Package wildcard matches text against patterns with * for any text and ? for one character, as playbooks and the tui's
// filters write them, and mappings. It has no classes, escapes or path rules, and folds no case.
package wildcard

// Match tells whether pattern covers the whole of s. It takes at most len(pattern)*len(s) steps.
func Match(pattern, s string) bool {
	p, star, mark, i := 0, -1, 0, 0
	pr, sr := []rune(pattern), []rune(s)
	for i < len(sr) {
		switch {
		case p < len(pr) && pr[p] == '*':
			star, mark = p, i
			p++
		case p < len(pr) && (pr[p] == '?' || pr[p] == sr[i]):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	for p < len(pr) && pr[p] == '*' {
		p++
	}
	return p == len(pr)
}

// MatchBytes is Match for which a ? stands for one byte; it does not allocate.
func MatchBytes(pattern string, s []byte) bool {
	p, i, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}
