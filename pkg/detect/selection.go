package detect

import (
	"fmt"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"leat/pkg/sigma"
)

// selector names rules: an id, a name or a title, or one of tag:, level:, status:, logsource: and file: with a pattern, in
// which * stands for anything. `*` alone is every rule.
type selector struct {
	text, kind, pattern string
	used                bool
}

var selectorKinds = []string{"tag", "level", "status", "logsource", "file"}

func newSelector(text string) (*selector, error) {
	s := &selector{text: text, pattern: strings.ToLower(text)}
	if kind, pattern, ok := strings.Cut(text, ":"); ok && slices.Contains(selectorKinds, kind) {
		s.kind, s.pattern = kind, strings.ToLower(pattern)
	}
	if s.pattern == "" {
		return nil, fmt.Errorf("rule selector %q is empty; expected an id, a title, or one of %s: with a pattern", text, strings.Join(selectorKinds, ":, "))
	}
	if _, err := path.Match(s.pattern, ""); err != nil && s.kind != "" {
		return nil, fmt.Errorf("rule selector %q: %w", text, err)
	}
	return s, nil
}

// matches tells whether s names the rule.
func (s *selector) matches(m *sigma.Meta, src string) bool {
	var of []string
	switch s.kind {
	case "tag":
		of = m.Tags
	case "level":
		of = []string{levelOf(m).String()}
	case "status":
		of = []string{m.Status}
	case "logsource":
		of = []string{src}
	case "file":
		of = []string{m.File, filepath.Base(m.File)}
	default:
		return s.pattern == "*" || strings.EqualFold(m.ID, s.pattern) || strings.EqualFold(m.Name, s.pattern) || strings.EqualFold(m.Title, s.pattern)
	}
	return slices.ContainsFunc(of, func(have string) bool {
		// Slashes are nothing special: log sources and files have them.
		ok, _ := path.Match(strings.ReplaceAll(s.pattern, "/", "\x00"), strings.ReplaceAll(strings.ToLower(have), "/", "\x00"))
		return ok
	})
}

// levelOf is a rule's level; one without counts as low.
func levelOf(m *sigma.Meta) sigma.Level {
	if m.Level == sigma.LevelNone {
		return sigma.LevelLow
	}
	return m.Level
}

// selection says which rules are at work, and how grave they are.
type selection struct {
	min             sigma.Level
	disable, enable []*selector
	levels          map[*selector]sigma.Level
	left            int // rules that were left out
}

func newSelection(least string, disable, enable []string, levels map[string]levelName) (*selection, error) {
	s := &selection{levels: map[*selector]sigma.Level{}}
	var err error
	if least != "" {
		if s.min, err = sigma.ParseLevel(least); err != nil {
			return nil, fmt.Errorf("min_level: %w", err)
		}
	}
	for _, part := range []struct {
		texts []string
		list  *[]*selector
	}{{disable, &s.disable}, {enable, &s.enable}} {
		for _, t := range part.texts {
			sel, err := newSelector(t)
			if err != nil {
				return nil, err
			}
			*part.list = append(*part.list, sel)
		}
	}
	for _, t := range slices.Sorted(maps.Keys(levels)) {
		sel, err := newSelector(t)
		if err != nil {
			return nil, err
		}
		if s.levels[sel], err = sigma.ParseLevel(string(levels[t])); err != nil {
			return nil, fmt.Errorf("levels: %s: %w", t, err)
		}
	}
	return s, nil
}

// wants tells whether the rule is at work; the order of the selectors does not count.
func (s *selection) wants(m *sigma.Meta, src string) bool {
	named := func(list []*selector) bool {
		found := false
		for _, sel := range list {
			if sel.matches(m, src) {
				sel.used, found = true, true
			}
		}
		return found
	}
	on := levelOf(m) >= s.min
	if named(s.disable) {
		on = false
	}
	return named(s.enable) || on
}

func (s *selection) level(m *sigma.Meta, src string) {
	for sel, l := range s.levels {
		if sel.matches(m, src) {
			sel.used = true
			m.Level = l
		}
	}
}

// before sets levels and leaves out correlations, before these silence the rules that they refer to.
func (s *selection) before(set *sigma.Set) {
	for _, r := range set.Rules {
		s.level(&r.Meta, r.LogSource.String())
	}
	set.Correlations = slices.DeleteFunc(set.Correlations, func(c *sigma.Correlation) bool {
		s.level(&c.Meta, "correlation")
		if s.wants(&c.Meta, "correlation") {
			return false
		}
		s.left++
		return true
	})
}

// after leaves out rules. One that a correlation needs goes on without alerts of its own.
func (s *selection) after(set *sigma.Set) {
	set.Rules = slices.DeleteFunc(set.Rules, func(r *sigma.Rule) bool {
		if s.wants(&r.Meta, r.LogSource.String()) {
			return false
		}
		s.left++
		if r.Feeds {
			r.Silent = true
			return false
		}
		return true
	})
}

// unused returns the selectors that name no rule: most likely they are mistyped.
func (s *selection) unused() []string {
	var out []string
	for _, sel := range slices.Concat(s.disable, s.enable, slices.Collect(maps.Keys(s.levels))) {
		if !sel.used {
			out = append(out, sel.text)
		}
	}
	slices.Sort(out)
	return out
}
