package respond

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"leat/internal/wildcard"
	"leat/pkg/event"
)

// When is the condition of a play. All parts that are given must hold.
type When struct {
	// Rule is a list of patterns (* and ?), one of which the alert's rule.id or rule.name must match.
	Rule Words `yaml:"rule"`
	// Severity compares the alert's level: ">= high", "= medium", or a bare level (= at least that).
	Severity Severity `yaml:"severity"`
	// Fields maps a field's name to patterns (or networks in CIDR form), one of which one of its values must match.
	Fields map[string]Words `yaml:"fields"`

	rule   []pattern
	fields []fieldMatch
}

// Words is a list of scalars; in YAML a single one needs no brackets.
type Words []string

// UnmarshalYAML takes a scalar or a list of scalars, as they are written.
func (w *Words) UnmarshalYAML(n *yaml.Node) error {
	items := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		items = n.Content
	}
	*w = (*w)[:0]
	for _, item := range items {
		for item.Kind == yaml.AliasNode {
			item = item.Alias
		}
		if item.Kind != yaml.ScalarNode || item.Tag == "!!null" {
			return errors.New("expected a text or a list of texts")
		}
		*w = append(*w, item.Value)
	}
	return nil
}

func (w *When) empty() bool { return len(w.Rule) == 0 && w.Severity.op == "" && len(w.Fields) == 0 }

func (w *When) compile() (err error) {
	if w.rule, err = patterns(w.Rule); err != nil {
		return fmt.Errorf("rule: %w", err)
	}
	w.fields, err = compileFields(w.Fields)
	return err
}

// match tells whether the alert meets the condition.
func (w *When) match(a *alert) bool {
	if len(w.rule) > 0 && !slices.ContainsFunc(w.rule, func(p pattern) bool { return p.match(a.ruleID) || p.match(a.ruleName) }) {
		return false
	}
	if !w.Severity.holds(a.level) {
		return false
	}
	for i := range w.fields {
		if !w.fields[i].match(a.event) {
			return false
		}
	}
	return true
}

// fieldMatch is a field with what one of its values must match.
type fieldMatch struct {
	path     event.Path
	patterns []pattern
}

func compileFields(fields map[string]Words) ([]fieldMatch, error) {
	var out []fieldMatch
	for name, words := range fields {
		path, err := event.ParsePath(name)
		if err != nil {
			return nil, fmt.Errorf("fields: %w", err)
		}
		if len(words) == 0 {
			return nil, fmt.Errorf("fields: %s has no value to match", name)
		}
		p, err := patterns(words)
		if err != nil {
			return nil, fmt.Errorf("fields: %s: %w", name, err)
		}
		out = append(out, fieldMatch{path, p})
	}
	slices.SortFunc(out, func(a, b fieldMatch) int { return strings.Compare(a.path.String(), b.path.String()) })
	return out, nil
}

func (f *fieldMatch) match(e *event.Event) bool {
	found := false
	e.Get(f.path).Elements(func(v event.Value) bool {
		text := v.String()
		found = v.Kind != event.Null && slices.ContainsFunc(f.patterns, func(p pattern) bool { return p.match(text) })
		return !found
	})
	return found
}

// pattern is a text with * and ?, compared without regard to case, or a network.
type pattern struct {
	text string
	net  netip.Prefix
}

func patterns(words []string) ([]pattern, error) {
	var out []pattern
	for _, w := range words {
		if strings.TrimSpace(w) == "" {
			return nil, errors.New("an empty pattern matches nothing")
		}
		p := pattern{text: fold(w)}
		if net, err := netip.ParsePrefix(w); err == nil {
			p.net = net.Masked()
		}
		out = append(out, p)
	}
	return out, nil
}

func (p pattern) match(s string) bool {
	if p.net.IsValid() {
		if a, ok := parseAddr(s); ok && p.net.Contains(a) {
			return true
		}
	}
	return wildcard.Match(p.text, fold(s))
}

// levels are Sigma's, least first.
var levels = [...]string{"informational", "low", "medium", "high", "critical"}

// levelOf returns the number of a level's name, or -1.
func levelOf(name string) int {
	name = strings.ToLower(strings.TrimSpace(name))
	if name == "info" {
		name = levels[0]
	}
	return slices.Index(levels[:], name)
}

// Severity is a comparison with a level.
type Severity struct {
	op    string
	level int
}

// UnmarshalYAML reads an operator (>=, >, =, <, <=; none = >=) and a level.
func (s *Severity) UnmarshalYAML(n *yaml.Node) error {
	text := strings.TrimSpace(n.Value)
	word := strings.TrimLeft(text, "<>=")
	op := text[:len(text)-len(word)]
	switch op {
	case "":
		op = ">="
	case "==":
		op = "="
	case ">=", ">", "=", "<", "<=":
	default:
		return fmt.Errorf("severity has the operator %q; expected one of >=, >, =, <, <=", op)
	}
	s.op, s.level = op, levelOf(word)
	if s.level < 0 {
		return fmt.Errorf("severity is %q; expected a level such as \">= high\" (%s)", n.Value, strings.Join(levels[:], ", "))
	}
	return nil
}

// holds tells whether a level meets the comparison. An alert without a level meets none.
func (s Severity) holds(level int) bool {
	switch s.op {
	case ">=":
		return level >= s.level
	case ">":
		return level > s.level
	case "=":
		return level == s.level
	case "<":
		return level >= 0 && level < s.level
	case "<=":
		return level >= 0 && level <= s.level
	}
	return true
}
