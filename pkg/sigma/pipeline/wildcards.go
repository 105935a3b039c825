package pipeline

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// For pySigma `contains`, `startswith` and `endswith` are wildcards of the value: expressions see them.

// ends tells where the modifiers of p put wildcards. Where others stand before them the value is no text any more.
func (p *pair) ends() (before, behind bool) {
	for mod := range strings.SplitSeq(strings.TrimPrefix(p.mods, "|"), "|") {
		switch mod {
		case "contains":
			before, behind = true, true
		case "endswith":
			before = true
		case "startswith":
			behind = true
		case "", "all", "windash", "cased", "expand", "neq":
		default:
			return false, false
		}
	}
	return before, behind
}

// withWildcards returns a value with those of the item's modifiers.
func (p *pair) withWildcards(v string) string {
	before, behind := p.ends()
	if before && !strings.HasPrefix(v, "*") {
		v = "*" + v
	}
	if behind && (!strings.HasSuffix(v, "*") || strings.HasSuffix(v, `\*`) || v == "*" && before) {
		v += "*"
	}
	return v
}

// takeWildcards makes the wildcards of values modifiers again. Where not every value has kept them, they stay in the values, and the
// modifiers go.
func (p *pair) takeWildcards(values []*yaml.Node) {
	before, behind := p.ends()
	kept := !slices.ContainsFunc(values, func(v *yaml.Node) bool {
		return before && !strings.HasPrefix(v.Value, "*") || behind && (!strings.HasSuffix(v.Value, "*") || strings.HasSuffix(v.Value, `\*`)) || v.Value == "*"
	})
	if !kept {
		var mods strings.Builder
		for mod := range strings.SplitSeq(p.mods, "|") {
			if mod != "" && mod != "contains" && mod != "startswith" && mod != "endswith" {
				mods.WriteString("|" + mod)
			}
		}
		p.mods = mods.String()
		return
	}
	for _, v := range values {
		if before {
			v.Value = strings.TrimPrefix(v.Value, "*")
		}
		if behind {
			v.Value = strings.TrimSuffix(v.Value, "*")
		}
	}
}
