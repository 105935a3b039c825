package pipeline

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// values gives the values that an item gets.
func (a *application) values(s *step, p *pair) (*yaml.Node, error) {
	if s.kind == "set_value" {
		v := clone(&s.Value)
		switch s.ForceType {
		case "str":
			v.Tag, v.Style = "!!str", yaml.DoubleQuotedStyle
		case "num":
			if _, err := strconv.ParseFloat(v.Value, 64); err != nil {
				return nil, fmt.Errorf("set_value: %q is no number", v.Value)
			}
		}
		return v, nil
	}
	var out []*yaml.Node
	whole := s.kind == "replace_string" && !s.SkipSpecial && p.withWildcards("") != ""
	for _, v := range valuesOf(p.value) {
		if s.kind == "query_expression_placeholders" && p.has("expand") && strings.Count(v.Value, "%") > 1 && !onlyPlaceholder.MatchString(v.Value) {
			return nil, fmt.Errorf("query_expression_placeholders: %q is more than a placeholder", v.Value)
		}
		if number := v.Tag == "!!int" || v.Tag == "!!float"; v.Kind != yaml.ScalarNode || v.Tag != "!!str" && (s.kind != "replace_string" || !number) {
			out = append(out, v)
			continue
		}
		for _, t := range a.texts(s, p, v.Value) {
			n := *v
			n.Value, n.Tag = t, "!!str"
			out = append(out, &n)
		}
	}
	if whole {
		p.takeWildcards(out)
	}
	if len(out) == 1 && p.value.Kind == yaml.ScalarNode {
		return out[0], nil
	}
	return &yaml.Node{Kind: yaml.SequenceNode, Line: p.value.Line, Column: p.value.Column, Content: out}, nil
}

// texts gives what one text becomes.
func (a *application) texts(s *step, p *pair, v string) []string {
	switch s.kind {
	case "replace_string":
		if !s.SkipSpecial {
			return []string{s.pattern.ReplaceAllString(p.withWildcards(v), s.Replacement)}
		}
		// Between wildcards, which stay as they are.
		var b strings.Builder
		for _, piece := range splitWildcards(v) {
			if piece == "*" || piece == "?" {
				b.WriteString(piece)
			} else {
				b.WriteString(s.pattern.ReplaceAllString(piece, s.Replacement))
			}
		}
		return []string{b.String()}
	case "map_string":
		if to := s.names[v]; to != nil {
			return to
		}
	case "case":
		if s.Method == "lower" {
			return []string{strings.ToLower(v)}
		}
		return []string{strings.ToUpper(v)}
	case "wildcard_placeholders", "value_placeholders":
		if p.has("expand") {
			return a.placeholders(s, v)
		}
	case "query_expression_placeholders":
		// A value of the list of that name: which is a lookup.
		if name := strings.Trim(v, "%"); p.has("expand") && s.concerns(name) && s.names[name] != nil {
			return []string{"%" + s.names[name][0] + "%"}
		}
	}
	return []string{v}
}

var onlyPlaceholder = regexp.MustCompile(`^%[^%]+%$`)

// maxValues bounds the values that placeholders make of one.
const maxValues = 100_000

// placeholders replaces each %name% that s is for: by a wildcard, or by the pipeline's values.
func (a *application) placeholders(s *step, v string) []string {
	out := []string{""}
	for i, piece := range strings.Split(v, "%") {
		last := i == strings.Count(v, "%")
		forms := []string{piece}
		if i%2 == 1 && !last {
			forms = []string{"%" + piece + "%"}
			if s.concerns(piece) {
				if s.kind == "wildcard_placeholders" {
					forms = []string{"*"}
				} else if have := a.pipe.vars[piece]; have != nil {
					forms = have
				}
			}
		} else if i%2 == 1 {
			forms = []string{"%" + piece}
		}
		if len(out)*len(forms) > maxValues {
			return []string{v}
		}
		var next []string
		for _, o := range out {
			for _, f := range forms {
				next = append(next, o+f)
			}
		}
		out = next
	}
	return out
}

// concerns tells whether s is for the placeholder of that name.
func (s *step) concerns(name string) bool {
	return (len(s.Include) == 0 || slices.Contains(s.Include, name)) && !slices.Contains(s.Exclude, name)
}

// withoutExpand returns the modifiers of p; expand is gone where no placeholder is left.
func withoutExpand(p *pair, v *yaml.Node) string {
	for _, one := range valuesOf(v) {
		if strings.Count(one.Value, "%") >= 2 {
			return p.mods
		}
	}
	var mods strings.Builder
	for _, m := range strings.Split(p.mods, "|") {
		if m != "" && m != "expand" {
			mods.WriteString("|" + m)
		}
	}
	return mods.String()
}

// splitWildcards cuts a text at its wildcards, which are pieces of their own.
func splitWildcards(s string) []string {
	var out []string
	begin := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '*', '?':
			out = append(out, s[begin:i], s[i:i+1])
			begin = i + 1
		}
	}
	return append(out, s[min(begin, len(s)):])
}
