package pipeline

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// tablesOf makes a table of items. Items that have the same key by now must all hold, which a table says of single values by
// |all: so there is a table for each combination of their values, of which one is enough.
func (a *application) tablesOf(items []pair, at *yaml.Node) ([]*yaml.Node, error) {
	var keys []string
	byKey := map[string][]pair{}
	for _, p := range items {
		key := p.field + p.mods
		if len(byKey[key]) == 0 {
			keys = append(keys, key)
		}
		byKey[key] = append(byKey[key], p)
	}
	tables := []*yaml.Node{{Kind: yaml.MappingNode, Line: at.Line, Column: at.Column}}
	for _, key := range keys {
		same := byKey[key]
		combined := [][]*yaml.Node{nil}
		switch {
		case len(same) == 1:
		case same[0].has("all"):
			for _, p := range same {
				combined[0] = append(combined[0], valuesOf(p.value)...)
			}
		default:
			key += "|all"
			for _, p := range same {
				combined = extend(combined, valuesOf(p.value))
			}
		}
		if len(tables)*len(combined) > maxAlternatives {
			return nil, fmt.Errorf("more than %d alternatives of %s", maxAlternatives, strings.TrimSuffix(key, "|all"))
		}
		var next []*yaml.Node
		for _, t := range tables {
			for _, vals := range combined {
				m := *t
				k := text(key, at)
				if same[0].key != nil {
					k.Line, k.Column = same[0].key.Line, same[0].key.Column
				}
				v := same[0].value
				if vals != nil {
					v = &yaml.Node{Kind: yaml.SequenceNode, Line: v.Line, Column: v.Column, Content: vals}
					a.items[v] = a.items[same[0].value]
				}
				m.Content = append(t.Content[:len(t.Content):len(t.Content)], k, v)
				next = append(next, &m)
			}
		}
		tables = next
	}
	return tables, nil
}

// extend adds each of the values to each of the lists.
func extend(lists [][]*yaml.Node, values []*yaml.Node) (out [][]*yaml.Node) {
	for _, l := range lists {
		for _, v := range values {
			if out = append(out, append(l[:len(l):len(l)], v)); len(out) > maxAlternatives {
				return out
			}
		}
	}
	return out
}
