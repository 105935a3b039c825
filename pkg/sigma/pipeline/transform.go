package pipeline

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// change gives what a detection item becomes: alternatives of which one is enough, each of items that must all hold. No
// items at all is an item that is gone.
func (a *application) change(s *step, p *pair) ([][]pair, error) {
	one := func(p pair) [][]pair { return [][]pair{{p}} }
	switch s.kind {
	case "field_name_mapping", "field_name_prefix_mapping", "field_name_prefix", "field_name_suffix":
		return a.rename(s, p), nil
	case "drop_detection_item":
		return [][]pair{nil}, nil
	case "detection_item_failure":
		return nil, fmt.Errorf("%s (%s)", s.Message, p.field+p.mods)
	case "hashes_fields":
		return s.hashes(p), nil
	case "extract_fields":
		return s.extract(p), nil
	case "replace_string", "map_string", "case", "set_value", "wildcard_placeholders", "value_placeholders", "query_expression_placeholders":
		q := *p
		var err error
		q.value, err = a.values(s, &q)
		if s.kind == "wildcard_placeholders" || s.kind == "value_placeholders" {
			q.mods = withoutExpand(p, q.value)
		}
		return one(q), err
	}
	return one(*p), nil // regex, convert_type: the same matches here, where all values are compared as text without case
}

// hashes makes of `Hashes: SHA1=…` a field for each algorithm.
func (s *step) hashes(p *pair) [][]pair {
	if p.field != "Hashes" && p.field != "Hash" {
		return [][]pair{{*p}}
	}
	var alts [][]pair
	for _, v := range valuesOf(p.value) {
		algo, hash, ok := strings.Cut(strings.Trim(v.Value, "*"), "=")
		if !ok {
			algo, hash = algorithmOf(algo), strings.Trim(v.Value, "*")
		}
		if i := slices.IndexFunc(s.Algos, func(known string) bool { return strings.EqualFold(known, algo) }); i >= 0 {
			q := pair{field: s.FieldPrefix, value: text(hash, v), key: p.key}
			if !s.DropAlgo {
				q.field += s.Algos[i]
			}
			alts = append(alts, []pair{q})
		} else {
			alts = append(alts, []pair{{field: p.field, mods: strings.ReplaceAll(p.mods, "|all", ""), value: v, key: p.key}})
		}
	}
	if p.has("all") {
		return [][]pair{slices.Concat(alts...)}
	}
	return alts
}

// extract makes of a value that the expression matches an item for each of its named groups.
func (s *step) extract(p *pair) [][]pair {
	var alts [][]pair
	var kept []*yaml.Node
	for _, v := range valuesOf(p.value) {
		m := s.pattern.FindStringSubmatch(v.Value)
		if m == nil {
			if s.PreserveUnmatched {
				kept = append(kept, v)
			}
			continue
		}
		var items []pair
		for i, name := range s.pattern.SubexpNames() {
			if name == "" || m[i] == "" {
				continue
			}
			if s.FieldPrefix != "" {
				name = s.FieldPrefix + "." + name
			}
			items = append(items, pair{field: name, value: text(m[i], v), key: p.key})
		}
		alts = append(alts, items)
	}
	for _, v := range kept {
		alts = append(alts, []pair{{field: p.field, mods: strings.ReplaceAll(p.mods, "|all", ""), value: v, key: p.key}})
	}
	switch {
	case len(alts) == 0:
		return [][]pair{nil}
	case p.has("all"):
		return [][]pair{slices.Concat(alts...)}
	}
	return alts
}

// algorithmOf guesses by its length what a hash without a name is.
func algorithmOf(hash string) string {
	switch len(strings.Trim(hash, "*")) {
	case 32:
		return "MD5"
	case 40:
		return "SHA1"
	case 64:
		return "SHA256"
	}
	return ""
}

func (a *application) changeSource(s *step) {
	src := &yaml.Node{Kind: yaml.MappingNode, Line: a.doc.Line, Column: a.doc.Column}
	for _, part := range []struct{ name, value string }{{"product", s.Product}, {"category", s.Category}, {"service", s.Service}} {
		if part.value != "" {
			src.Content = append(src.Content, text(part.name, src), text(part.value, src))
		}
	}
	setMember(a.doc, "logsource", src)
}

// addCondition adds a search that must hold too, or with negated must not.
func (a *application) addCondition(s *step) error {
	sect := member(a.doc, "detection")
	if sect == nil || sect.Kind != yaml.MappingNode {
		return nil // a filter is joined to rules, which have the condition themselves
	}
	name := s.Name
	for name == "" || keyAt(sect, name) >= 0 {
		a.added++
		name = fmt.Sprintf("_pipeline_%d", a.added)
	}
	search := &yaml.Node{Kind: yaml.MappingNode, Line: sect.Line, Column: sect.Column}
	given := target(&s.Conditions)
	for i := 0; i+1 < len(given.Content); i += 2 {
		k, v := *given.Content[i], clone(given.Content[i+1])
		if s.Template {
			a.fill(v)
		}
		k.Line, k.Column = sect.Line, sect.Column
		search.Content = append(search.Content, &k, v)
	}
	sect.Content = append(sect.Content, text(name, sect), search)
	at := keyAt(sect, "condition")
	if at < 0 {
		return nil // the rule's own fault, told when it is read
	}
	term := name
	if s.Negated {
		term = "not " + name
	}
	cond := clone(sect.Content[at+1])
	for _, v := range valuesOf(cond) {
		v.Value = term + " and (" + v.Value + ")"
	}
	sect.Content[at+1] = cond
	return nil
}

// fill puts the log source in the places that a template has for it.
func (a *application) fill(n *yaml.Node) {
	src := member(a.doc, "logsource")
	for _, part := range []string{"product", "category", "service"} {
		value := ""
		if v := member(src, part); v != nil {
			value = v.Value
		}
		for _, v := range valuesOf(n) {
			v.Value = strings.NewReplacer("$"+part, value, "${"+part+"}", value).Replace(v.Value)
		}
	}
}

// fieldList changes the rule's list of fields.
func (a *application) fieldList(s *step) {
	var names []string
	if have := member(a.doc, "fields"); have != nil {
		for _, v := range valuesOf(have) {
			names = append(names, v.Value)
		}
	}
	var given []string
	for _, v := range valuesOf(target(&s.Field)) {
		given = append(given, v.Value)
	}
	switch s.kind {
	case "add_field":
		names = append(names, given...)
	case "remove_field":
		names = slices.DeleteFunc(names, func(n string) bool { return slices.Contains(given, n) })
	case "set_field":
		names = s.Fields
	}
	list := &yaml.Node{Kind: yaml.SequenceNode, Line: a.doc.Line, Column: a.doc.Column}
	for _, n := range names {
		list.Content = append(list.Content, text(n, a.doc))
	}
	setMember(a.doc, "fields", list)
}

// valuesOf returns the values of a scalar or list.
func valuesOf(n *yaml.Node) []*yaml.Node {
	n = target(n)
	switch {
	case n == nil || n.Kind == 0:
		return nil
	case n.Kind == yaml.SequenceNode:
		var out []*yaml.Node
		for _, e := range n.Content {
			out = append(out, target(e))
		}
		return out
	}
	return []*yaml.Node{n}
}

// clone copies a scalar or list, so that its values can be changed.
func clone(n *yaml.Node) *yaml.Node {
	n = target(n)
	c := *n
	c.Content = nil
	for _, e := range n.Content {
		c.Content = append(c.Content, clone(e))
	}
	return &c
}
