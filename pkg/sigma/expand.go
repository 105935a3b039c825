package sigma

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxLookup bounds the values of one placeholder.
const maxLookup = 100_000

// Lookups are the values of placeholders, by name.
type Lookups map[string][]string

// Placeholder is for Options.
func (l Lookups) Placeholder(name string) ([]string, bool) {
	v, ok := l[name]
	return v, ok
}

// ParseLookup reads the values of a placeholder: a YAML or JSON list where data begins with - or [, and else a value a
// line; blank lines and those that begin with # are left out. Values may have wildcards, as in a rule.
func ParseLookup(name string, data []byte) ([]string, error) {
	text := bytes.TrimSpace(data)
	var out []string
	if len(text) > 0 && (text[0] == '[' || bytes.HasPrefix(text, []byte("- "))) {
		var doc yaml.Node
		if err := yaml.Unmarshal(data, &doc); err != nil {
			line, msg := yamlFault(err)
			return nil, fmt.Errorf("lookup %s:%d: not YAML: %s", name, line, msg)
		}
		for _, v := range doc.Content[0].Content {
			if v = target(v); v.Kind != yaml.ScalarNode || v.Tag == "!!null" {
				return nil, fmt.Errorf("lookup %s:%d: expected a value", name, v.Line)
			}
			out = append(out, scalarText(v))
		}
	} else {
		for line := range bytes.Lines(text) {
			if line = bytes.TrimSpace(line); len(line) > 0 && line[0] != '#' {
				out = append(out, string(line))
			}
		}
	}
	switch {
	case len(out) == 0:
		return nil, fmt.Errorf("lookup %s: no values", name)
	case len(out) > maxLookup:
		return nil, fmt.Errorf("lookup %s: more than %d values", name, maxLookup)
	}
	return out, nil
}

// expand replaces each %name% by the values that lookup knows for it; \% is a plain percent sign.
func expand(v pattern, lookup func(name string) ([]string, bool)) ([]pattern, error) {
	out := []pattern{nil}
	for _, q := range v {
		if q.kind != literal {
			for i, o := range out {
				out[i] = append(o[:len(o):len(o)], q)
			}
			continue
		}
		pieces := splitPercent(q.text)
		if len(pieces)%2 == 0 {
			return nil, fmt.Errorf("a %% without its partner in %q", q.text)
		}
		for i, text := range pieces {
			forms := []pattern{{{literal, text}}}
			if i%2 == 1 {
				vals, ok := []string(nil), false
				if lookup != nil {
					vals, ok = lookup(text)
				}
				if !ok || len(vals) == 0 {
					return nil, fmt.Errorf("no values for the placeholder %%%s%%; give a file of them (--lookup %s=FILE), or leave this rule out", text, text)
				}
				forms = forms[:0]
				for _, val := range vals {
					forms = append(forms, parsePattern(val))
				}
			}
			if len(out)*len(forms) > maxLookup {
				return nil, fmt.Errorf("more than %d forms of one value", maxLookup)
			}
			var more []pattern
			for _, o := range out {
				for _, f := range forms {
					more = append(more, slices.Concat(o, f))
				}
			}
			out = more
		}
	}
	for i := range out {
		out[i] = out[i].tidy()
	}
	return out, nil
}

// splitPercent cuts s at each % that no backslash stands before; what is between two cuts is a placeholder's name.
func splitPercent(s string) []string {
	var out []string
	var piece strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s) && s[i+1] == '%':
			i++
			piece.WriteByte('%')
		case s[i] == '%':
			out = append(out, piece.String())
			piece.Reset()
		default:
			piece.WriteByte(s[i])
		}
	}
	return append(out, piece.String())
}
