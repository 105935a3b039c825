package tui

import (
	"net/netip"
	"strconv"
	"strings"

	"leat/internal/wildcard"
	"leat/pkg/event"
)

// match tells whether a row passes.
func (f *filter) match(r *row) bool {
	parsed := false
	for i := range f.terms {
		t := &f.terms[i]
		if len(t.path.Keys()) > 0 && !parsed {
			f.probe.Reset(r.raw)
			parsed = f.probe.Parse() == nil
		}
		if t.match(r, &f.probe) == t.not {
			return false
		}
	}
	return true
}

func (t *term) match(r *row, e *event.Event) bool {
	switch t.field {
	case "":
		return r.contains(t.values[0].text)
	case "severity", "sev", "level":
		return t.any(func(v *value) bool {
			if t.op == "~" {
				return v.re.MatchString(levels[r.level])
			}
			if v.level == levelUnknown {
				return wildcard.Match(v.text, levels[r.level])
			}
			return r.level != levelUnknown && compare(t.op, float64(r.level), float64(v.level))
		})
	case "rule":
		return t.text(r.rule) || t.text(r.ruleID)
	case "user":
		return t.text(r.user)
	case "host":
		return t.text(r.host)
	case "source", "src":
		return t.text(r.source)
	case "message", "msg":
		return t.text(r.message)
	case "time":
		return t.text(string(event.AppendTime(nil, r.time)))
	}
	found := false
	e.Get(t.path).Elements(func(v event.Value) bool {
		found = v.Kind != event.Null && t.text(v.String())
		return !found
	})
	return found
}

func (t *term) any(is func(*value) bool) bool {
	for i := range t.values {
		if is(&t.values[i]) {
			return true
		}
	}
	return false
}

// text tells whether one of the term's values fits s.
func (t *term) text(s string) bool {
	lower := strings.ToLower(s)
	return t.any(func(v *value) bool {
		switch t.op {
		case "~":
			return v.re.MatchString(s)
		case "=":
			if v.net.IsValid() {
				if a, err := netip.ParseAddr(s); err == nil && v.net.Contains(a.Unmap()) {
					return true
				}
			}
			return wildcard.Match(v.text, lower)
		}
		if n, err := strconv.ParseFloat(s, 64); err == nil && v.isNum {
			return compare(t.op, n, v.num)
		}
		return compare(t.op, float64(strings.Compare(lower, v.text)), 0)
	})
}

func compare(op string, a, b float64) bool {
	switch op {
	case "=":
		return a == b
	case ">":
		return a > b
	case ">=":
		return a >= b
	case "<":
		return a < b
	}
	return a <= b
}

// contains looks for a lower-case word in what the table shows and in the line itself.
func (r *row) contains(word string) bool {
	for _, s := range [...]string{r.message, r.rule, r.user, r.host, r.source} {
		if containsFold(s, word) {
			return true
		}
	}
	return containsFold(string(r.raw), word)
}

// containsFold tells whether s holds word, which is in lower case, without regard to case.
func containsFold(s, word string) bool {
	if len(word) == 0 {
		return true
	}
	lo, up := word[0], word[0]
	if lo >= 'a' && lo <= 'z' {
		up = lo - 32
	}
	if lo >= 0x80 {
		return strings.Contains(strings.ToLower(s), word)
	}
	for i := 0; i+len(word) <= len(s); i++ {
		if (s[i] == lo || s[i] == up) && strings.EqualFold(s[i:i+len(word)], word) {
			return true
		}
	}
	return false
}
